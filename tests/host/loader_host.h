/* loader_host.h - what loader_env.c offers besides the kernel functions that it replaces. */
#ifndef LOADER_HOST_H
#define LOADER_HOST_H

#include <stddef.h>
#include <stdint.h>

#define HOST_FEATURES 0x7fffu /* of cpu_info(); set with host_set_features */

void host_set_features(uint32_t features);
size_t host_pages_in_use(void);
/* Reads a whole file; ends the process when that fails. */
uint8_t *host_read(const char *path, size_t *size);
#endif
