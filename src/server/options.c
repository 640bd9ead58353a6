// SPDX-License-Identifier: MIT
#include "server/options.h"

#include "base/args.h"
#include "base/log.h"
#include "base/util.h"
#include "config.h"
#include "store/store.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OPTION(name_) offsetof(struct options, name_)

static const struct args_row rows[] = {
    {"db", "DIR", "directory of the store", ARGS_TEXT, OPTION(db), 0, 0,
     "/var/lib/orderconf"},
    {"listen", "ADDRESS",
     "supervise workers on unix:PATH or HOST:PORT;\n"
     "without it, serve the listening socket on fd 0,\n"
     "or one CGI request",
     ARGS_TEXT, OPTION(listen), 0, 0, NULL},
    {"workers", "N", "worker processes (default: the cores)", ARGS_COUNT,
     OPTION(workers), 1, 1024, "0"},
    {"issuer", "TEMPLATE", "iss of tokens, with {tenant} in it; required",
     ARGS_TEXT, OPTION(issuer), 0, 0, NULL},
    {"tenant-claim", "NAME",
     "claim that names the tenant, if all share an issuer", ARGS_TEXT,
     OPTION(tenant_claim), 0, 0, NULL},
    {"jwks", "TEMPLATE", "path of a tenant's key set", ARGS_TEXT, OPTION(jwks),
     0, 0, "/etc/orderconf/keys/{tenant}.json"},
    {"audience", "NAME", "required in aud of tokens", ARGS_TEXT,
     OPTION(audience), 0, 0, NULL},
    {"read-scope", "NAME", "required in scope of tokens to read", ARGS_TEXT,
     OPTION(read_scope), 0, 0, NULL},
    {"write-scope", "NAME", "required in scope of tokens to write", ARGS_TEXT,
     OPTION(write_scope), 0, 0, NULL},
    {"secret-scope", "NAME",
     "required in scope of tokens to see secrets; those\n"
     "without it read ******** in their place",
     ARGS_TEXT, OPTION(secret_scope), 0, 0, NULL},
    {"secret-keys", "FILE",
     "key set that secrets in the store are encrypted\n"
     "with",
     ARGS_TEXT, OPTION(secret_keys), 0, 0, NULL},
    {"map-size", "SIZE",
     "most that the store may hold; bytes, or with K, M,\n"
     "G or T",
     ARGS_SIZE, OPTION(map_size), STORE_MAP_SIZE_MIN, STORE_MAP_SIZE_MAX,
     STORE_MAP_SIZE_USUAL},
    {"history", "N", "versions kept of each key", ARGS_COUNT, OPTION(history),
     1, STORE_HISTORY_MAX, "100"},
    {"syslog", "", "log to syslog, facility daemon, not to stderr", ARGS_FLAG,
     OPTION(syslog), 0, 0, NULL},
};

/* "ORDERCONF_MAP_SIZE" for "map-size". */
static void
environment_name(const struct args_row *row, char name_out[64])
{
    char *at = name_out + snprintf(name_out, 64, "ORDERCONF_%s", row->name);

    while (--at >= name_out)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

/* args_set, and a line on stderr if it does not. source is what the operator
 * wrote: "--map-size" or "ORDERCONF_MAP_SIZE". */
static bool
set_from(struct options *options, const struct args_row *row,
         const char *source, const char *text)
{
    char why[ARGS_WHY_SIZE];

    if (args_set(options, row, text, why))
        return true;
    log_complain("%s: %s", source, why);
    return false;
}

/* Every setting as it is when nobody sets it. */
static void
initialize(struct options *options)
{
    char why[ARGS_WHY_SIZE]; /* never written: they are good */

    memset(options, 0, sizeof(*options));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].initial != NULL && strcmp(rows[i].initial, "0") != 0)
            (void)args_set(options, &rows[i], rows[i].initial, why);
    options->workers = sysconf(_SC_NPROCESSORS_ONLN);
    if (options->workers < 1)
        options->workers = 1;
}

/* Settings of the admin program alone, which may share the environment. */
static const char *const admin_settings[] = {
    "ORDERCONF_JWKS_CA=",
    "ORDERCONF_JWKS_URL=",
    "ORDERCONF_KEY=",
};

static bool
is_admin_setting(const char *variable)
{
    for (size_t i = 0; i < ARRAY_SIZE(admin_settings); i++) {
        if (strncmp(variable, admin_settings[i], strlen(admin_settings[i])) ==
            0)
            return true;
    }
    return false;
}

/* What a web server tells of a request stands in a CGI program's environment,
 * beside the settings. */
