// SPDX-License-Identifier: MIT
/*
 * The seam to storage: records by (tenant, key), each with a version that
 * counts from 1 and a history. No transaction outlives a call, so that an
 * engine with its own commit protocol can stand behind it.
 *
 * Strings that name a tenant or key are NUL-terminated; values are bytes.
 * Every call may return ERR_NOMEM, ERR_STORE, or ERR_BUSY if too many processes
 * use the store; they are logged where they happen, because only the engine
 * knows why. A name that is empty or too long is ERR_INVALID.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "store/judge.h"
#include "store/place.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Bounds how long a single write holds the write lock. */
#define STORE_PRUNE_MAX 1000

/*
 * Called once per commit, when the write lock is held: returns the list of
 * writes to apply, in order. What is not taken now waits for the next commit.
 */
typedef struct store_write *store_take_fn(void *ctx);

/*
 * Gets one record on the way of a scan; strings die with the call. A result
 * other than ERR_OK ends the scan and is returned by it: ERR_ENDED, if it is
 * only that enough was seen. Be short, and do not wait for a client: meanwhile
 * what writers replace cannot be reclaimed.
 */
typedef enum err store_visit_fn(void *ctx, const char *tenant, const char *key,
                                const struct record *record);

/* As store_visit_fn, newest version first. */
typedef enum err store_history_fn(void *ctx, const struct record *record,
                                  const struct record_origin *origin);

/* The same across the keys of a tenant, in the order that was asked for. */
typedef enum err store_timeline_fn(void *ctx, const char *key,
                                   const struct record *record,
                                   const struct record_origin *origin);

enum store_direction {
    STORE_OLDER, /* newest first */
    STORE_NEWER, /* oldest first */
};

struct store_options {
    const char *path; /* the directory; made (mode 0750) if it is missing */
    size_t map_size;  /* bytes of address space, the store's upper bound; 0: the
                         one that it was last written with */
    uint64_t history; /* versions kept of each key; 0: all of them */
    bool must_exist;  /* a store that is missing is not made */
};

/* What an operator may choose, and what a store gets if nobody does. */
#define STORE_MAP_SIZE_MIN (INT64_C(1) << 20)
#define STORE_MAP_SIZE_MAX (INT64_C(64) << 40)
#define STORE_MAP_SIZE_USUAL "16G"
#define STORE_HISTORY_MAX 100000

/* How full the store is, and how busy. */
struct store_stat {
    uint64_t map_bytes;  /* the most that it may hold */
    uint64_t used_bytes; /* of them, not free to be used again */
    uint64_t readers;    /* processes that have it open, dead ones included
                            until their slots are found and freed */
    uint64_t readers_max;
    uint64_t records;  /* keys of tenants that have a version */
    uint64_t versions; /* in the history; hidden ones included */
    uint64_t format;   /* of the whole store, on disk */
};

/*
 * Told now and then how far a copy is. A result other than ERR_OK ends it, and
 * is returned by it; it may take its time, to be kind to others.
 */
typedef enum err store_progress_fn(void *ctx, uint64_t done, uint64_t total);

/* What a copy holds, and was compared with the store. */
struct store_copied {
    uint64_t records; /* as those of struct store_stat */
    uint64_t versions;
    uint64_t bytes; /* of its file */
};

/* What was found in a store that is sound. */
struct store_checked {
    uint64_t format; /* these are as those of struct store_stat */
    uint64_t records;
    uint64_t versions;
};

