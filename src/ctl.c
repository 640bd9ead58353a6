// SPDX-License-Identifier: MIT
/* orderconf: the operator's command. A table of commands, a file for each. */
#include "config.h"

#include "ctl.h"

#include "util.h"

#include <stdio.h>
#include <string.h>

static const struct ctl_command *const commands[] = {
    &ctl_keygen,
    &ctl_token,
};

static void
print_help(void)
{
    printf("usage: orderconf COMMAND [OPTION]...\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
    printf("\norderconf COMMAND --help tells the options of a command.\n");
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "orderconf: which command? see --help\n");
        return CTL_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        print_help();
        return CTL_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("orderconf %s\n", PACKAGE_VERSION);
        return CTL_OK;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return (int)commands[i]->run(commands[i], argc - 2, argv + 2);
    fprintf(stderr, "orderconf: %s: no such command, see --help\n", argv[1]);
    return CTL_USAGE;
}
