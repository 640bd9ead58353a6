// SPDX-License-Identifier: MIT
#include "setting/import.h"

#include "base/util.h"
#include "setting/change.h"
#include "setting/setting.h"

/* A tenant in the batch, and how it stands. */
struct slot {
    struct import_tenant tenant;
    struct store_write writes[CONFIG_KEYS_MAX];
    struct change_made made[CONFIG_KEYS_MAX]; /* theirs */
    bool is_open;                             /* not stored yet */
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
clear_made(struct slot *slot)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        change_made_clear(&slot->made[i]);
}

static void
clear_slots(struct import *import)
{
    for (size_t i = 0; i < import->count; i++) {
        clear_made(&import->slots[i]);
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

/* Makes the write of a setting, or judges it. What has the value already is not
 * written, but must still have it when the others are. */
static enum err
make_write(const struct key_ring *secrets, const struct jsonl_setting *setting,
           const struct record *record, bool is_dry, struct store_write *write,
           struct change_made *made_out)
{
    const struct change change = {
        .seal = {secrets, setting->tenant, setting->key},
        .value = setting->value,
        .has_mask = true,
        .leaves_same = true,
        .is_dry = is_dry,
    };
    enum err err;

    write->base = STORE_ANY_VERSION;
    write->lost = ERR_PRECOND;
    err = change_make(&change, record, write, made_out);
    if (err != ERR_OK)
        return err;
    if (record_is_set(record) && record->value_len == write->value_len &&
        memcmp(record->value, write->value, write->value_len) == 0) {
        write->op = STORE_CHECK;
        write->base = record->version;
    }
    return ERR_OK;
}

static enum err
check_setting(const struct key_ring *secrets,
              const struct jsonl_setting *setting, const struct record *record)
{
    struct store_write write = {.result = ERR_OK};
    struct change_made made;
    enum err err = make_write(secrets, setting, record, true, &write, &made);

    change_made_clear(&made);
    return err == ERR_OK ? write.result : err;
}

enum err
import_check(const struct key_ring *secrets, const struct import_tenant *tenant,
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
    clear_made(slot);
    for (size_t i = 0; i < slot->tenant.count; i++) {
        const struct jsonl_setting *setting = &slot->tenant.settings[i];
        const struct record *record = &records[setting->key - config_keys];
        struct store_write *write = &slot->writes[i];
        enum err err;

        *write = (struct store_write){
            .author = import->options.subject,
            .request_id = import->options.request_id,
        };
        err = make_write(import->options.secrets, setting, record, false, write,
                         &slot->made[i]);
        if (is_refusal(err))
            import->options.refused(import->options.ctx, setting, err);
        if (err != ERR_OK)
            return err;
        write->group = (unsigned int)(slot - import->slots) + 1;
        *is_all_same_out = *is_all_same_out && write->op == STORE_CHECK;
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
        import->bytes += tenant->settings[i].size;
    tenant->count = 0;
    return import->count == IMPORT_BATCH_TENANTS ||
                   import->bytes >= IMPORT_BATCH_BYTES
               ? import_finish(import)
               : ERR_OK;
}
