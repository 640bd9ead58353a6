// SPDX-License-Identifier: MIT
#include "conf/settings.h"

#include "store/store.h"

#include <string.h>

#define TO(name_) offsetof(struct settings, name_)

/* clang-format off */
const struct args_row settings_rows[SETTINGS_COUNT] = {
    {"config", SETTINGS_FILE_VARIABLE, "FILE",
     "settings file, with lines like ORDERCONF_DB=DIR;\n"
     "if FILE is empty, no file is read",
     ARGS_TEXT_OR_EMPTY, TO(config), 0, 0, SETTINGS_FILE},
    {"db", "ORDERCONF_DB", "DIR", "directory of the store",
     ARGS_TEXT, TO(db), 0, 0, SETTINGS_DB},
    {"listen", "ORDERCONF_LISTEN", "ADDRESS",
     "supervise workers on unix:PATH or HOST:PORT;\n"
     "without it, serve the listening socket on fd 0,\n"
     "or one CGI request",
     ARGS_TEXT, TO(listen), 0, 0, NULL},
    {"workers", "ORDERCONF_WORKERS", "N",
     "worker processes (default: the cores)",
     ARGS_COUNT, TO(workers), 1, 1024, NULL},
    {"issuer", "ORDERCONF_ISSUER", "TEMPLATE",
     "iss of tokens, with {tenant} in it; required",
     ARGS_TEXT, TO(issuer), 0, 0, NULL},
    {"tenant-claim", "ORDERCONF_TENANT_CLAIM", "NAME",
     "claim that names the tenant, if all tenants share\n"
     "an issuer",
     ARGS_TEXT, TO(tenant_claim), 0, 0, NULL},
    {"jwks", "ORDERCONF_JWKS", "TEMPLATE", "path of a tenant's key set",
     ARGS_TEXT, TO(jwks), 0, 0, SETTINGS_JWKS},
    {"audience", "ORDERCONF_AUDIENCE", "NAME", "required in aud of tokens",
     ARGS_TEXT, TO(audience), 0, 0, NULL},
    {"read-scope", "ORDERCONF_READ_SCOPE", "NAME",
     "required in scope of tokens to read",
     ARGS_TEXT, TO(read_scope), 0, 0, NULL},
    {"write-scope", "ORDERCONF_WRITE_SCOPE", "NAME",
     "required in scope of tokens to write",
     ARGS_TEXT, TO(write_scope), 0, 0, NULL},
    {"secret-scope", "ORDERCONF_SECRET_SCOPE", "NAME",
     "required in scope of tokens to see secrets; those\n"
     "without it read ******** in their place",
     ARGS_TEXT, TO(secret_scope), 0, 0, NULL},
    {"clock-skew", "ORDERCONF_CLOCK_SKEW", "SECONDS",
     "how much the clock of the issuer of tokens may\n"
     "differ (default: 60 for nbf and iat, 0 for exp)",
     ARGS_COUNT, TO(clock_skew), 0, 3600, NULL},
    {"secret-keys", "ORDERCONF_SECRET_KEYS", "FILE",
     "key set that encrypts secrets in the store",
     ARGS_TEXT, TO(secret_keys), 0, 0, NULL},
    {"webhook-schemes", "ORDERCONF_WEBHOOK_SCHEMES", "LIST",
     "the only URI schemes that a new webhook's url may\n"
     "have, such as https, or https,http (default: any)",
     ARGS_TEXT, TO(webhook_schemes), 0, 0, NULL},
    {"map-size", "ORDERCONF_MAP_SIZE", "SIZE",
     "maximum size of the store, in bytes, or with K, M,\n"
     "G or T",
     ARGS_SIZE, TO(map_size), STORE_MAP_SIZE_MIN, STORE_MAP_SIZE_MAX,
     STORE_MAP_SIZE_USUAL},
    {"history", "ORDERCONF_HISTORY", "N", "versions kept of each key",
     ARGS_COUNT, TO(history), 1, STORE_HISTORY_MAX, "100"},
    {"syslog", "ORDERCONF_SYSLOG", NULL,
     "log to syslog, facility daemon, not to stderr",
     ARGS_FLAG, TO(syslog), 0, 0, NULL},
    {.variable = "ORDERCONF_JWKS_CA", .kind = ARGS_FOREIGN},
    {.variable = "ORDERCONF_JWKS_URL", .kind = ARGS_FOREIGN},
    {.variable = "ORDERCONF_KEY", .kind = ARGS_FOREIGN},
};
/* clang-format on */

const struct args_row *
settings_find(const char *variable)
{
    return args_find_variable(settings_rows, SETTINGS_COUNT, variable,
                              strlen(variable));
}
