// SPDX-License-Identifier: MIT
#include "ctl/setting.h"

#include "base/util.h"
#include "ctl/print.h"
#include "setting/setting.h"

#include <stdio.h>

const struct ctl_option ctl_change_options[CTL_CHANGE_OPTIONS] = {
    CTL_STORE_ROWS,
    [CTL_CHANGE_TENANT] = CTL_TENANT_ROW,
    [CTL_CHANGE_BASE] = {.name = "version",
                         .argument = "N",
                         .help = "only if it is at this version; 0: never set"},
    [CTL_CHANGE_SUBJECT] = CTL_SUBJECT_ROW,
    [CTL_CHANGE_VALIDATE] = CTL_VALIDATE_ROW,
    [CTL_CHANGE_JSON] = CTL_JSON_ROW,
    [CTL_CHANGE_STRICT] = {.name = "strict",
                           .help = "refuse members that the key does not name"},
    [CTL_CHANGE_SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_OPTIONAL),
    [CTL_CHANGE_SCHEMES] = CTL_SCHEMES_ROW,
};

enum ctl_exit
ctl_print_setting(const struct ctl_setting *setting,
                  const struct record *record, const char *etag)
{
    struct buf json = {0};
    bool is_complete = setting_add(&json, setting->key, record, etag);

    return ctl_print_json(&json, is_complete);
}

enum ctl_exit
ctl_fail_messages(enum err err, const json_t *messages)
{
    if (err == ERR_NOMEM)
        return ctl_fail("out of memory");
    for (size_t i = 0; i < json_array_size(messages); i++)
        (void)ctl_fail("%s", json_string_value(json_array_get(messages, i)));
    return CTL_FAILED;
}

static enum ctl_exit
print_change(const struct ctl_setting *setting, const struct store_write *write,
             const struct ctl_change *change)
{
    const char *name = setting->key->name;
    unsigned long long version = write->version;

    if (change->is_validate_only)
        printf("%s of %s stays at version %llu; it could be %s\n", name,
               setting->tenant, version,
               write->value != NULL ? "set" : "unset");
    else if (!write->is_new)
        printf("%s of %s was %s already; it stays at version %llu\n", name,
               setting->tenant, write->value != NULL ? "set" : "unset",
               version);
    else
        printf("%s of %s is %s, with version %llu\n", name, setting->tenant,
               write->value != NULL ? "set" : "unset", version);
    return CTL_OK;
}

/* What became of the write. */
static enum ctl_exit
report(const struct ctl_setting *setting, const struct store_write *write,
       const struct ctl_change *change)
{
    json_auto_t *messages = NULL;
    enum err err;

    switch (write->result) {
    case ERR_OK:
        return print_change(setting, write, change);
    case ERR_PRECOND:
        return ctl_fail_lost("--version: %s of %s is at version %llu, not %llu",
                             write->key, write->tenant,
                             (unsigned long long)write->version,
                             (unsigned long long)write->base);
    case ERR_CONFLICT:
        return ctl_fail_lost("%s of %s: another write came first, it is at "
                             "version %llu",
                             write->key, write->tenant,
                             (unsigned long long)write->version);
    case ERR_INVALID:
        messages = json_array();
        err = messages != NULL ? setting_explain(write, messages) : ERR_NOMEM;
        return ctl_fail_messages(err, messages);
    default:
        return ctl_fail_store(write->result);
    }
}

/* Of what was stored, or would be. */
static enum ctl_exit
report_json(struct store *store, const struct ctl_setting *setting,
            const struct store_write *write, const struct change_made *made)
{
    const struct record shown = {
        .version = write->version,
        .updated_at = write->updated_at,
        .value = made->shown,
        .value_len = made->shown != NULL ? strlen(made->shown) : 0,
    };
    char etag[ETAG_SIZE];
    enum err err = setting_etag_after(store, setting->key, write, etag);

    return err == ERR_OK ? ctl_print_setting(setting, &shown, etag)
                         : ctl_fail_store(err);
}

struct seal
ctl_seal_of(const struct ctl_setting *setting, const struct key_ring *secrets)
{
    return (struct seal){secrets, setting->tenant, setting->key};
}

/* Says why change_make has failed, with a value that is of no use, or a secret
 * of this version that cannot be opened. */
static enum ctl_exit
fail_not_made(const struct seal *seal, enum err err, uint64_t version,
              const struct seal_fault *fault)
{
    json_auto_t *messages = NULL;
    enum err explained = ERR_NOMEM;

    if (err == ERR_SEALED && seal->secrets == NULL)
        return ctl_fail("--secret-keys: is required, for %s of %s is encrypted",
                        seal->key->secret, seal->tenant);
    if (err == ERR_SEALED)
        return ctl_fail_sealed(seal, version, fault);
    messages = json_array();
    if (messages != NULL)
        explained = change_explain(seal->key, err, messages);
    return ctl_fail_messages(explained, messages);
}

/* Makes the write, and has it stored unless it is only judged; it has the
 * result. Says so if it cannot be made. */
static enum ctl_exit
submit(struct store *store, const struct change *change,
       struct store_write *write, struct change_made *made)
{
    struct record current = {0};
    enum ctl_exit status = CTL_OK;
    enum err err =
        store_get(store, change->seal.tenant, change->seal.key->name, &current);

    if (err == ERR_OK)
        err = change_make(change, &current, write, made);
    if (err == ERR_UNSET || err == ERR_DENIED || err == ERR_TOOBIG ||
        err == ERR_SEALED)
        status =
            fail_not_made(&change->seal, err, current.version, &made->fault);
    else if (err != ERR_OK)
        write->result = err;
    else if (!change->is_dry)
        (void)store_commit_one(store, write); /* write has it, too */
    record_clear(&current);
    return status;
}

enum ctl_exit
ctl_change_setting(struct store *store, const struct ctl_setting *setting,
                   json_t *value, const struct ctl_change *to)
{
    const struct change change = {
        .seal = ctl_seal_of(setting, to->secrets),
        .value = value,
        .has_mask = to->keeps_secret,
        .view = to->is_json ? CHANGE_MASKED : CHANGE_UNSEEN,
        .is_dry = to->is_validate_only,
    };
    struct store_write write = {
        .author = to->author.subject,
        .request_id = to->author.request_id,
        .base = to->base,
        .lost = ERR_PRECOND,
    };
    struct change_made made = {.stored = NULL};
    enum ctl_exit status = submit(store, &change, &write, &made);

    if (status == CTL_OK && write.result == ERR_OK && write.is_new &&
        to->is_logged)
        setting_log(&write);
    if (status == CTL_OK && write.result == ERR_OK && to->is_json)
        status = report_json(store, setting, &write, &made);
    else if (status == CTL_OK)
        status = report(setting, &write, to);
    change_made_clear(&made);
    return status;
}
