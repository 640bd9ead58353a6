// SPDX-License-Identifier: MIT
/* orderconf: finds the command, and reads its options and operands. */
#include "base/log.h"
#include "base/must_alloc.h"
#include "base/util.h"
#include "config.h"
#include "ctl/command.h"
#include "ctl/outfile.h"
#include "ctl/session.h"
#include "model/config_keys.h"

#include <errno.h>
#include <stdio.h>

/* clang-format off */
static const struct ctl_command *const commands[] = {
    &ctl_backup,
    &ctl_check,
    &ctl_diff,
    &ctl_export,
    &ctl_get,
    &ctl_history,
    &ctl_import,
    &ctl_keygen,
    &ctl_keys_fetch,
    &ctl_list,
    &ctl_rekey,
    &ctl_restore,
    &ctl_set,
    &ctl_stat,
    &ctl_tenants,
    &ctl_token,
    &ctl_unset,
};
/* clang-format on */

/* The one that runs, for its errors. */
static const struct ctl_command *current;

/* The status of a command that went wrong in ways that all have. */
static enum ctl_exit
status_failed(void)
{
    return current != NULL && current->failed != 0 ? current->failed
                                                   : CTL_FAILED;
}

static void
print_help(void)
{
    printf("usage: orderconf COMMAND [OPTION]...\n"
           "Administers a sales-order configuration service.\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n  --help     print this; behind a COMMAND, its options\n"
           "  --version  print the version\n\n"
           "The exit status is 0, 1 if it failed, 2 if it was not understood, "
           "or 3 if\na setting was at another version.\n");
}

static void
print_option(const struct ctl_option *option)
{
    const char *argument = option->argument != NULL ? option->argument : "";

    printf("  --%s %-*s", option->name, (int)(22 - strlen(option->name)),
           argument);
    for (const char *line = option->help;; line += strcspn(line, "\n") + 1) {
        printf("%.*s\n", (int)strcspn(line, "\n"), line);
        if (line[strcspn(line, "\n")] == '\0')
            break;
        printf("%27s", "");
    }
    if (option->env != NULL)
        printf("%27s(default: $%s%s%s%s)\n", "", option->env,
               option->initial != NULL ? ", or " : "",
               option->initial != NULL ? option->initial : "",
               option->need == CTL_REQUIRED ? "; required" : "");
    else if (option->need == CTL_REQUIRED)
        printf("%27s(required)\n", "");
    else if (option->initial != NULL && *option->initial != '\0')
        printf("%27s(default: %s)\n", "", option->initial);
}

static void
print_keys(void)
{
    printf("\nKEY is one of\n");
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        printf("  %s\n", config_keys[i].name);
}

static void
print_command_help(const struct ctl_command *command)
{
    printf("usage: orderconf %s [OPTION]...%s%s\n%s.\n\n", command->name,
           *command->operands != '\0' ? " " : "", command->operands,
           command->summary);
    for (size_t i = 0; i < command->option_count; i++)
        print_option(&command->options[i]);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    if (strncmp(command->operands, "KEY", strlen("KEY")) == 0)
        print_keys();
}

static const struct ctl_option *
find_option(const char *name, size_t len)
{
    for (size_t i = 0; i < current->option_count; i++) {
        const struct ctl_option *option = &current->options[i];

        if (strlen(option->name) == len && !strncmp(option->name, name, len))
            return option;
    }
    return NULL;
}

/* Reads the option at argv[*at], and moves *at past it. */
static enum ctl_exit
read_option(char **argv, int *at, const char **values)
{
    const char *argument = argv[*at];
    const char *name = argument + 2;
    size_t len = strcspn(name, "=");
    const struct ctl_option *option = NULL;
    const char *value = "";

    if (strncmp(argument, "--", 2) == 0)
        option = find_option(name, len);
    if (option == NULL)
        return ctl_fail_usage("%.*s: no such option, see --help",
                              (int)strcspn(argument, "="), argument);
    if (name[len] == '=')
        value = name + len + 1;
    else if (option->argument != NULL)
        value = argv[++*at];
    if (option->argument == NULL && name[len] == '=')
        return ctl_fail_usage("--%s: takes no value", option->name);
    if (value == NULL)
        return ctl_fail_usage("--%s: needs a value", option->name);
    ++*at;
    values[option - current->options] = value;
    return CTL_OK;
}

