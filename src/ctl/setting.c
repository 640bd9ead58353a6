// SPDX-License-Identifier: MIT
#include "ctl/setting.h"

#include "base/util.h"
#include "ctl/print.h"
#include "setting/setting.h"

#include <stdio.h>

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
        printf("%s of %s stays at version %llu, as it was %s already\n", name,
               setting->tenant, version,
               write->value != NULL ? "set" : "unset");
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
            const struct store_write *write, const struct ctl_change *change)
{
    union {
        const char *in;
        char *out; /* a record may own its value; this one does not */
    } value = {.in = write->value};
    const struct record view = {
        .version = write->version,
        .updated_at = write->updated_at,
        .value = value.out,
        .value_len = write->value_len,
    };
    const struct seal seal = ctl_seal_of(setting, change->secrets);
    struct record record = {0};
    char etag[ETAG_SIZE];
    enum ctl_exit status;
    enum err err;

    if (write->result != ERR_OK)
        return report(setting, write, change);
    err = setting_etag_after(store, setting->key, write, etag);
    if (err != ERR_OK)
        return ctl_fail_store(err);
    if (record_copy(&view, &record) != ERR_OK)
        return ctl_fail("out of memory");
    status = ctl_mask_record(&seal, &record);
    if (status == CTL_OK)
        status = ctl_print_setting(setting, &record, etag);
    record_clear(&record);
    return status;
}

struct seal
ctl_seal_of(const struct ctl_setting *setting, const struct secrets *secrets)
{
    return (struct seal){secrets, setting->tenant, setting->key};
}

/* The preconditions of a write, and without the intention to write all of its
 * judgement, against what is there now. */
static enum err
judge(struct store_write *write, const struct record *current,
      bool is_validate_only)
{
    write->result = ERR_OK;
    if (is_validate_only)
        setting_judge(write, current);
    if (write->base != STORE_ANY_VERSION && write->base != current->version) {
        write->result = write->lost;
        write->version = current->version;
    }
    return write->result;
}

/* Has the write store its value as it is to be, in *sealed_out. If that keeps
 * the current secret, it is to be the current one until then. */
static enum ctl_exit
seal_write(const struct ctl_setting *setting, const struct ctl_change *change,
           struct record *current, struct store_write *write, char **sealed_out)
{
    const struct seal seal = ctl_seal_of(setting, change->secrets);
    bool is_kept = false;
    enum ctl_exit status =
        ctl_seal_value(&seal, write->value, change->keeps_secret, current,
                       sealed_out, &is_kept);

    if (status != CTL_OK)
        return status;
    write->value = *sealed_out;
    write->value_len = strlen(*sealed_out);
    if (is_kept && write->base == STORE_ANY_VERSION) {
        write->base = current->version;
        write->lost = ERR_CONFLICT;
    }
    return CTL_OK;
}

enum ctl_exit
ctl_change_setting(struct store *store, const struct ctl_setting *setting,
                   const char *value, const struct ctl_change *change)
{
    struct store_write write = {
        .tenant = setting->tenant,
        .key = setting->key->name,
        .value = value,
        .value_len = value != NULL ? strlen(value) : 0,
        .author = change->author.subject,
        .request_id = change->author.request_id,
        .base = change->base,
        .lost = ERR_PRECOND,
        .once = value != NULL && setting->key->is_once,
    };

    struct record current = {0};
    auto_char *sealed = NULL;
    enum ctl_exit status = CTL_OK;

    write.result = store_get(store, write.tenant, write.key, &current);
    if (write.result == ERR_OK)
        write.result = judge(&write, &current, change->is_validate_only);
    if (write.result == ERR_OK && value != NULL && setting->key->secret != NULL)
        status = seal_write(setting, change, &current, &write, &sealed);
    record_clear(&current);
    if (status != CTL_OK)
        return status;
    if (write.result == ERR_OK && !change->is_validate_only)
        (void)store_commit_one(store, &write); /* write has it too */
    if (write.result == ERR_OK && write.is_new && change->is_logged)
        setting_log(&write);
    return change->is_json ? report_json(store, setting, &write, change)
                           : report(setting, &write, change);
}
