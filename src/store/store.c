// SPDX-License-Identifier: MIT
#include "store/store.h"

#include "base/util.h"
#include "store/lmdb/engine.h"

#include <stdlib.h>
#include <string.h>

/* A copy of NULL is NULL. False if there is no memory. */
static bool
copy_text(const char *text, char **copy_out)
{
    *copy_out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy_out != NULL;
}

enum err
record_copy(const struct record *record, struct record *copy_out)
{
    auto_char *value = NULL;
    auto_char *author = NULL;

    if (!copy_text(record->author, &author))
        return ERR_NOMEM;
    if (record_is_set(record)) {
        value = malloc(record->value_len + 1);
        if (value == NULL)
            return ERR_NOMEM;
        memcpy(value, record->value, record->value_len);
        value[record->value_len] = '\0';
    }
    *copy_out = *record;
    copy_out->value = value;
    copy_out->author = author;
    value = author = NULL;
    return ERR_OK;
}

enum err
record_origin_copy(const struct record_origin *origin,
                   struct record_origin *copy_out)
{
    struct record_origin copy = {NULL, NULL};

    if (copy_text(origin->request_id, &copy.request_id) &&
        copy_text(origin->note, &copy.note)) {
        *copy_out = copy;
        return ERR_OK;
    }
    record_origin_clear(&copy);
    return ERR_NOMEM;
}

void
record_clear(struct record *record)
{
    if (record->value != NULL) /* there may be a secret in it */
        explicit_bzero(record->value, record->value_len);
    free(record->value);
    free(record->author);
    *record = (struct record){0};
}

void
record_origin_clear(struct record_origin *origin)
{
    free(origin->request_id);
    free(origin->note);
    *origin = (struct record_origin){0};
}

enum err
store_open(const struct store_options *options, struct store **store_out,
           char *why, size_t why_size)
{
    return store_lmdb_open(options, store_out, why, why_size);
}

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

void
store_judge(struct store_write *write, const char *value, size_t value_len,
            int64_t now)
{
    bool is_refused = write->once && value_len > 0;
    bool is_same = is_refused && value_len == write->value_len &&
                   memcmp(value, write->value, value_len) == 0;

    write->is_new = false;
    write->result = ERR_OK;
    if (is_same && !write->is_check)
        return;
    if (write->base != STORE_ANY_VERSION && write->base != write->version)
        write->result = write->lost;
    else if (is_refused && !write->is_check)
        write->result = ERR_INVALID;
    if (write->result != ERR_OK || write->is_check ||
        (value_len == 0 && write->value_len == 0))
        return;
    write->is_new = true;
    write->version++;
    /* A clock that was set back does not make a newer version look older. */
    if (write->updated_at < now)
        write->updated_at = now;
}

bool
store_note_fits(const char *note)
{
    size_t characters = 0, len = 0;

    for (; note != NULL && note[len] != '\0'; len++)
        characters += (note[len] & 0xc0) != 0x80; /* a character's first byte */
    return characters <= STORE_NOTE_MAX && len <= STORE_NOTE_MAX * 4;
}

struct store_write *
store_group_end(const struct store_write *first, const struct store_write *end)
{
    struct store_write *next = first->next;

    while (first->group != 0 && next != end && next->group == first->group)
        next = next->next;
    return next;
}

void
store_judge_group(struct store_write *first, const struct store_write *end)
{
    bool is_refused = false;

    for (const struct store_write *write = first; write != end;
         write = write->next)
        is_refused = is_refused || write->result != ERR_OK;
    for (struct store_write *write = first; is_refused && write != end;
         write = write->next) {
        if (!write->is_new)
            continue;
        write->is_new = false;
        write->version--; /* the one that is there */
        write->result = ERR_CONFLICT;
    }
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
