/* compiler_serial.c - asks the host: the request goes out in parts, other output between them; the
 * answer comes in parts, each of which is asked for, so that the ring of the serial port never
 * overflows. One request at a time.
 *
 * The task that asks sleeps and looks; records are taken in by the console's, which reads the line.
 */
#include "jit/compiler_serial.h"

#include "arch/x86/clock.h"
#include "console/console.h"
#include "console/event.h"
#include "console/line.h"
#include "fluid/jit.h"
#include "jit/serial_exchange.h"
#include "lib/string.h"
#include "mm/heap.h"
#include "task/task.h"

#define PAUSE_NS (2 * (CLOCK_NS_PER_S / 1000))
#define ASK_AGAIN_NS (15 * CLOCK_NS_PER_S) /* nothing has come: a part was lost */
#define PART_NS (4 * ASK_AGAIN_NS)         /* from one part to the next; then the host is gone */

static bool busy;

/* Others run, for a while or once. True: whoever asks is to stop. */
static bool pause(uint64_t ns) {
    bool stop = false;

    if (task_is_console())
        stop = console_poll();
    else
        line_poll_aside();
    if (ns > 0)
        task_sleep_until(clock_ns() + ns);
    else
        task_yield();
    return stop || task_current()->stop;
}

static void send_part(const uint8_t *request, size_t size, size_t offset) {
    size_t n =
        size - offset < COMPILER_SERIAL_EVENT_BYTES ? size - offset : COMPILER_SERIAL_EVENT_BYTES;
    char check[COMPILER_SERIAL_CHECK_SIZE + 1] = "";

    event_begin("compile");
    event_u64("id", serial_asked.id);
    event_u64("size", size);
    event_u64("offset", offset);
    if (offset == 0) {
        serial_checksum(request, size, check);
        event_string("check", check);
    }
    event_base64("b64", (const char *)request + offset, n);
    event_end();
}

/* From got on: the host sends one part for each of these. */
static void ask_for_part(void) {
    event_begin("compile_next");
    event_u64("id", serial_asked.id);
    event_u64("offset", serial_asked.got);
    event_end();
}

static uint64_t patience_ns(const void *request, size_t size) {
    uint64_t seconds = COMPILER_SERIAL_CPU_SECONDS;
    struct jit_request head;

    if (size >= sizeof(head)) {
        memcpy(&head, request, sizeof(head));
        if (head.cpu_seconds < seconds)
            seconds = head.cpu_seconds;
    }
    return (seconds + COMPILER_SERIAL_SPARE_SECONDS) * CLOCK_NS_PER_S;
}

static int stopped(struct fluid_error *err) {
    return fluid_fail(err, "E-JIT-54",
                      "an answer of the host at the serial line expected, the request was stopped "
                      "or the host has left; keep the code that is there");
}

static int nothing_came(uint64_t ns, struct fluid_error *err) {
    serial_forget();
    return fluid_fail(err, "E-JIT-50",
                      "an answer of the host at the serial line expected within %u s, none came; "
                      "it is asked no more until it announces itself (scons chat compile=1)",
                      (unsigned)(ns / CLOCK_NS_PER_S));
}

static int events_off(struct fluid_error *err) {
    return fluid_fail(err, "E-JIT-53",
                      "events are expected to be on for a compiler at the serial line, found them "
                      "off; /set events on");
}

/* Until there is an outcome. 0: it is serial_asked.outcome. */
static int wait(uint64_t patience, struct fluid_error *err) {
    uint64_t heard = clock_ns(), last = heard; /* of the host; asked it */
    size_t got = 0;

    while (serial_asked.outcome == GOING_ON) {
        uint64_t now = clock_ns();
        bool more = serial_asked.got > got;

        if (more) {
            got = serial_asked.got;
            patience = PART_NS;
            heard = now;
        } else if (now - heard >= patience) {
            return nothing_came(patience, err);
        }
        if (more || now - last >= ASK_AGAIN_NS) {
            last = now;
            ask_for_part();
        }
        if (pause(PAUSE_NS))
            return stopped(err);
        if (!event_enabled)
            return events_off(err);
    }
    return 0;
}

static int fail(struct fluid_error *err) {
    switch (serial_asked.outcome) {
    case REFUSED:
        return fluid_fail(err, "E-JIT-51",
                          "a module of the host's compiler expected, found: %s; keep the code that "
                          "is there",
                          serial_asked.text);
    case DAMAGED:
        return fluid_fail(err, "E-JIT-52",
                          "an answer with SHA-256 %.*s... expected, found another one: %zu bytes "
                          "were damaged at the serial line; ask again",
                          (int)COMPILER_SERIAL_CHECK_SIZE, serial_asked.check, serial_asked.size);
    case NO_MEMORY:
        return fluid_fail(err, "E-JIT-56",
                          "%zu bytes of memory for the answer of the host's compiler expected, not "
                          "available; give the machine more",
                          serial_asked.size);
    default:
        return stopped(err);
    }
}

static int exchange(const uint8_t *request, size_t size, struct fluid_error *err) {
    for (size_t offset = 0; offset < size && serial_asked.outcome == GOING_ON;
         offset += COMPILER_SERIAL_EVENT_BYTES) {
        send_part(request, size, offset);
        if (pause(0))
            return stopped(err);
    }
    if (wait(patience_ns(request, size), err) != 0)
        return -1;
    return serial_asked.outcome == WHOLE ? 0 : fail(err);
}

int serial_compile(const void *request, size_t size, uint8_t **response, size_t *got,
                   struct fluid_error *err) {
    static uint32_t id;
    int result;

    if (!event_enabled)
        return events_off(err);
    while (busy)
        if (pause(PAUSE_NS))
            return stopped(err);
    busy = true;
    serial_asked = (struct exchange){.open = true, .id = ++id};
    result = exchange(request, size, err);
    serial_asked.open = false;
    if (result == 0) {
        *response = serial_asked.bytes;
        *got = serial_asked.size;
    } else {
        kfree(serial_asked.bytes);
    }
    busy = false;
    return result;
}
