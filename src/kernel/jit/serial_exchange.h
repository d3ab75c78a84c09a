/* serial_exchange.h - between compiler_serial.c, which asks the host, and serial_records.c, which
 * takes in what it says: the one request that is going on. */
#ifndef KERNEL_JIT_SERIAL_EXCHANGE_H
#define KERNEL_JIT_SERIAL_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fluid/kapi.h"
#include "jit/compiler_serial.h"

#define SERIAL_TEXT_SIZE 160u

enum serial_outcome {
    GOING_ON,
    WHOLE,     /* bytes has the answer */
    REFUSED,   /* text says why */
    DAMAGED,   /* another SHA-256 than check */
    NO_MEMORY, /* for size bytes */
    GONE,      /* the host has left, or is another one */
};

struct exchange {
    bool open;   /* somebody waits */
    uint32_t id; /* from 1 on, since the start */
    enum serial_outcome outcome;
    uint8_t *bytes;   /* (size); NULL: nothing has come yet */
    size_t size, got; /* of the answer; got of them are there */
    char check[COMPILER_SERIAL_CHECK_SIZE];
    char text[SERIAL_TEXT_SIZE];
};

extern struct exchange serial_asked;

/* The first hexadecimal digits of the SHA-256. */
void serial_checksum(const void *bytes, size_t n, char check[COMPILER_SERIAL_CHECK_SIZE]);
/* The host has not answered: nobody compiles, until it announces itself again. */
void serial_forget(void);
/* As struct compiler has it. */
int serial_compile(const void *request, size_t size, uint8_t **response, size_t *got,
                   struct fluid_error *err);
#endif
