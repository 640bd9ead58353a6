// SPDX-License-Identifier: MIT
/* The store as the commands use it, beside running workers: which one it is,
 * who writes, and what is said when something fails. */
#ifndef CTL_STORE_H
#define CTL_STORE_H

#include "auth/principal.h"
#include "base/err.h"
#include "conf/settings.h"
#include "ctl/command.h"
#include "http/http.h"
#include "store/store.h"

#include <stdbool.h>

/*
 * Rows of a command's table of options. Those of the store come first, so that
 * a command's own begin at CTL_STORE_OPTIONS:
 *
 *   enum { JSON = CTL_STORE_OPTIONS, OPTIONS };
 *   static const struct ctl_option options[OPTIONS] = {
 *       CTL_STORE_ROWS,
 *       [JSON] = CTL_JSON_ROW,
 *   };
 *
 * Their names and rules are the service's.
 */
enum { CTL_DB, CTL_MAP_SIZE, CTL_HISTORY, CTL_SYSLOG, CTL_STORE_OPTIONS };

/* clang-format off */
#define CTL_STORE_ROWS                                                         \
    [CTL_DB] = {.name = "db", .argument = "DIR", .env = "ORDERCONF_DB",        \
                .help = "directory of the store",                              \
                .initial = SETTINGS_DB},                                       \
    [CTL_MAP_SIZE] = {.name = "map-size", .argument = "SIZE",                  \
                      .env = "ORDERCONF_MAP_SIZE",                             \
                      .help = "maximum size of the store, in bytes, or with "  \
                              "K,\nM, G or T; if not set, it is not changed"}, \
    [CTL_HISTORY] = {.name = "history", .argument = "N",                       \
                     .env = "ORDERCONF_HISTORY",                               \
                     .help = "versions kept of each key; if not set, none is\n"\
                             "removed"},                  \
    [CTL_SYSLOG] = {.name = "syslog", .env = "ORDERCONF_SYSLOG",               \
                    .help = "log to syslog, rather than to stderr"}

#define CTL_JSON_ROW {.name = "json", .help = "print JSON, see orderconf(1)"}

#define CTL_SUBJECT_ROW                                                        \
    {.name = "subject", .argument = "NAME",                                    \
     .help = "author in the history (default: cli: and your login\n"           \
             "name)"}
/* clang-format on */

enum ctl_store_mode {
    CTL_STORE_IS_THERE,
    CTL_STORE_MAY_BE_MADE, /* its directory, too; not the parents of it */
};

/* False if ctl_store_open would have to make it. */
bool ctl_store_is_there(const char *const *values);

/* Says so if one of the options is not what it must be. */
enum ctl_exit ctl_store_check_options(const char *const *values);

/*
 * Opens the store of the options, and says so if it cannot. As root, this is
 * done with the rights of the directory's owner, so that no file appears that
 * the service could not open; reopening and writing work in any case.
 */
enum ctl_exit ctl_store_open(const char *const *values,
                             enum ctl_store_mode mode,
                             struct store **store_out);

/* Checks the store of the options, without opening it. Says so if it is not
 * sound; as root, with the rights of the directory's owner. */
enum ctl_exit ctl_store_check(const char *const *values,
                              struct store_checked *checked_out);

/* True if what is stored is logged: in syslog if that is set, else on stderr,
 * but not to a terminal, where the command says the same. */
bool ctl_store_is_logged(const char *const *values);

/* Says that the store failed; what exactly, the log has told. */
enum ctl_exit ctl_fail_store(enum err err);

/* Who writes, and the id of this run, for the history and the log. */
struct ctl_author {
    char subject[AUTH_SUBJECT_MAX + 1];
    char request_id[HTTP_REQUEST_ID_MAX + 1];
};

/* subject: the value of that option. Says so if it is not a name to keep. */
enum ctl_exit ctl_author_init(const char *subject,
                              struct ctl_author *author_out);

#endif
