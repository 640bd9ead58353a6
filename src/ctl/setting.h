// SPDX-License-Identifier: MIT
/* What the commands about a tenant's settings have in common. */
#ifndef CTL_SETTING_H
#define CTL_SETTING_H

#include "ctl/command.h"
#include "ctl/secrets.h"
#include "ctl/store.h"
#include "model/config_keys.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Rows of a table of options. */
#define CTL_TENANT_ROW                                                         \
    {                                                                          \
        .name = "tenant", .argument = "NAME", .help = "whose settings",        \
        .need = CTL_REQUIRED                                                   \
    }

#define CTL_ONLY_TENANT_ROW                                                    \
    {                                                                          \
        .name = "tenant", .argument = "NAME",                                  \
        .help = "only this one's settings (default: everybody's)"              \
    }

/*
 * Rows of a table of options: those of the commands that show settings. A
 * command's own begin at CTL_VIEW_OPTIONS.
 */
enum {
    CTL_VIEW_TENANT = CTL_STORE_OPTIONS,
    CTL_VIEW_SECRET_KEYS,
    CTL_VIEW_REVEAL,
    CTL_VIEW_JSON,
    CTL_VIEW_OPTIONS
};

/* clang-format off */
#define CTL_VIEW_ROWS                                                          \
    CTL_STORE_ROWS,                                                            \
    [CTL_VIEW_TENANT] = CTL_TENANT_ROW,                                        \
    [CTL_VIEW_SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),                \
    [CTL_VIEW_REVEAL] = CTL_REVEAL_ROW,                                        \
    [CTL_VIEW_JSON] = CTL_JSON_ROW
/* clang-format on */

#define CTL_SCHEMES_ROW                                                        \
    {                                                                          \
        .name = "webhook-schemes", .argument = "LIST",                         \
        .env = "ORDERCONF_WEBHOOK_SCHEMES",                                    \
        .help = "the only URI schemes that a webhook's url may have,\n"        \
                "such as https, or https,http; if not set, any"                \
    }
#define CTL_VALIDATE_ROW                                                       \
    {                                                                          \
        .name = "validate-only", .help = "check, and store nothing"            \
    }

/* The options of the commands that change a setting; the first
 * CTL_UNSET_OPTIONS are those of one that has no value. */
enum {
    CTL_CHANGE_TENANT = CTL_STORE_OPTIONS,
    CTL_CHANGE_BASE,
    CTL_CHANGE_SUBJECT,
    CTL_CHANGE_VALIDATE,
    CTL_CHANGE_JSON,
    CTL_UNSET_OPTIONS,
    CTL_CHANGE_STRICT = CTL_UNSET_OPTIONS,
    CTL_CHANGE_SECRET_KEYS,
    CTL_CHANGE_SCHEMES,
    CTL_CHANGE_OPTIONS
};
extern const struct ctl_option ctl_change_options[CTL_CHANGE_OPTIONS];

/* A config key of a tenant. */
struct ctl_setting {
    const char *tenant;
    const struct config_key *key;
};

/* How a setting is to be changed. */
struct ctl_change {
    struct ctl_author author;
    uint64_t base;            /* the version to replace, or STORE_ANY_VERSION */
    bool is_validate_only;    /* store nothing, and say what would be */
    bool is_json;             /* how to say it */
    bool keeps_secret;        /* the mask stands for the secret that is there */
    struct key_ring *secrets; /* to encrypt it with, or NULL; borrowed */
    bool is_logged;
};

/* What opens and seals its secret; secrets may be NULL. */
struct seal ctl_seal_of(const struct ctl_setting *setting,
                        const struct key_ring *secrets);

/* Stores the value, as config_key_check made it, or with NULL unsets the key;
 * prints or says what became of it. */
enum ctl_exit ctl_change_setting(struct store *store,
                                 const struct ctl_setting *setting,
                                 json_t *value, const struct ctl_change *to);

/* Says each message, with as many lines. */
enum ctl_exit ctl_fail_messages(enum err err, const json_t *messages);

/* Prints the setting as JSON, see setting_add. */
enum ctl_exit ctl_print_setting(const struct ctl_setting *setting,
                                const struct record *record, const char *etag);

#endif
