// SPDX-License-Identifier: MIT
#include "import.h"

#include "setting.h"
#include "util.h"

/* A tenant in the batch, and how it stands. */
struct slot {
    struct import_tenant tenant;
    struct store_write writes[CONFIG_KEYS_MAX];
    bool is_open; /* not stored yet */
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
clear_slots(struct import *import)
{
    for (size_t i = 0; i < import->count; i++)
        import_tenant_clear(&import->slots[i].tenant);
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

bool
import_is_same(const struct jsonl_setting *setting, const struct record *record)
{
    return record->value_len == setting->value_len &&
           memcmp(record->value, setting->value, setting->value_len) == 0;
}

const struct jsonl_setting *
import_find_refused(const struct import_tenant *tenant,
                    const struct record records[CONFIG_KEYS_MAX])
{
    for (size_t i = 0; i < tenant->count; i++) {
        const struct jsonl_setting *setting = &tenant->settings[i];
        const struct record *record = &records[setting->key - config_keys];

        if (setting->key->is_once && record_is_set(record) &&
            !import_is_same(setting, record))
            return setting;
    }
    return NULL;
}

/* What has the value already is not written, but must still have it when the
 * others are. */
static struct store_write
write_of(const struct import *import, const struct jsonl_setting *setting,
         const struct record *record, unsigned int group)
{
    bool is_same = import_is_same(setting, record);

    return (struct store_write){
        .tenant = setting->tenant,
        .key = setting->key->name,
        .value = setting->value,
        .value_len = setting->value_len,
        .subject = import->options.subject,
        .request_id = import->options.request_id,
        .base = is_same ? record->version : STORE_ANY_VERSION,
        .lost = ERR_PRECOND,
        .once = setting->key->is_once,
        .is_check = is_same,
        .group = group,
    };
}

/* Makes the slot's writes, linked, from what is there now. NULL in *first_out
 * if there is nothing to write. */
static enum err
prepare(struct import *import, struct slot *slot,
        struct store_write **first_out, struct store_write **last_out)
{
    const struct import_tenant *tenant = &slot->tenant;
    struct record records[CONFIG_KEYS_MAX];
    bool is_all_same = true;
    enum err err = setting_list(import->options.store,
                                tenant->settings[0].tenant, records);

    for (size_t i = 0; err == ERR_OK && i < tenant->count; i++) {
        const struct jsonl_setting *setting = &tenant->settings[i];

        slot->writes[i] =
            write_of(import, setting, &records[setting->key - config_keys],
                     (unsigned int)(slot - import->slots) + 1);
        is_all_same = is_all_same && slot->writes[i].is_check;
        if (i > 0)
            slot->writes[i - 1].next = &slot->writes[i];
    }
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
