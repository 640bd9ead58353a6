// SPDX-License-Identifier: MIT
#include "store_mem.h"

#include "model/tenant.h"
#include "store/stamp.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One version of one value. */
struct entry {
    char *tenant, *key;
    struct record record;
    struct record_origin origin;
};

struct store_mem {
    struct store store;
    pthread_mutex_t lock;
    enum err failure;
    uint64_t history;      /* versions to keep; 0: all */
    struct entry *entries; /* sorted by tenant, key and version */
    size_t count;
    uint64_t seq; /* the last one given */
};

static struct store_mem *
mem(struct store *store)
{
    return (struct store_mem *)store;
}

static void *
must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static char *
copy_text(const char *text)
{
    return must(strdup(text != NULL ? text : ""));
}

static bool
is_name(const char *tenant, const char *key)
{
    return *tenant != '\0' && strlen(tenant) <= TENANT_MAX && *key != '\0' &&
           strlen(key) <= STORE_KEY_MAX;
}

static bool
is_entry(const struct entry *entry, const char *tenant, const char *key)
{
    return strcmp(entry->tenant, tenant) == 0 && strcmp(entry->key, key) == 0;
}

/* The newest version, or NULL. */
static const struct entry *
find(const struct store_mem *store, const char *tenant, const char *key)
{
    for (size_t i = store->count; i-- > 0;)
        if (is_entry(&store->entries[i], tenant, key))
            return &store->entries[i];
    return NULL;
}

/* The i-th is not the current one if a newer version follows it. */
static bool
is_current(const struct store_mem *store, size_t i)
{
    return i + 1 == store->count ||
           !is_entry(&store->entries[i + 1], store->entries[i].tenant,
                     store->entries[i].key);
}

static int
compare(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    int order = strcmp(left->tenant, right->tenant);

    if (order == 0)
        order = strcmp(left->key, right->key);
    if (order == 0)
        order = left->record.version < right->record.version ? -1 : 1;
    return order;
}

static void
clear_entry(struct entry *entry)
{
    free(entry->tenant);
    free(entry->key);
    record_clear(&entry->record);
    record_origin_clear(&entry->origin);
}

static void
prune(struct store_mem *store, const struct store_write *write)
{
    size_t kept = 0;

    for (size_t i = 0; i < store->count; i++) {
        struct entry *entry = &store->entries[i];

        if (store->history != 0 && is_entry(entry, write->tenant, write->key) &&
            write->version - entry->record.version >= store->history)
            clear_entry(entry);
        else
            store->entries[kept++] = *entry;
    }
    store->count = kept;
}

static void
append(struct store_mem *store, const struct store_write *write)
{
    struct entry *entry;

    store->entries =
        must(realloc(store->entries, (store->count + 1) * sizeof(*entry)));
    entry = &store->entries[store->count++];
    entry->tenant = copy_text(write->tenant);
    entry->key = copy_text(write->key);
    entry->record.version = write->version;
    entry->record.updated_at = write->updated_at;
    entry->record.value_len = write->value_len;
    entry->record.value = NULL;
    if (write->value_len > 0) {
        entry->record.value = must(malloc(write->value_len + 1));
        memcpy(entry->record.value, write->value, write->value_len);
        entry->record.value[write->value_len] = '\0';
    }
    entry->record.author = copy_text(write->author);
    entry->record.seq = write->seq;
    entry->record.has_write_id = write->has_write_id;
    memcpy(entry->record.write_id, write->write_id, STORE_WRITE_ID_SIZE);
    entry->origin.request_id = copy_text(write->request_id);
    entry->origin.note = write->note != NULL && *write->note != '\0'
                             ? copy_text(write->note)
                             : NULL;
    qsort(store->entries, store->count, sizeof(*entry), compare);
}

/* What is said of a write that nothing is known about. */
static void
reset(struct store_write *write, enum err result)
{
    write->result = result;
    write->version = 0;
    write->updated_at = 0;
    write->seq = 0;
    write->has_write_id = false;
    write->is_new = false;
}

static void
judge(const struct store_mem *store, struct store_write *write)
{
    const struct entry *current;

    reset(write, ERR_INVALID);
    if (!is_name(write->tenant, write->key) || !store_write_is_valid(write))
        return;
    current = find(store, write->tenant, write->key);
    if (current != NULL) {
        write->version = current->record.version;
        write->updated_at = current->record.updated_at;
        write->seq = current->record.seq;
        write->has_write_id = current->record.has_write_id;
        memcpy(write->write_id, current->record.write_id, STORE_WRITE_ID_SIZE);
    }
    store_judge(write, current != NULL ? current->record.value : NULL,
                current != NULL ? current->record.value_len : 0, time(NULL));
}

