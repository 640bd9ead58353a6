// SPDX-License-Identifier: MIT
/* orderconf: finds the command, and reads its options and operands. */
#include "base/log.h"
#include "base/must_alloc.h"
#include "base/util.h"
#include "config.h"
#include "ctl/command.h"
#include "ctl/options.h"
#include "ctl/outfile.h"
#include "ctl/session.h"
#include "model/config_keys.h"

#include <errno.h>
#include <signal.h>
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
    &ctl_token_check,
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
    printf("\n  --help     print this; after a COMMAND, print its options\n"
           "  --version  print the version\n\n"
           "The exit status is 0, 1 if the command failed, 2 if the command "
           "line, a variable\nor the settings file is wrong, or 3 if another "
           "write came first.\n");
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
    ctl_options_print(command);
    if (command->details != NULL)
        printf("\n%s\n", command->details);
    if (strncmp(command->operands, "KEY", strlen("KEY")) == 0)
        print_keys();
}

static enum ctl_exit
run(const struct ctl_command *command, char **argv)
{
    struct ctl_options options;
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
    status = ctl_options_read(command, argv, operands, &options);
    if (status == CTL_OK)
        status = ctl_session_run(command, options.values, operands);
    ctl_options_clear(&options);
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

/* The command whose name has the most words of the arguments, and how many;
 * NULL if there is none. */
static const struct ctl_command *
find_command(char **argv, int *words_out)
{
    const struct ctl_command *found = NULL;

    *words_out = 0;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        int words = match_name(commands[i], argv);

        if (words > *words_out) {
            found = commands[i];
            *words_out = words;
        }
    }
    return found;
}

static enum ctl_exit
dispatch(char **argv)
{
    const struct ctl_command *command;
    int words;

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
    command = find_command(argv, &words);
    if (command != NULL)
        return run(command, argv + words);
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
    /* A file that may not grow is an error of the write: what is half written
     * is removed. */
    signal(SIGXFSZ, SIG_IGN);
    status = dispatch(argv + (argc > 0));

    /* What could not be printed was not done. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == CTL_OK)
        status = ctl_fail("could not write: %s", strerror(errno));
    (void)ctl_wait_for_reader();
    log_close();
    return (int)status;
}