/* What an engine provides. Each function does what its store_ twin says. */
struct store_ops {
    void (*close)(struct store *store);
    enum err (*get)(struct store *store, const char *tenant, const char *key,
                    struct record *record_out);
    enum err (*list)(struct store *store, const char *tenant,
                     store_visit_fn *visit, void *ctx);
    enum err (*commit)(struct store *store, store_take_fn *take, void *ctx);
    enum err (*probe)(struct store *store);
    enum err (*history)(struct store *store, const char *tenant,
                        const char *key, uint64_t before, size_t limit,
                        store_history_fn *visit, void *ctx);
    enum err (*timeline)(struct store *store, const char *tenant,
                         enum store_direction direction,
                         const struct store_place *from,
                         store_timeline_fn *visit, void *ctx);
    enum err (*scan)(struct store *store, store_visit_fn *visit, void *ctx);
    enum err (*stat)(struct store *store, struct store_stat *stat_out);
    enum err (*copy)(struct store *store, const char *dir,
                     store_progress_fn *progress, void *ctx,
                     struct store_copied *copied_out, char *why,
                     size_t why_size);
};

/* Engines embed this as their first member. */
struct store {
    const struct store_ops *ops;
};

/* Accepts NULL. No call may be under way in another thread. */
void store_close(struct store *store);

/* Reads one record; version 0 and no value if it is not set. Thread safe only
 * beside store_commit: one thread reads, one commits. */
enum err store_get(struct store *store, const char *tenant, const char *key,
                   struct record *record_out);

/* Visits the tenant's records in key order, in one consistent snapshot. */
enum err store_list(struct store *store, const char *tenant,
                    store_visit_fn *visit, void *ctx);

/*
 * Takes the write lock, then the writes, applies each with its own version
 * check in one transaction together with its history, and returns when the
 * commit is on disk. Calls take exactly once, also if all it can do with the
 * writes is to fail them.
 *
 * Versions that the history no longer keeps go in the same transaction, a few
 * of a key at a time and at most STORE_PRUNE_MAX for each write; until then
 * they are hidden.
 *
 * Each write holds its result. If the commit itself fails, every write of the
 * batch has that error, which is returned too. Only when the store is full
 * each is tried by itself: ERR_FULL then means that not all of them fitted.
 */
enum err store_commit(struct store *store, store_take_fn *take, void *ctx);

/* store_commit of a single write; returns its result. */
enum err store_commit_one(struct store *store, struct store_write *write);

/* ERR_OK if a small write would be stored now, and ERR_NOTFOUND if that would
 * be elsewhere than at the store's path: it was moved, or restored under us.
 * Waits for the write lock and for the disk as store_commit does, and is for
 * the same thread; stores nothing. */
enum err store_probe(struct store *store);

/* Visits at most limit versions below before (0: from the newest). */
enum err store_history(struct store *store, const char *tenant, const char *key,
                       uint64_t before, size_t limit, store_history_fn *visit,
                       void *ctx);

/* Reads one version from the history; version 0 and no value if it is not
 * there, or no longer. */
enum err store_get_version(struct store *store, const char *tenant,
                           const char *key, uint64_t version,
                           struct record *record_out);

/*
 * Visits the versions of all keys of a tenant that are older than from, or
 * newer than it, in one consistent snapshot; NULL: from the end of them. What
 * it costs is bounded by the tenant's own history; visit ends it.
 */
enum err store_timeline(struct store *store, const char *tenant,
                        enum store_direction direction,
                        const struct store_place *from,
                        store_timeline_fn *visit, void *ctx);

/* Visits every record of every tenant, in one consistent snapshot. */
enum err store_scan(struct store *store, store_visit_fn *visit, void *ctx);

/* Measures the store; the thread that reads. */
enum err store_stat(struct store *store, struct store_stat *stat_out);

/*
 * Copies one consistent snapshot, with all that was acknowledged before, to
 * dir, an empty directory; compact, on disk, read again and compared with the
 * snapshot when this returns. Writers go on meanwhile, but what they replace
 * cannot be reclaimed. On failure, why says what is wrong with the copy, or is
 * empty if it was progress that ended it; no file is left in dir.
 */
enum err store_copy(struct store *store, const char *dir,
                    store_progress_fn *progress, void *ctx,
                    struct store_copied *copied_out, char *why,
                    size_t why_size);

#endif
