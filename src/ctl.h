// SPDX-License-Identifier: MIT
/* The orderconf command: what its commands have in common. */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>

enum ctl_exit { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 };

struct ctl_command {
    const char *name;
    const char *summary; /* one line, for the list of commands */
    enum ctl_exit (*run)(const struct ctl_command *command, int argc,
                         char **argv);
};

extern const struct ctl_command ctl_keygen, ctl_token;

/* One option of a command, --name ARGUMENT. */
struct ctl_option {
    const char *name;
    const char *argument;
    const char *help;
    const char **value;      /* set if the option is given */
    const char *environment; /* variable that sets it, too; or NULL */
    bool is_required;
};

/*
 * Reads the arguments of a command; options ends with a name of NULL. False if
 * the command is not to run: --help was printed, and *exit_out is CTL_OK; or
 * an argument is wrong and was named on stderr, and *exit_out is CTL_USAGE.
 */
bool ctl_read_options(const struct ctl_command *command,
                      const struct ctl_option *options, int argc, char **argv,
                      enum ctl_exit *exit_out);

/* Prints "orderconf COMMAND: …" to stderr. */
void ctl_complain(const struct ctl_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
