// SPDX-License-Identifier: MIT
#include "store/lmdb/timeline.h"

#include "store/layout.h"
#include "store/lmdb/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One key's history, and the version that it is the turn of. */
struct strand {
    char key[STORE_KEY_MAX + 1];
    struct store_name name; /* with the version */
    uint64_t oldest, newest;
    uint64_t version; /* outside of them: there is none left */
    struct store_record view;
    struct store_place place;
};

struct timeline {
    struct lmdb_env *env;
    MDB_txn *txn;
    MDB_cursor *cursor; /* of the history */
    enum store_direction direction;
    const struct store_place *from;
    struct strand *strands; /* owned */
    size_t count;
};

static bool
has_turn(const struct strand *strand)
{
    return strand->version >= strand->oldest &&
           strand->version <= strand->newest;
}

/* Looks at a version, which is in the history: they have no gaps. */
static int
look_at(const struct timeline *timeline, struct strand *strand,
        uint64_t version)
{
    MDB_val name, data;
    int rc;

    strand->version = version;
    store_name_set_version(&strand->name, version);
    name = (MDB_val){strand->name.len, strand->name.bytes};
    rc = mdb_get(timeline->txn, timeline->env->db.history, &name, &data);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
    if (!store_record_decode(data.mv_data, data.mv_size, &strand->view))
        return MDB_CORRUPTED;
    strand->place = store_place_of(
        strand->key, &(struct record){.seq = strand->view.seq,
                                      .updated_at = strand->view.updated_at,
                                      .version = strand->view.version});
    return 0;
}

/* Goes to the oldest version that is behind the place to begin at; to one above
 * the newest if none is. */
static int
find_first_behind(const struct timeline *timeline, struct strand *strand)
{
    uint64_t low = strand->oldest;
    uint64_t high = strand->newest + 1;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int rc = look_at(timeline, strand, middle);

        if (rc != 0)
            return rc;
        if (store_place_compare(&strand->place, timeline->from) > 0)
            high = middle;
        else
            low = middle + 1;
    }
    strand->version = low;
    return 0;
}

/* Goes to the newest version that is before it; to one below the oldest if none
 * is. */
static int
find_last_before(const struct timeline *timeline, struct strand *strand)
{
    int rc = find_first_behind(timeline, strand);

    if (rc != 0)
        return rc;
    strand->version--;
    if (!has_turn(strand))
        return 0;
    rc = look_at(timeline, strand, strand->version);
    /* The place itself is not before it. */
    if (rc == 0 && store_place_compare(&strand->place, timeline->from) == 0)
        strand->version--;
    return rc;
}

/* Goes to the strand's first version of the walk. */
static int
begin(const struct timeline *timeline, struct strand *strand)
{
    bool is_older = timeline->direction == STORE_OLDER;
    int rc = 0;

    if (timeline->from == NULL)
        strand->version = is_older ? strand->newest : strand->oldest;
    else if (is_older)
        rc = find_last_before(timeline, strand);
    else
        rc = find_first_behind(timeline, strand);
    if (rc == 0 && has_turn(strand))
        rc = look_at(timeline, strand, strand->version);
    return rc;
}

/* The oldest version of the key that is there and shown. */
static int
find_oldest(const struct timeline *timeline, struct strand *strand)
{
    size_t prefix_len = strand->name.len - sizeof(uint64_t);
    MDB_val found, data;
    int rc;

    store_name_set_version(
        &strand->name,
        lmdb_history_newest_gone(timeline->env, strand->newest) + 1);
    found = (MDB_val){strand->name.len, strand->name.bytes};
    rc = mdb_cursor_get(timeline->cursor, &found, &data, MDB_SET_RANGE);
    if (rc != 0)
        return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
    if (found.mv_size != strand->name.len ||
        memcmp(found.mv_data, strand->name.bytes, prefix_len) != 0)
        return MDB_CORRUPTED;
    strand->oldest =
        store_number_decode((unsigned char *)found.mv_data + prefix_len);
    return 0;
}

