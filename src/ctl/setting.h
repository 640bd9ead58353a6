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
#define CTL_BASE_ROW                                                           \
    {                                                                          \
        .name = "version", .argument = "N",                                    \
        .help = "only if it is at this version; 0: never set"                  \
    }
#define CTL_STRICT_ROW                                                         \
    {                                                                          \
        .name = "strict", .help = "refuse members that the key does not name"  \
    }
#define CTL_VALIDATE_ROW                                                       \
    {                                                                          \
        .name = "validate-only", .help = "check, and store nothing"            \
    }

/* A config key of a tenant. */
struct ctl_setting {
    const char *tenant;
    const struct config_key *key;
};

/* How a setting is to be changed. */
struct ctl_change {
    struct ctl_author author;
    uint64_t base;           /* the version to replace, or STORE_ANY_VERSION */
    bool is_validate_only;   /* store nothing, and say what would be */
    bool is_json;            /* how to say it */
    bool keeps_secret;       /* the mask stands for the secret that is there */
    struct secrets *secrets; /* to encrypt it with, or NULL; borrowed */
    bool is_logged;
};

/* What opens and seals its secret; secrets may be NULL. */
struct seal ctl_seal_of(const struct ctl_setting *setting,
                        const struct secrets *secrets);

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
