/* command_host.c - runs lines from standard input as the console's commands in a Linux process,
 * with the model of command_env.c; events go to standard output. usage: command_host ALLOCATIONS,
 * of which so many succeed in each command. */
#define main console_host_main
#include "console_host.c"
#undef main

#include "command_env.h"
#include "console/command.h"

int main(int argc, char **argv) {
    static struct line line;

    if (argc != 2)
        return 2;
    for (;;) {
        line_read(&line);
        command_allocations = strtoul(argv[1], NULL, 10);
        command_run(&line);
    }
}