static void
replace(struct store_mem *store, struct store_write *write)
{
    for (size_t i = 0; i < store->count; i++) {
        struct entry *entry = &store->entries[i];
        struct record *record = &entry->record;

        if (!is_entry(entry, write->tenant, write->key) ||
            !record_is_set(record) || record->version != write->base ||
            record->value_len != write->replaces_len ||
            memcmp(record->value, write->replaces, record->value_len) != 0)
            continue;
        free(record->value);
        record->value = must(strndup(write->value, write->value_len));
        record->value_len = write->value_len;
        write->is_new = true;
    }
}

/* Applies the writes from first up to end, all of them or none. */
static void
apply(struct store_mem *store, struct store_write *first,
      const struct store_write *end)
{
    struct store_stamp stamp = {.seq = store->seq};
    struct store_write *write;

    for (write = first; write != end; write = write->next)
        judge(store, write);
    store_judge_group(first, end);
    for (write = first; write != end; write = write->next) {
        if (write->op == STORE_REPLACE && write->result == ERR_OK)
            replace(store, write);
        if (write->op == STORE_REPLACE || !write->is_new)
            continue;
        if (store_stamp(&stamp, write) != 0)
            abort();
        append(store, write);
        prune(store, write);
    }
    store->seq = stamp.seq;
}

