/* sha256_stream.c - benchmark: SHA-256 (FIPS 180-4) of random bytes that come in chunks of a
 * network's packets. Unit of work: blocks of 64 bytes; the size is in bytes.
 *
 * Rotations, additions and logic in one long chain of 32-bit words, whose latency is measured. It
 * is not the loader's code (src/kernel/load/sha256.c), which is made to be read: here the words of
 * the schedule are replaced as they are used up, and no variable is moved to another. The checksum
 * is FNV-1a over the words of the hash. */
#include "fluid/module.h"
#include "fluid/sha256_table.h"
#include "mix.h"
#include "sizes.h"

FLUID_EXPORT bench_open_fn bench_sha256_stream_open;
FLUID_EXPORT bench_call_fn bench_sha256_stream_call;
FLUID_EXPORT bench_close_fn bench_sha256_stream_close;

static const struct bench_sizes sizes = {
    "blocks", 1, {{4096, 0xbd224cc4}, {65536, 0x104dc3ae}, {1048576, 0x84e7e732}}};

#define WORDS 8u
#define BLOCK 64u   /* bytes */
#define LENGTH 8u   /* bytes of the length at the end */
#define CHUNK 1460u /* bytes: the payload of TCP in a frame of Ethernet */

struct stream {
    uint32_t hash[WORDS];
    uint64_t size; /* bytes so far */
    uint8_t block[BLOCK];
};

static uint32_t rotate(uint32_t x, unsigned right) {
    return x >> right | x << (32 - right);
}

/* One round but for the renaming of its variables: the caller's next one has them in other places.
 * `word` is the schedule's and the round's constant. */
static void turn(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                 uint32_t g, uint32_t *h, uint32_t word) {
    word += *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g)));
    *d += word;
    *h = word + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
}

/* The next 16 words of the schedule in place of these. */
static void extend(uint32_t w[16]) {
    for (unsigned i = 0; i < 16; i++) {
        uint32_t early = w[(i + 1) % 16], late = w[(i + 14) % 16];
        w[i] += (rotate(early, 7) ^ rotate(early, 18) ^ early >> 3) + w[(i + 9) % 16] +
                (rotate(late, 17) ^ rotate(late, 19) ^ late >> 10);
    }
}

static void add_block(uint32_t hash[WORDS], const uint8_t block[BLOCK]) {
    uint32_t w[16], v[WORDS];
    for (unsigned i = 0; i < 16; i++) {
        memcpy(&w[i], block + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    memcpy(v, hash, sizeof v);
    for (unsigned t = 0; t < 64; t += 8) {
        const uint32_t *k = &sha256_k[t], *word = &w[t % 16];
        if (t % 16 == 0 && t != 0)
            extend(w);
        turn(v[0], v[1], v[2], &v[3], v[4], v[5], v[6], &v[7], k[0] + word[0]);
        turn(v[7], v[0], v[1], &v[2], v[3], v[4], v[5], &v[6], k[1] + word[1]);
        turn(v[6], v[7], v[0], &v[1], v[2], v[3], v[4], &v[5], k[2] + word[2]);
        turn(v[5], v[6], v[7], &v[0], v[1], v[2], v[3], &v[4], k[3] + word[3]);
        turn(v[4], v[5], v[6], &v[7], v[0], v[1], v[2], &v[3], k[4] + word[4]);
        turn(v[3], v[4], v[5], &v[6], v[7], v[0], v[1], &v[2], k[5] + word[5]);
        turn(v[2], v[3], v[4], &v[5], v[6], v[7], v[0], &v[1], k[6] + word[6]);
        turn(v[1], v[2], v[3], &v[4], v[5], v[6], v[7], &v[0], k[7] + word[7]);
    }
    for (unsigned i = 0; i < WORDS; i++)
        hash[i] += v[i];
}

static void start(struct stream *s) {
    memcpy(s->hash, sha256_initial, sizeof s->hash);
    s->size = 0;
}

static void add(struct stream *s, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        size_t used = s->size % BLOCK, part = count < BLOCK - used ? count : BLOCK - used;
        memcpy(s->block + used, bytes, part);
        s->size += part;
        bytes += part;
        count -= part;
        if (s->size % BLOCK == 0)
            add_block(s->hash, s->block);
    }
}

/* A bit, zeros and the length in bits: FIPS 180-4, 5.1.1. s->hash is the result. */
static void finish(struct stream *s) {
    static const uint8_t padding[BLOCK] = {0x80};
    uint64_t bits = __builtin_bswap64(s->size * 8);
    size_t used = (s->size + LENGTH) % BLOCK;
    add(s, padding, BLOCK - used);
    uint8_t length[LENGTH];
    memcpy(length, &bits, LENGTH);
    add(s, length, LENGTH);
}

/* The examples of NIST for one block and for two. */
static int check(struct fluid_error *err) {
    static const struct {
        const char *text;
        uint32_t hash[WORDS];
    } known[] = {
        {"abc",
         {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223, 0xb00361a3, 0x96177a9c, 0xb410ff61,
          0xf20015ad}},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         {0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039, 0xa33ce459, 0x64ff2167, 0xf6ecedd4,
          0x19db06c1}},
    };
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct stream s;
        start(&s);
        add(&s, (const uint8_t *)known[i].text, strlen(known[i].text));
        finish(&s);
        if (memcmp(s.hash, known[i].hash, sizeof s.hash) != 0)
            return fluid_fail(err, "E-BENCH-03",
                              "SHA-256 of %s: %x at the beginning expected, found %x; rebuild the "
                              "module",
                              known[i].text, known[i].hash[0], s.hash[0]);
    }
    return 0;
}

int bench_sha256_stream_open(struct fluid_bench *bench, uint64_t size, struct fluid_error *err) {
    if (check(err) != 0 || bench_choose(bench, &sizes, size, err) != 0 ||
        bench_allocate(bench, (size_t)bench->size, err) != 0)
        return -1;
    uint8_t *bytes = bench->work;
    uint32_t random = mix_seed();
    for (uint64_t i = 0; i < bench->size; i++)
        bytes[i] = (uint8_t)mix_draw(&random);
    bench->units = bench->size / BLOCK + 1; /* and the padding */
    return 0;
}

uint32_t bench_sha256_stream_call(const struct fluid_bench *bench) {
    const uint8_t *bytes = bench->work;
    size_t size = (size_t)bench->size;
    struct stream s;
    start(&s);
    for (size_t at = 0; at < size; at += CHUNK) {
        add(&s, bytes + at, size - at < CHUNK ? size - at : CHUNK);
        if (fluid_poll())
            return 0;
    }
    finish(&s);
    uint32_t checksum = MIX_START;
    for (unsigned i = 0; i < WORDS; i++)
        checksum = mix(checksum, s.hash[i]);
    return checksum;
}

void bench_sha256_stream_close(struct fluid_bench *bench) {
    fluid_free(bench->work);
}
