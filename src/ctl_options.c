// SPDX-License-Identifier: MIT
#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
ctl_complain(const struct ctl_command *command, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "orderconf %s: ", command->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static void
print_help(const struct ctl_command *command, const struct ctl_option *options)
{
    printf("usage: orderconf %s [OPTION]...\n%s.\n\n", command->name,
           command->summary);
    for (; options->name != NULL; options++) {
        printf("  --%s %-*s%s%s\n", options->name,
               (int)(24 - strlen(options->name)), options->argument,
               options->help, options->is_required ? "; required" : "");
        if (options->environment != NULL)
            printf("%29s(or %s in the environment)\n", "",
                   options->environment);
    }
    printf("  --help                     print this\n");
}

static const struct ctl_option *
find(const struct ctl_option *options, const char *name, size_t len)
{
    for (; options->name != NULL; options++)
        if (strlen(options->name) == len &&
            strncmp(options->name, name, len) == 0)
            return options;
    return NULL;
}

/* Reads --name VALUE or --name=VALUE at argv[*at], and moves *at past it. */
static bool
read_option(const struct ctl_command *command, const struct ctl_option *options,
            char **argv, int *at)
{
    const char *argument = argv[*at];
    size_t len = strcspn(argument, "=");
    const struct ctl_option *option = NULL;
    const char *value;

    if (strncmp(argument, "--", 2) == 0)
        option = find(options, argument + 2, len - 2);
    if (option == NULL) {
        ctl_complain(command, "%s: no such option, see --help", argument);
        return false;
    }
    value = argument[len] == '=' ? argument + len + 1 : argv[++*at];
    if (value == NULL || *value == '\0') {
        ctl_complain(command, "--%s: needs a value", option->name);
        return false;
    }
    ++*at;
    *option->value = value;
    return true;
}

bool
ctl_read_options(const struct ctl_command *command,
                 const struct ctl_option *options, int argc, char **argv,
                 enum ctl_exit *exit_out)
{
    *exit_out = CTL_USAGE;
    for (int at = 0; at < argc;) {
        if (strcmp(argv[at], "--help") == 0) {
            print_help(command, options);
            *exit_out = CTL_OK;
            return false;
        }
        if (!read_option(command, options, argv, &at))
            return false;
    }
    for (; options->name != NULL; options++) {
        if (*options->value == NULL && options->environment != NULL)
            *options->value = getenv(options->environment);
        if (*options->value == NULL && options->is_required) {
            ctl_complain(command, "--%s: is required", options->name);
            return false;
        }
    }
    return true;
}
