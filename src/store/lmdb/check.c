// SPDX-License-Identifier: MIT
#include "store/lmdb/check.h"

#include "base/util.h"
#include "store/layout.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/format.h"
#include "store/lmdb/meta.h"
#include "store/lmdb/pages.h"
#include "store/lmdb/records.h"
#include "store/lmdb/snapshot.h"
#include "store/lmdb/tree.h"
#include "store/store.h"

#include <string.h>

/* A check on its way. */
struct check {
    struct lmdb_pages pages;
    const struct lmdb_meta *meta;
    struct lmdb_tree trees[LMDB_DB_MAX];
    bool has[LMDB_DB_MAX];
    uint64_t format;
    const char *stranger; /* what a known format does not have, or NULL */
    struct lmdb_records records;
};

static bool
is_key(const struct lmdb_entry *entry, const char *name)
{
    return entry->key_len == strlen(name) &&
           memcmp(entry->key, name, entry->key_len) == 0;
}

/* A newer format may have it: damage, once the format is known. */
static const char *
note_stranger(struct check *check, const char *what)
{
    check->stranger = what;
    return NULL;
}

static const char *
visit_name(void *ctx, const struct lmdb_entry *entry)
{
    struct check *check = ctx;
    size_t i = 0;

    if (!entry->is_tree) {
        if (!is_key(entry, LMDB_META_SEQ_KEY) ||
            entry->value_len != sizeof(uint64_t))
            return note_stranger(check, "has an entry that is none of "
                                        "orderconf's");
        check->records.seq = store_number_decode(entry->value);
        return NULL;
    }
    while (i < LMDB_DB_MAX && !is_key(entry, lmdb_meta_names[i]))
        i++;
    if (i == LMDB_DB_MAX || entry->value_len != sizeof(check->trees[i]))
        return note_stranger(check, "has a sub-database that is none of "
                                    "orderconf's");
    memcpy(&check->trees[i], entry->value, sizeof(check->trees[i]));
    check->has[i] = true;
    return NULL;
}

static const char *
visit_meta(void *ctx, const struct lmdb_entry *entry)
{
    struct check *check = ctx;

    if (is_key(entry, LMDB_META_REDO_KEY) && !entry->is_tree)
        return NULL; /* its bytes have a hash of their own */
    if (!is_key(entry, LMDB_META_FORMAT_KEY) || entry->is_tree ||
        entry->value_len != sizeof(uint64_t))
        return note_stranger(check, "has an entry that is none of "
                                    "orderconf's");
    check->format = store_number_decode(entry->value);
    return NULL;
}

static const char *
visit_any(void *ctx, const struct lmdb_entry *entry)
{
    (void)ctx;
    (void)entry;
    return NULL;
}

/* The pages that a transaction freed: how many, and their numbers from the
 * highest to the lowest; there may be room behind them. */
static const char *
visit_free(void *ctx, const struct lmdb_entry *entry)
{
    struct check *check = ctx;
    size_t transaction, count, last = SIZE_MAX;

    memcpy(&transaction, entry->key, sizeof(transaction));
    if (transaction == 0 || transaction > check->meta->transaction ||
        entry->is_tree || entry->value_len < sizeof(count) ||
        entry->value_len % sizeof(count) != 0)
        return "has a list of free pages that cannot be";
    memcpy(&count, entry->value, sizeof(count));
    if (count > entry->value_len / sizeof(count) - 1)
        return "has a list of free pages that is cut short";
    for (size_t i = 1; i <= count; i++) {
        size_t number;

        memcpy(&number, entry->value + i * sizeof(number), sizeof(number));
        if (number >= last)
            return "has a list of free pages that is not in order";
        if (!lmdb_pages_reach(&check->pages, number))
            return "has a free page that is in use, or is beyond the last one";
        last = number;
    }
    return NULL;
}

static enum err
walk_names(struct check *check)
{
    return lmdb_tree_walk(&check->pages, &check->meta->names, false, visit_name,
                          check);
}

