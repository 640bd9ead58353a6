// SPDX-License-Identifier: MIT
#include "store/store.h"

#include "base/util.h"

void
store_close(struct store *store)
{
    if (store != NULL)
        store->ops->close(store);
}

enum err
store_get(struct store *store, const char *tenant, const char *key,
          struct record *record_out)
{
    return store->ops->get(store, tenant, key, record_out);
}

enum err
store_list(struct store *store, const char *tenant, store_visit_fn *visit,
           void *ctx)
{
    return store->ops->list(store, tenant, visit, ctx);
}

enum err
store_commit(struct store *store, store_take_fn *take, void *ctx)
{
    return store->ops->commit(store, take, ctx);
}

static struct store_write *
take_one(void *ctx)
{
    return ctx;
}

enum err
store_commit_one(struct store *store, struct store_write *write)
{
    write->next = NULL;
    (void)store_commit(store, take_one, write); /* write has it too */
    return write->result;
}

enum err
store_probe(struct store *store)
{
    return store->ops->probe(store);
}

enum err
store_history(struct store *store, const char *tenant, const char *key,
              uint64_t before, size_t limit, store_history_fn *visit, void *ctx)
{
    return store->ops->history(store, tenant, key, before, limit, visit, ctx);
}

/* A version on its way out of the history. */
struct wanted {
    uint64_t version;
    struct record record; /* owned */
};

static enum err
take_wanted(void *ctx, const struct record *record,
            const struct record_origin *origin)
{
    struct wanted *wanted = ctx;

    (void)origin;
    return record->version == wanted->version
               ? record_copy(record, &wanted->record)
               : ERR_OK;
}

enum err
store_get_version(struct store *store, const char *tenant, const char *key,
                  uint64_t version, struct record *record_out)
{
    struct wanted wanted = {.version = version};
    uint64_t before = version < UINT64_MAX ? version + 1 : 0;
    enum err err =
        store_history(store, tenant, key, before, 1, take_wanted, &wanted);

    if (err == ERR_OK)
        *record_out = wanted.record;
    else
        record_clear(&wanted.record);
    return err;
}

enum err
store_timeline(struct store *store, const char *tenant,
               enum store_direction direction, const struct store_place *from,
               store_timeline_fn *visit, void *ctx)
{
    return store->ops->timeline(store, tenant, direction, from, visit, ctx);
}

enum err
store_scan(struct store *store, store_visit_fn *visit, void *ctx)
{
    return store->ops->scan(store, visit, ctx);
}

enum err
store_stat(struct store *store, struct store_stat *stat_out)
{
    return store->ops->stat(store, stat_out);
}

enum err
store_copy(struct store *store, const char *dir, store_progress_fn *progress,
           void *ctx, struct store_copied *copied_out, char *why,
           size_t why_size)
{
    return store->ops->copy(store, dir, progress, ctx, copied_out, why,
                            why_size);
}