static bool
is_of_request(const char *variable)
{
    static const char admitted[] = "ORDERCONF_OPERATOR=";

    return strncmp(variable, admitted, strlen(admitted)) == 0 &&
           getenv("GATEWAY_INTERFACE") != NULL;
}

/*
 * Every ORDERCONF_ variable is a setting or an error: a misspelt one would
 * otherwise be a setting that is silently not in force.
 */
static bool
read_environment(struct options *options)
{
    extern char **environ;

    for (char **variable = environ; *variable != NULL; variable++) {
        const struct args_row *row = NULL;
        size_t name_len = strcspn(*variable, "=");
        char name[64];

        if (strncmp(*variable, "ORDERCONF_", strlen("ORDERCONF_")) != 0 ||
            is_admin_setting(*variable) || is_of_request(*variable))
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(rows) && row == NULL; i++) {
            environment_name(&rows[i], name);
            if (strlen(name) == name_len &&
                strncmp(name, *variable, name_len) == 0)
                row = &rows[i];
        }
        if (row == NULL) {
            log_complain("%.*s: no such setting", (int)name_len, *variable);
            return false;
        }
        if (!set_from(options, row, name, *variable + name_len + 1))
            return false;
    }
    return true;
}

/* The first where the cursor is, the others below it. */
static void
print_lines(const char *help)
{
    const char *end;

    for (; (end = strchr(help, '\n')) != NULL; help = end + 1)
        printf("%.*s\n%29s", (int)(end - help), help, "");
    printf("%s\n", help);
}

static void
print_help(void)
{
    printf("usage: orderconf.fcgi [OPTION]...\n"
           "Serves sales-order configuration over FastCGI or CGI.\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        printf("  --%s %-*s", rows[i].name, (int)(24 - strlen(rows[i].name)),
               rows[i].argument);
        print_lines(rows[i].help);
        if (rows[i].initial != NULL && strcmp(rows[i].initial, "0") != 0)
            printf("%29s(default: %s)\n", "", rows[i].initial);
    }
    printf("  --help                     print this\n"
           "  --version                  print the version\n\n"
           "The environment sets the same: ORDERCONF_MAP_SIZE is --map-size.\n"
           "The command line wins.\n");
}

static const struct args_row *
find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strlen(rows[i].name) == len &&
            strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* Reads --name VALUE or --name=VALUE at argv[*at], and moves *at past it. A
 * flag is --name, and takes no value from behind it. */
static bool
read_argument(struct options *options, char **argv, int *at)
{
    const char *argument = argv[*at];
    size_t len = strcspn(argument, "=");
    const struct args_row *row = NULL;
    char name[64];
    const char *value;

    if (strncmp(argument, "--", 2) == 0)
        row = find_row(argument + 2, len - 2);
    if (row == NULL) {
        log_complain("%s: no such option, see --help", argument);
        return false;
    }
    if (argument[len] == '=')
        value = argument + len + 1;
    else
        value = row->kind == ARGS_FLAG ? "yes" : argv[++*at];
    if (value == NULL) {
        log_complain("%s: needs a value", argument);
        return false;
    }
    ++*at;
    snprintf(name, sizeof(name), "--%s", row->name);
    return set_from(options, row, name, value);
}

enum options_result
options_read(struct options *options, int argc, char **argv)
{
    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--help") == 0) {
            print_help();
            return OPTIONS_EXIT_OK;
        }
        if (strcmp(argv[at], "--version") == 0) {
            printf("orderconf.fcgi %s\n", PACKAGE_VERSION);
            return OPTIONS_EXIT_OK;
        }
    }
    initialize(options);
    if (!read_environment(options))
        return OPTIONS_EXIT_USAGE;
    for (int at = 1; at < argc;)
        if (!read_argument(options, argv, &at))
            return OPTIONS_EXIT_USAGE;
    return OPTIONS_RUN;
}

bool
options_export(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *from = (const char *)options + rows[i].offset;
        char name[64], digits[24];
        const char *text = digits;
        int64_t number;

        environment_name(&rows[i], name);
        if (rows[i].kind == ARGS_TEXT) {
            memcpy(&text, from, sizeof(text));
        } else if (rows[i].kind == ARGS_FLAG) {
            text = *(const bool *)from ? "yes" : NULL;
        } else {
            memcpy(&number, from, sizeof(number));
            snprintf(digits, sizeof(digits), "%lld", (long long)number);
        }
        if ((text != NULL ? setenv(name, text, 1) : unsetenv(name)) != 0)
            return false;
    }
    return true;
}
