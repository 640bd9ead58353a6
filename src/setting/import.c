// SPDX-License-Identifier: MIT
#include "setting/import.h"

#include "base/util.h"
#include "model/seal.h"
#include "setting/setting.h"

/* A tenant in the batch, and how it stands. */
struct slot {
    struct import_tenant tenant;
    struct store_write writes[CONFIG_KEYS_MAX];
    char *values[CONFIG_KEYS_MAX]; /* theirs, if not the settings' own */
    bool is_open;                  /* not stored yet */
};

struct import {
    struct import_options options;
    struct import_counts counts;
    struct slot slots[IMPORT_BATCH_TENANTS];
    size_t count;
    size_t bytes;
};

void
import_tenant_clear(struct import_tenant *tenant)
{
    for (size_t i = 0; i < tenant->count; i++)
        jsonl_setting_clear(&tenant->settings[i]);
    tenant->count = 0;
}

struct import *
import_new(const struct import_options *options)
{
    struct import *import = calloc(1, sizeof(*import));

    if (import != NULL)
        import->options = *options;
    return import;
}

static void
clear_values(struct slot *slot)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        seal_free(slot->values[i]);
        slot->values[i] = NULL;
    }
}

static void
clear_slots(struct import *import)
{
    for (size_t i = 0; i < import->count; i++) {
        clear_values(&import->slots[i]);
        import_tenant_clear(&import->slots[i].tenant);
    }
    import->count = import->bytes = 0;
}

void
import_free(struct import *import)
{
    if (import != NULL)
        clear_slots(import);
    free(import);
}

const struct import_counts *
import_counts(const struct import *import)
{
    return &import->counts;
}

static bool
is_value(const char *value, size_t len, const struct record *record)
{
    return record_is_set(record) && record->value_len == len &&
           memcmp(record->value, value, len) == 0;
}

/* The mask stands for the secret that is there, sealed or not. */
static enum err
keep_secret(const struct seal *seal, const struct jsonl_setting *setting,
            const struct record *record, char **value_out)
{
    char *kept = NULL;
    enum err err;

    if (!record_is_set(record))
        return ERR_UNSET;
    err = seal_keep(seal->key, setting->value, setting->value_len,
                    record->value, record->value_len, &kept);
    if (err == ERR_OK && is_value(kept, strlen(kept), record)) {
        *value_out = kept;
        return ERR_OK;
    }
    if (err == ERR_OK)
        err = seal_value(seal, kept, strlen(kept), value_out);
    seal_free(kept);
    return err;
}

/* The same secret sealed again would not be the same bytes. */
static enum err
replace_secret(const struct seal *seal, const struct jsonl_setting *setting,
               const struct record *record, char **value_out)
{
    struct seal_fault fault;
    char *opened = NULL;
    bool is_same;
    enum err err = ERR_OK;

    if (record_is_set(record))
        err =
            seal_open(seal, record->value, record->value_len, &opened, &fault);
    /* Whoever has keys may replace what they do not decrypt. */
    if (err == ERR_SEALED && seal->secrets != NULL)
        err = ERR_OK;
    if (err != ERR_OK)
        return err;
    is_same = opened != NULL && strcmp(opened, setting->value) == 0;
    seal_free(opened);
    if (!is_same)
        return seal_value(seal, setting->value, setting->value_len, value_out);
    *value_out = strndup(record->value, record->value_len);
    return *value_out != NULL ? ERR_OK : ERR_NOMEM;
}

/* What is to be stored of a value with a secret, from malloc: the very bytes of
 * the record, if it is the same. */
static enum err
make_value(const struct secrets *secrets, const struct jsonl_setting *setting,
           const struct record *record, char **value_out)
{
    const struct seal seal = {secrets, setting->tenant, setting->key};
    bool is_masked = false;
    enum err err = seal_is_masked(setting->key, setting->value,
                                  setting->value_len, &is_masked);

    if (err != ERR_OK)
        return err;
    return is_masked ? keep_secret(&seal, setting, record, value_out)
                     : replace_secret(&seal, setting, record, value_out);
}

static enum err
check_setting(const struct secrets *secrets,
              const struct jsonl_setting *setting, const struct record *record)
{
    char *value = NULL;
    enum err err = ERR_OK;

    if (setting->key->secret != NULL)
        err = make_value(secrets, setting, record, &value);
    else if (setting->key->is_once && record_is_set(record) &&
             !is_value(setting->value, setting->value_len, record))
        err = ERR_INVALID;
    seal_free(value);
    return err;
}

enum err
import_check(const struct secrets *secrets, const struct import_tenant *tenant,
             const struct record records[CONFIG_KEYS_MAX],
             const struct jsonl_setting **refused_out)
{
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < tenant->count; i++) {
        const struct jsonl_setting *setting = &tenant->settings[i];

        err = check_setting(secrets, setting,
                            &records[setting->key - config_keys]);
        if (err != ERR_OK)
            *refused_out = setting;
    }
    return err;
}

/* What has the value already is not written, but must still have it when the
 * others are. */
static struct store_write
write_of(const struct import *import, const struct jsonl_setting *setting,
         const char *value, const struct record *record)
{
    bool is_same = is_value(value, strlen(value), record);

    return (struct store_write){
        .tenant = setting->tenant,
        .key = setting->key->name,
        .value = value,
        .value_len = strlen(value),
        .author = import->options.subject,
        .request_id = import->options.request_id,
        /* A masked secret is the one that was there, so it must be still. */
        .base = is_same || setting->key->secret != NULL ? record->version
                                                        : STORE_ANY_VERSION,
        .lost = ERR_PRECOND,
        .once = setting->key->is_once,
        .is_check = is_same,
    };
}

