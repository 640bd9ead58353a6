// SPDX-License-Identifier: MIT
/*
 * The settings of both programs: what they are called, what they may be, and
 * what they are if nobody sets them. A row of a table each.
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "base/args.h"

/* The file that both read, unless they are told another one by this. */
#define SETTINGS_FILE "/etc/orderconf/orderconf.conf"
#define SETTINGS_FILE_VARIABLE ARGS_PREFIX "CONFIG"

#define SETTINGS_DB "/var/lib/orderconf"
#define SETTINGS_JWKS "/etc/orderconf/keys/{tenant}.json"

/* Those of the service. */
struct settings {
    const char *config; /* the settings file; "": none */
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
    const char *webhook_schemes; /* see model/config_keys.h; NULL: any */
    int64_t workers;
    int64_t clock_skew; /* seconds; see auth/auth.h; -1: not set */
    int64_t map_size;   /* bytes */
    int64_t history;    /* versions kept of each key */
    bool syslog;        /* where the log goes, rather than to stderr */

    struct args_file file; /* owned; texts point into it */
};

/* Those of the service go into a struct settings. Those of the admin program
 * alone are ARGS_FOREIGN; they may share the environment and the file. */
enum { SETTINGS_COUNT = 20 };
extern const struct args_row settings_rows[SETTINGS_COUNT];

/* The row of ORDERCONF_…; NULL if there is none. */
const struct args_row *settings_find(const char *variable);

#endif
