// SPDX-License-Identifier: MIT
/*
 * The settings as the service reads them: from the command line, the
 * environment and the settings file, in this order of precedence.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "auth/auth.h"
#include "conf/settings.h"

enum options_result {
    OPTIONS_RUN,
    OPTIONS_RELOAD, /* the service that runs is to reload */
    OPTIONS_EXIT_OK,
    OPTIONS_EXIT_USAGE
};

/*
 * Reads arguments, which NULL ends, the environment and the file. --help and
 * --version are printed to stdout (OPTIONS_EXIT_OK); --reload reads nothing; an
 * unknown or out-of-range setting is named on stderr (OPTIONS_EXIT_USAGE).
 * Strings point into arguments and the environment, too. After OPTIONS_RUN, the
 * settings are the caller's to clear.
 */
enum options_result options_read(struct settings *settings, char **arguments);

/* Frees what they own. */
void options_clear(struct settings *settings);

/* What is wrong with the settings as a whole, or NULL. */
const char *options_check(const struct settings *settings);

/*
 * Reads them again: the file may have changed. What only a start can apply
 * stays as it was at the first one, and is borrowed from it; unapplied_out
 * names what would have changed ("db, workers"), or is "". False: why says what
 * is wrong, and there is nothing to clear.
 */
bool options_reload(const struct settings *first, char **arguments,
                    struct settings *settings_out,
                    char unapplied_out[ARGS_WHY_SIZE], char why[ARGS_WHY_SIZE]);

/* Puts every setting into the environment, for a program that reads the same
 * ones: with no file beside them. A setting that has no value is taken out.
 * False on no memory. */
bool options_export(const struct settings *settings);

/* Those of them that auth knows. */
struct auth_options options_of_auth(const struct settings *settings);

#endif
