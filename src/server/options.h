// SPDX-License-Identifier: MIT
/*
 * Settings, from the command line and the environment. A row per setting in
 * server/options.c; --map-size and ORDERCONF_MAP_SIZE are the same one, and the
 * command line wins.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *db;
    const char *listen; /* NULL: see server/main.c */
    const char *issuer;
    const char *jwks;
    const char *audience;
    const char *tenant_claim;
    const char *read_scope;
    const char *write_scope;
    const char *secret_scope;
    const char *secret_keys;
    int64_t workers;
    int64_t map_size; /* bytes */
    int64_t history;  /* versions kept of each key */
    bool syslog;      /* where the log goes, rather than to stderr */
};

enum options_result { OPTIONS_RUN, OPTIONS_EXIT_OK, OPTIONS_EXIT_USAGE };

/*
 * Reads the environment, then argv. --help and --version are printed to
 * stdout (OPTIONS_EXIT_OK); an unknown or out-of-range setting is named on
 * stderr (OPTIONS_EXIT_USAGE). Strings point into argv and the environment.
 */
enum options_result options_read(struct options *options, int argc,
                                 char **argv);

/* Puts every setting into the environment, for a program that reads the same
 * ones; a setting that has no value is taken out. False on no memory. */
bool options_export(const struct options *options);

#endif