static enum err
need(const struct check *check, size_t i)
{
    if (check->has[i])
        return ERR_OK;
    return store_file_refuse(check->pages.why, check->pages.why_size,
                             "there is no sub-database %s", lmdb_meta_names[i]);
}

static enum err
walk_meta(struct check *check)
{
    enum err err = need(check, LMDB_DB_META);

    if (err != ERR_OK)
        return err;
    return lmdb_tree_walk(&check->pages, &check->trees[LMDB_DB_META], false,
                          visit_meta, check);
}

static enum err
walk_records(struct check *check, bool is_deep)
{
    struct lmdb_pages *pages = &check->pages;
    enum err err = ERR_OK;

    for (size_t i = 0; err == ERR_OK && i < LMDB_DB_MAX; i++)
        err = need(check, i);
    if (err == ERR_OK)
        err = lmdb_tree_walk(pages, &check->trees[LMDB_DB_CONFIG], false,
                             is_deep ? lmdb_records_current : visit_any,
                             &check->records);
    if (err == ERR_OK)
        err = lmdb_tree_walk(pages, &check->trees[LMDB_DB_HISTORY], false,
                             is_deep ? lmdb_records_version : visit_any,
                             &check->records);
    if (err == ERR_OK && is_deep && !lmdb_records_are_whole(&check->records))
        err = store_file_refuse(pages->why, pages->why_size,
                                "a setting is not in the history");
    return err;
}

/* Last, when all pages that are in use are known. */
static enum err
walk_free(struct check *check)
{
    return lmdb_tree_walk(&check->pages, &check->meta->free, true, visit_free,
                          check);
}

/* Of a store of a newer format, no more is known. */
static enum err
walk(struct check *check, bool is_deep)
{
    enum err err = walk_names(check);

    if (err == ERR_OK)
        err = walk_meta(check);
    if (err != ERR_OK || !lmdb_meta_is_known(check->format))
        return err;
    if (check->stranger != NULL)
        return lmdb_pages_fault(&check->pages, check->meta->names.root,
                                check->stranger);
    err = walk_records(check, is_deep);
    return err == ERR_OK ? walk_free(check) : err;
}

static enum err
check_snapshot(const char *path, const struct lmdb_snapshot *snapshot,
               bool is_deep, struct store_checked *checked_out, char *why,
               size_t why_size)
{
    struct check check = {.meta = &snapshot->meta};
    char what[256];
    enum err err = lmdb_pages_open(&check.pages, snapshot->fd, &snapshot->meta,
                                   what, sizeof(what));

    if (err == ERR_OK)
        err = walk(&check, is_deep);
    if (check.records.lacks_memory)
        err = ERR_NOMEM;
    *checked_out = (struct store_checked){
        .format = check.format,
        .records = check.trees[LMDB_DB_CONFIG].entries,
        .versions = check.trees[LMDB_DB_HISTORY].entries,
    };
    lmdb_pages_close(&check.pages);
    lmdb_records_clear(&check.records);
    if (err == ERR_NOMEM)
        (void)store_file_refuse(why, why_size, "out of memory");
    else if (err != ERR_OK)
        (void)store_file_refuse(why, why_size, "%s/%s is damaged: %s", path,
                                STORE_FILE_DATA, what);
    else
        err = lmdb_meta_check_format(path, check.format, why, why_size);
    return err;
}

static enum err
check(const char *path, bool is_deep, struct store_checked *checked_out,
      char *why, size_t why_size)
{
    struct store_checked checked;
    struct lmdb_snapshot snapshot;
    enum err err = lmdb_snapshot_open(&snapshot, path, why, why_size);

    if (err != ERR_OK)
        return err;
    err = check_snapshot(path, &snapshot, is_deep, &checked, why, why_size);
    lmdb_snapshot_close(&snapshot);
    if (err == ERR_OK)
        *checked_out = checked;
    return err;
}

enum err
lmdb_check(const char *path, struct store_checked *checked_out, char *why,
           size_t why_size)
{
    return check(path, true, checked_out, why, why_size);
}

enum err
lmdb_check_pages(const char *path, char *why, size_t why_size)
{
    struct store_checked checked;

    return check(path, false, &checked, why, why_size);
}
