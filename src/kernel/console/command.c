/* command.c - the table of commands, and which one a line calls. */
#include "console/command.h"

#include "console/chat.h"
#include "console/event.h"
#include "console/model.h"
#include "lib/printf.h"
#include "lib/string.h"

struct command {
    const char *name;
    const char *usage;
    const char *help;
    command_fn *run;
};

static const struct command commands[] = {
    {"help", "/help", "this list", command_help},
    {"cpu", "/cpu", "processor, features in use, clock", command_cpu},
    {"mem", "/mem", "where every MiB of memory is", command_mem},
    {"bench", "/bench [NAME [SIZE [CALLS]]]", "run a benchmark in the background, or list them",
     command_bench},
    {"tasks", "/tasks", "who uses the processor, and how deep the stacks got", command_tasks},
    {"profile", "/profile [reset|counters]", "what functions of modules took, and an export of it",
     command_profile},
    {"uptime", "/uptime", "time since the start, and the interrupts meanwhile", command_uptime},
    {"pci", "/pci", "what is on the PCI buses", command_pci},
    {"ls", "/ls [FOLDER]", "files on the model partition", command_ls},
    {"score", "/score TEXT", "predictions for every token of TEXT", command_score},
    {"complete", "/complete N TEXT", "continue TEXT greedily by at most N tokens",
     command_complete},
    {"speed", "/speed PROMPT NEW", "time to read PROMPT tokens and to make NEW ones",
     command_speed},
    {"set", "/set KEY VALUE", "change a setting (/show lists them)", command_set},
    {"show", "/show", "settings and model", command_show},
    {"clear", "/clear", "forget the conversation", command_clear},
    {"regen", "/regen", "another reply to what was said last", command_regen},
    {"load", "/load [NAME]", "take a module from the folder MODULES, or list all", command_load},
    {"unload", "/unload NAME", "take it out again", command_unload},
    {"jit", "/jit [on|off|compile OPERATION LEVEL]", "who compiles, and what comes of it",
     command_jit},
    {"cache", "/cache [clear|verify]", "what is kept for the next start", command_cache},
    {"selftest", "/selftest [NAME]", "check the machine's own invariants", command_selftest},
    {"reboot", "/reboot", "restart the machine", command_reboot},
    {"off", "/off", "switch the machine off", command_off},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

void command_list(void) {
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        kprintf("  %-30s %s\n", commands[i].usage, commands[i].help);
    kprintf("Any other line is said to the model. Ctrl-C stops a reply.\n");
}

static void run_command(char *text, size_t length) {
    size_t name_length = 0;
    struct fluid_error unknown;

    while (name_length < length && text[name_length] != ' ')
        name_length++;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *name = commands[i].name;
        if (strlen(name) == name_length && memcmp(name, text, name_length) == 0) {
            size_t skip = name_length < length ? name_length + 1 : length;
            commands[i].run(text + skip, length - skip);
            return;
        }
    }
    fluid_fail(&unknown, "E-CON-02", "command expected, found /%.*s; /help lists the commands",
               (int)(name_length < 40 ? name_length : 40), text);
    report_error(&unknown);
}

void command_run(struct line *line) {
    struct fluid_error too_long, failed;

    if (line->too_long) {
        fluid_fail(&too_long, "E-CON-01",
                   "a line of at most %u bytes expected, found a longer one, which was dropped; "
                   "send it in parts",
                   LINE_MAX);
        report_error(&too_long);
    } else if (line->length > 0 && line->text[0] == '/') {
        run_command(line->text + 1, line->length - 1);
    } else if (line->length > 0) {
        chat_say(line->text, line->length);
    }
    if (engine_failed(&failed)) /* in a call whose result did not matter */
        report_error(&failed);
}