static enum err
commit(struct store *base, store_take_fn *take, void *ctx)
{
    struct store_mem *store = mem(base);
    struct store_write *write, *next;
    enum err err;

    pthread_mutex_lock(&store->lock);
    err = store->failure;
    for (write = take(ctx); write != NULL; write = next) {
        next = write->next;
        if (err != ERR_OK) {
            reset(write, err);
            continue;
        }
        next = store_group_end(write, NULL);
        apply(store, write, next);
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}

static enum err
probe(struct store *base)
{
    struct store_mem *store = mem(base);
    enum err err;

    pthread_mutex_lock(&store->lock);
    err = store->failure;
    pthread_mutex_unlock(&store->lock);
    return err;
}

/* As the current record has it; value and author stay the entry's. */
static struct record
current_record(const struct entry *entry)
{
    struct record record = entry->record;

    if (!record.has_write_id)
        record.author = NULL;
    return record;
}

static enum err
get(struct store *base, const char *tenant, const char *key,
    struct record *record_out)
{
    struct store_mem *store = mem(base);
    const struct entry *current;
    enum err err = ERR_OK;

    if (!is_name(tenant, key))
        return ERR_INVALID;
    pthread_mutex_lock(&store->lock);
    current = find(store, tenant, key);
    if (current != NULL) {
        const struct record record = current_record(current);

        err = record_copy(&record, record_out);
    } else {
        *record_out = (struct record){0};
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}

/* tenant NULL: all of them. */
static enum err
visit_all(struct store_mem *store, const char *tenant, store_visit_fn *visit,
          void *ctx)
{
    enum err err = ERR_OK;

    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; err == ERR_OK && i < store->count; i++) {
        const struct entry *entry = &store->entries[i];
        const struct record record = current_record(entry);

        if (is_current(store, i) &&
            (tenant == NULL || strcmp(entry->tenant, tenant) == 0))
            err = visit(ctx, entry->tenant, entry->key, &record);
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}

static enum err
list(struct store *store, const char *tenant, store_visit_fn *visit, void *ctx)
{
    if (!is_name(tenant, "any"))
        return ERR_INVALID;
    return visit_all(mem(store), tenant, visit, ctx);
}

static enum err
scan(struct store *store, store_visit_fn *visit, void *ctx)
{
    return visit_all(mem(store), NULL, visit, ctx);
}

static enum err
history(struct store *base, const char *tenant, const char *key,
        uint64_t before, size_t limit, store_history_fn *visit, void *ctx)
{
    struct store_mem *store = mem(base);
    enum err err = ERR_OK;

    if (!is_name(tenant, key))
        return ERR_INVALID;
    pthread_mutex_lock(&store->lock);
    for (size_t i = store->count; err == ERR_OK && limit > 0 && i-- > 0;) {
        const struct entry *entry = &store->entries[i];

        if (!is_entry(entry, tenant, key) ||
            (before != 0 && entry->record.version >= before))
            continue;
        err = visit(ctx, &entry->record, &entry->origin);
        limit--;
    }
    pthread_mutex_unlock(&store->lock);
    return err;
}

/* What is to be visited of a tenant. */
struct found {
    const struct entry *entry;
    struct store_place place;
};

static int
compare_found(const void *a, const void *b)
{
    return store_place_compare(&((const struct found *)a)->place,
                               &((const struct found *)b)->place);
}

static enum err
timeline(struct store *base, const char *tenant, enum store_direction direction,
         const struct store_place *from, store_timeline_fn *visit, void *ctx)
{
    struct store_mem *store = mem(base);
    struct found *found;
    size_t count = 0;
    enum err err = ERR_OK;

    if (!is_name(tenant, "any"))
        return ERR_INVALID;
    pthread_mutex_lock(&store->lock);
    found = calloc(store->count + 1, sizeof(*found));
    if (found == NULL) {
        pthread_mutex_unlock(&store->lock);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < store->count; i++) {
        const struct entry *entry = &store->entries[i];
        struct store_place place = store_place_of(entry->key, &entry->record);
        int order = from != NULL ? store_place_compare(&place, from) : 1;

        if (from != NULL && direction == STORE_OLDER)
            order = -order;
        if (strcmp(entry->tenant, tenant) == 0 && order > 0)
            found[count++] = (struct found){entry, place};
    }
    qsort(found, count, sizeof(*found), compare_found);
    for (size_t i = 0; err == ERR_OK && i < count; i++) {
        size_t at = direction == STORE_OLDER ? count - 1 - i : i;

        err = visit(ctx, found[at].entry->key, &found[at].entry->record,
                    &found[at].entry->origin);
    }
    free(found);
    pthread_mutex_unlock(&store->lock);
    return err;
}

static enum err
stat_store(struct store *base, struct store_stat *stat_out)
{
    struct store_mem *store = mem(base);

    *stat_out = (struct store_stat){
        .map_bytes = 1 << 20, .readers = 1, .readers_max = 1, .format = 2};
    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->count; i++) {
        stat_out->used_bytes += store->entries[i].record.value_len;
        stat_out->records += is_current(store, i);
    }
    stat_out->versions = store->count;
    pthread_mutex_unlock(&store->lock);
    return ERR_OK;
}

static enum err
copy(struct store *store, const char *dir, store_progress_fn *progress,
     void *ctx, struct store_copied *copied_out, char *why, size_t why_size)
{
    (void)store;
    (void)dir;
    (void)progress;
    (void)ctx;
    (void)copied_out;
    snprintf(why, why_size, "a store in memory has no file");
    return ERR_STORE;
}

static void
close_store(struct store *base)
{
    struct store_mem *store = mem(base);

    for (size_t i = 0; i < store->count; i++)
        clear_entry(&store->entries[i]);
    free(store->entries);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

static const struct store_ops ops = {
    .close = close_store,
    .get = get,
    .list = list,
    .commit = commit,
    .probe = probe,
    .history = history,
    .timeline = timeline,
    .scan = scan,
    .stat = stat_store,
    .copy = copy,
};

struct store *
store_mem_new(void)
{
    struct store_mem *store = must(calloc(1, sizeof(*store)));

    store->store.ops = &ops;
    pthread_mutex_init(&store->lock, NULL);
    return &store->store;
}

void
store_mem_keep(struct store *store, uint64_t history)
{
    pthread_mutex_lock(&mem(store)->lock);
    mem(store)->history = history;
    pthread_mutex_unlock(&mem(store)->lock);
}

void
store_mem_age(struct store *base)
{
    struct store_mem *store = mem(base);

    pthread_mutex_lock(&store->lock);
    for (size_t i = 0; i < store->count; i++) {
        struct record *record = &store->entries[i].record;

        record->seq = 0;
        record->has_write_id = false;
        memset(record->write_id, 0, sizeof(record->write_id));
    }
    pthread_mutex_unlock(&store->lock);
}

void
store_mem_fail(struct store *store, enum err err)
{
    pthread_mutex_lock(&mem(store)->lock);
    mem(store)->failure = err;
    pthread_mutex_unlock(&mem(store)->lock);
}