/* What becomes of others is not changed by it. */
static bool
is_refusal(enum err err)
{
    return err == ERR_SEALED || err == ERR_UNSET || err == ERR_DENIED ||
           err == ERR_TOOBIG;
}

/* Makes the slot's writes from these records. An error of import_refused_fn has
 * been told. */
static enum err
fill_slot(struct import *import, struct slot *slot,
          const struct record records[CONFIG_KEYS_MAX], bool *is_all_same_out)
{
    *is_all_same_out = true;
    clear_values(slot);
    for (size_t i = 0; i < slot->tenant.count; i++) {
        const struct jsonl_setting *setting = &slot->tenant.settings[i];
        const struct record *record = &records[setting->key - config_keys];
        struct store_write *write = &slot->writes[i];
        const char *value = setting->value;
        enum err err = ERR_OK;

        if (setting->key->secret != NULL) {
            err = make_value(import->options.secrets, setting, record,
                             &slot->values[i]);
            value = slot->values[i];
        }
        if (is_refusal(err))
            import->options.refused(import->options.ctx, setting, err);
        if (err != ERR_OK)
            return err;
        *write = write_of(import, setting, value, record);
        write->group = (unsigned int)(slot - import->slots) + 1;
        *is_all_same_out = *is_all_same_out && write->is_check;
        if (i > 0)
            slot->writes[i - 1].next = write;
    }
    return ERR_OK;
}

/* Makes the slot's writes, linked, from what is there now. NULL in *first_out
 * if there is nothing to write. */
static enum err
prepare(struct import *import, struct slot *slot,
        struct store_write **first_out, struct store_write **last_out)
{
    const struct import_tenant *tenant = &slot->tenant;
    struct record records[CONFIG_KEYS_MAX];
    bool is_all_same = false;
    enum err err = setting_list(import->options.store,
                                tenant->settings[0].tenant, records);

    if (err == ERR_OK)
        err = fill_slot(import, slot, records, &is_all_same);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&records[i]);
    if (err != ERR_OK)
        return err;
    *first_out = is_all_same ? NULL : slot->writes;
    *last_out = &slot->writes[tenant->count - 1];
    return ERR_OK;
}

static void
count_stored(struct import *import, struct slot *slot)
{
    bool is_stored = false;

    slot->is_open = false;
    for (size_t i = 0; i < slot->tenant.count; i++) {
        const struct store_write *write = &slot->writes[i];

        import->counts.stored += write->is_new;
        import->counts.unchanged += !write->is_new;
        is_stored = is_stored || write->is_new;
        if (write->is_new && import->options.is_logged)
            setting_log(write);
    }
    import->counts.tenants += is_stored;
}

/* Looks at the results: what was only overtaken stays open. */
static enum err
conclude(struct import *import, struct slot *slot)
{
    bool is_overtaken = false;

    for (size_t i = 0; i < slot->tenant.count; i++) {
        enum err err = slot->writes[i].result;

        if (err == ERR_INVALID) {
            slot->is_open = false;
            import->options.refused(import->options.ctx,
                                    &slot->tenant.settings[i], err);
            return ERR_OK;
        }
        if (err == ERR_PRECOND || err == ERR_CONFLICT)
            is_overtaken = true;
        else if (err != ERR_OK)
            return err;
    }
    if (!is_overtaken)
        count_stored(import, slot);
    return ERR_OK;
}

static struct store_write *
take(void *ctx)
{
    return ctx;
}

/* Tries all that is open once. */
static enum err
try_slots(struct import *import)
{
    struct store_write *writes = NULL, **end = &writes;
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < import->count; i++) {
        struct store_write *first = NULL, *last = NULL;
        struct slot *slot = &import->slots[i];

        if (!slot->is_open)
            continue;
        err = prepare(import, slot, &first, &last);
        if (is_refusal(err)) { /* the others go on */
            slot->is_open = false;
            err = ERR_OK;
            continue;
        }
        if (err != ERR_OK)
            break;
        if (first == NULL) {
            count_stored(import, slot);
            continue;
        }
        *end = first;
        end = &last->next;
    }
    if (err != ERR_OK || writes == NULL)
        return err;
    (void)store_commit(import->options.store, take, writes); /* each has it */
    for (size_t i = 0; i < import->count; i++) {
        enum err concluded = ERR_OK;

        if (import->slots[i].is_open)
            concluded = conclude(import, &import->slots[i]);
        if (concluded != ERR_OK)
            err = concluded;
    }
    return err;
}

enum err
import_finish(struct import *import)
{
    enum err err = ERR_OK;

    for (int tries = 0; err == ERR_OK && tries < IMPORT_TRIES_MAX; tries++)
        err = try_slots(import);
    for (size_t i = 0; err == ERR_OK && i < import->count; i++) {
        if (import->slots[i].is_open)
            import->options.refused(import->options.ctx,
                                    &import->slots[i].tenant.settings[0],
                                    ERR_BUSY);
    }
    clear_slots(import);
    return err;
}

enum err
import_add(struct import *import, struct import_tenant *tenant)
{
    struct slot *slot;

    if (tenant->count == 0)
        return ERR_OK;
    slot = &import->slots[import->count++];
    slot->tenant = *tenant;
    slot->is_open = true;
    for (size_t i = 0; i < tenant->count; i++)
        import->bytes += tenant->settings[i].value_len;
    tenant->count = 0;
    return import->count == IMPORT_BATCH_TENANTS ||
                   import->bytes >= IMPORT_BATCH_BYTES
               ? import_finish(import)
               : ERR_OK;
}
