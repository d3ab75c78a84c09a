/* sha256.c - SHA-256 as in FIPS 180-4, section 6.2; variables have the names of the standard. */
#include "load/sha256.h"

#include "fluid/sha256_table.h"
#include "lib/string.h"

static uint32_t rotr(uint32_t x, unsigned n) {
    return x >> n | x << (32 - n);
}

static uint32_t big_endian(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void compress(uint32_t state[8], const uint8_t block[64]) {
    uint32_t w[64];
    for (unsigned t = 0; t < 16; t++)
        w[t] = big_endian(block + 4 * t);
    for (unsigned t = 16; t < 64; t++) {
        uint32_t s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned t = 0; t < 64; t++) {
        uint32_t S1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
        uint32_t T1 = h + S1 + ((e & f) ^ (~e & g)) + sha256_k[t] + w[t];
        uint32_t S0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
        uint32_t T2 = S0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + T1;
        d = c, c = b, b = a, a = T1 + T2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_init(struct sha256 *s) {
    memcpy(s->state, sha256_initial, sizeof sha256_initial);
    s->length = 0;
}

void sha256_update(struct sha256 *s, const void *data, size_t size) {
    const uint8_t *bytes = data;
    size_t used = s->length % 64;
    s->length += size;
    if (used) {
        size_t n = size < 64 - used ? size : 64 - used;
        memcpy(s->block + used, bytes, n);
        if (used + n < 64)
            return;
        compress(s->state, s->block);
        bytes += n;
        size -= n;
    }
    for (; size >= 64; bytes += 64, size -= 64)
        compress(s->state, bytes);
    memcpy(s->block, bytes, size);
}

void sha256_final(struct sha256 *s, uint8_t digest[SHA256_SIZE]) {
    static const uint8_t padding[64] = {0x80};
    uint64_t bits = s->length * 8;
    size_t used = s->length % 64;
    sha256_update(s, padding, used < 56 ? 56 - used : 120 - used);
    uint8_t length[8];
    for (unsigned i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_update(s, length, sizeof length);
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        digest[i] = (uint8_t)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}
