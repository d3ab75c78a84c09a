/* command.h - what a line at the console means: chat, or a command that begins with '/'. */
#ifndef KERNEL_CONSOLE_COMMAND_H
#define KERNEL_CONSOLE_COMMAND_H

#include <stddef.h>

#include "console/line.h"

/* Runs one line; the line's text may be modified (base64 is decoded in place). */
void command_run(struct line *line);

/* argument is what follows the name and exactly one space (length bytes, NUL-terminated). */
typedef void command_fn(char *argument, size_t length);
/* command_system.c */
command_fn command_help, command_cpu, command_mem, command_ls, command_uptime, command_selftest;
command_fn command_pci, command_reboot, command_off;
command_fn command_load, command_unload;    /* command_module.c */
command_fn command_cache;                   /* command_cache.c */
command_fn command_jit;                     /* command_jit.c */
command_fn command_bench;                   /* command_bench.c */
command_fn command_tasks;                   /* command_tasks.c */
command_fn command_profile;                 /* command_profile.c */
command_fn command_score, command_complete; /* command_model.c */
command_fn command_speed;                   /* command_speed.c */
command_fn command_set, command_show;       /* settings.c */
command_fn command_clear, command_regen;    /* chat.c */

/* Prints the list of commands with one line of help each (command.c owns the table). */
void command_list(void);
#endif