static enum ctl_exit
read_arguments(char **argv, const char **values, const char **operands)
{
    bool has_options = true;
    size_t count = 0;

    for (int at = 0; argv[at] != NULL;) {
        if (has_options && strcmp(argv[at], "--") == 0) {
            has_options = false;
            at++;
        } else if (has_options && argv[at][0] == '-' && argv[at][1] != '\0') {
            if (read_option(argv, &at, values) != CTL_OK)
                return CTL_USAGE;
        } else if (count < current->operands_max) {
            operands[count++] = argv[at++];
        } else {
            return ctl_fail_usage("%s: not expected here, see --help",
                                  argv[at]);
        }
    }
    return CTL_OK;
}

/* What the command line left open; it wins over the environment. */
static enum ctl_exit
fill_values(const char **values)
{
    for (size_t i = 0; i < current->option_count; i++) {
        const struct ctl_option *option = &current->options[i];

        if (values[i] == NULL && option->env != NULL)
            values[i] = getenv(option->env);
        if (values[i] == NULL)
            values[i] = option->initial;
        if (values[i] != NULL && *values[i] == '\0' &&
            option->argument != NULL && !option->may_be_empty)
            return ctl_fail_usage("--%s: must not be empty", option->name);
        if (values[i] != NULL || option->need == CTL_OPTIONAL)
            continue;
        if (option->env != NULL)
            return ctl_fail_usage("--%s: is required, or %s in the "
                                  "environment",
                                  option->name, option->env);
        return ctl_fail_usage("--%s: is required", option->name);
    }
    return CTL_OK;
}

static enum ctl_exit
run(const struct ctl_command *command, char **argv)
{
    const char *values[CTL_OPTIONS_MAX] = {NULL};
    const char **operands;
    enum ctl_exit status;

    current = command;
    ctl_speak_as(command->name);
    for (char **argument = argv; *argument != NULL; argument++) {
        if (strcmp(*argument, "--help") == 0) {
            print_command_help(command);
            return CTL_OK;
        }
    }
    operands = calloc(command->operands_max + 1, sizeof(*operands));
    if (operands == NULL) {
        (void)ctl_fail("out of memory");
        return status_failed();
    }
    status = read_arguments(argv, values, operands);
    if (status == CTL_OK)
        status = fill_values(values);
    if (status == CTL_OK)
        status = ctl_session_run(command, values, operands);
    free(operands);
    return status;
}

/* How many arguments the command's name is, which may be of several words; 0:
 * it is another one's. */
static int
match_name(const struct ctl_command *command, char **argv)
{
    const char *name = command->name;
    int words = 0;

    for (; argv[words] != NULL; words++) {
        size_t len = strcspn(name, " ");

        if (strlen(argv[words]) != len || strncmp(argv[words], name, len) != 0)
            return 0;
        if (name[len] == '\0')
            return words + 1;
        name += len + 1;
    }
    return 0;
}

static enum ctl_exit
dispatch(char **argv)
{
    if (argv[0] == NULL)
        return ctl_fail_usage("which command? see --help");
    if (strcmp(argv[0], "--help") == 0) {
        print_help();
        return CTL_OK;
    }
    if (strcmp(argv[0], "--version") == 0) {
        printf("orderconf %s\n", PACKAGE_VERSION);
        return CTL_OK;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        int words = match_name(commands[i], argv);

        if (words > 0)
            return run(commands[i], argv + words);
    }
    return ctl_fail_usage("%s: no such command, see --help", argv[0]);
}

/* A library was refused memory. What was printed so far is of no use, and
 * memory would be needed to say more. */
static void
end_without_memory(size_t bytes)
{
    char line[128];
    int len = snprintf(line, sizeof(line),
                       "orderconf%s%s: out of memory: %zu "
                       "bytes were refused\n",
                       current != NULL ? " " : "",
                       current != NULL ? current->name : "", bytes);

    (void)!write(STDERR_FILENO, line, (size_t)len);
    outfile_abandon();
    _exit((int)status_failed());
}

int
main(int argc, char **argv)
{
    enum ctl_exit status;

    if (!must_alloc_set(end_without_memory))
        return ctl_fail("OpenSSL was used before main: is a library "
                        "preloaded?");
    status = dispatch(argv + (argc > 0));

    /* What could not be printed was not done. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == CTL_OK)
        status = ctl_fail("could not write: %s", strerror(errno));
    (void)ctl_wait_for_reader();
    log_close();
    return (int)status;
}