/* Adds the key whose current record was found. */
static int
add_strand(struct timeline *timeline, const char *tenant, const char *key,
           const struct store_record *current)
{
    size_t size = (timeline->count + 1) * sizeof(*timeline->strands);
    struct strand *strands = realloc(timeline->strands, size);
    struct strand *strand;
    int rc;

    if (strands == NULL)
        return ENOMEM;
    timeline->strands = strands;
    strand = &strands[timeline->count++];
    memset(strand, 0, sizeof(*strand));
    memcpy(strand->key, key, sizeof(strand->key));
    strand->newest = current->version;
    if (!store_name_encode(tenant, key, &strand->name))
        return MDB_CORRUPTED;
    store_name_add_version(&strand->name, 0);
    rc = find_oldest(timeline, strand);
    return rc != 0 ? rc : begin(timeline, strand);
}

/* Finds the tenant's keys. */
static int
add_strands(struct timeline *timeline, struct store_name *prefix)
{
    char tenant[TENANT_MAX + 1], key[STORE_KEY_MAX + 1] = {0};
    MDB_val name = {prefix->len, prefix->bytes};
    MDB_val data;
    MDB_cursor *cursor;
    struct store_record current;
    int rc = mdb_cursor_open(timeline->txn, timeline->env->db.config, &cursor);

    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &name, &data, MDB_SET_RANGE);
    while (rc == 0 && name.mv_size >= prefix->len &&
           memcmp(name.mv_data, prefix->bytes, prefix->len) == 0) {
        rc = store_name_decode(name.mv_data, name.mv_size, tenant, key) &&
                     store_record_decode(data.mv_data, data.mv_size, &current)
                 ? add_strand(timeline, tenant, key, &current)
                 : MDB_CORRUPTED;
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &name, &data, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The strand that it is the turn of, or NULL at the end. */
static struct strand *
next_strand(const struct timeline *timeline)
{
    struct strand *next = NULL;

    for (size_t i = 0; i < timeline->count; i++) {
        struct strand *strand = &timeline->strands[i];
        int order;

        if (!has_turn(strand))
            continue;
        order = next != NULL ? store_place_compare(&strand->place, &next->place)
                             : 0;
        if (next == NULL ||
            (timeline->direction == STORE_OLDER ? order > 0 : order < 0))
            next = strand;
    }
    return next;
}

static int
step(const struct timeline *timeline, struct strand *strand)
{
    strand->version += timeline->direction == STORE_OLDER ? -1 : 1;
    return has_turn(strand) ? look_at(timeline, strand, strand->version) : 0;
}

static int
walk(const struct timeline *timeline, store_timeline_fn *visit, void *ctx,
     enum err *err_out)
{
    struct strand *strand;
    int rc = 0;

    while (rc == 0 && *err_out == ERR_OK &&
           (strand = next_strand(timeline)) != NULL) {
        struct record record;
        struct record_origin origin;

        *err_out = store_record_copy(&strand->view, &record, &origin);
        if (*err_out != ERR_OK)
            return 0;
        *err_out = visit(ctx, strand->key, &record, &origin);
        record_clear(&record);
        record_origin_clear(&origin);
        rc = step(timeline, strand);
    }
    return rc;
}

enum err
lmdb_timeline_visit(struct lmdb_env *env, const char *tenant,
                    enum store_direction direction,
                    const struct store_place *from, store_timeline_fn *visit,
                    void *ctx)
{
    struct timeline timeline = {
        .env = env, .direction = direction, .from = from};
    struct store_name prefix;
    enum err err = ERR_OK;
    int rc;

    if (!store_name_encode_tenant(tenant, &prefix))
        return ERR_INVALID;
    rc = lmdb_env_begin(env, MDB_RDONLY, &timeline.txn);
    if (rc != 0)
        return lmdb_env_failed(env, rc);
    rc = mdb_cursor_open(timeline.txn, env->db.history, &timeline.cursor);
    if (rc == 0)
        rc = add_strands(&timeline, &prefix);
    if (rc == 0)
        rc = walk(&timeline, visit, ctx, &err);
    mdb_cursor_close(timeline.cursor);
    lmdb_env_abort(env, timeline.txn);
    free(timeline.strands);
    if (rc == MDB_CORRUPTED)
        return lmdb_env_damaged(env, tenant, "");
    return rc == 0 ? err : lmdb_env_failed(env, rc);
}
