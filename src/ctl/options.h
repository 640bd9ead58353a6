// SPDX-License-Identifier: MIT
/* What a command is told: on the command line, in the environment, and in the
 * settings file, which all commands have an option for. */
#ifndef CTL_OPTIONS_H
#define CTL_OPTIONS_H

#include "conf/settings.h"
#include "ctl/command.h"

/* The values of a command's options. */
struct ctl_options {
    const char *values[CTL_OPTIONS_MAX]; /* by their order; NULL if it is not
                                            set, "" is a flag that is */
    struct args_file file;               /* owned: values point into it */
};

/* Reads argv, which NULL ends, and what else there is. operands has room for
 * the command's operands_max, and is ended by NULL if it was zeroed. Says so if
 * anything is wrong. In any case, options are the caller's to clear. */
enum ctl_exit ctl_options_read(const struct ctl_command *command, char **argv,
                               const char **operands,
                               struct ctl_options *options);
void ctl_options_clear(struct ctl_options *options);

/* As a part of the command's --help. */
void ctl_options_print(const struct ctl_command *command);

#endif
