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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* With TENANT_MAX, keeps an encoded name within LMDB's 511 byte keys. */
#define STORE_KEY_MAX 63

#define STORE_WRITE_ID_SIZE 16
#define STORE_NOTE_MAX 500 /* characters, in UTF-8 */

/*
 * A version of a value. version 0 means that there never was one. Without a
 * value (NULL, of length 0) a version unset the key, as if it had never been
 * set; the next one counts on from it.
 */
struct record {
    uint64_t version;
    int64_t updated_at; /* seconds since the epoch */
    char *value;        /* owned by the record, see record_clear */
    size_t value_len;
    uint64_t seq; /* its place among all versions of the store; 0: unknown, for
                     it is older than format 2 */
    unsigned char write_id[STORE_WRITE_ID_SIZE]; /* random, this version's in
                                                    every store */
    bool has_write_id; /* false if it is older than format 2 */
    char *author;      /* owned; "" if it was written without one. NULL: only
                          the history knows, for it is older than format 2 */
};

/* True if there is a value. */
static inline bool
record_is_set(const struct record *record)
{
    return record->value_len > 0;
}

/* What made a version; kept in the history beside the record. */
struct record_origin {
    char *request_id; /* owned */
    char *note;       /* why, in its author's words; owned. NULL: no note */
};

/* ERR_NOMEM, or a copy of its own in *copy_out. */
enum err record_copy(const struct record *record, struct record *copy_out);

/* The same of an origin. */
enum err record_origin_copy(const struct record_origin *origin,
                            struct record_origin *copy_out);

/* Of each record that a call filled in, also of one without a value. */
void record_clear(struct record *record);
void record_origin_clear(struct record_origin *origin);

/* Bounds how long a single write holds the write lock. */
#define STORE_PRUNE_MAX 1000

/* Base version of a write that takes whatever version there is. */
#define STORE_ANY_VERSION UINT64_MAX

/*
 * One write, and after store_commit its result. The strings are the caller's
 * and must live until store_commit has returned.
 */
struct store_write {
    const char *tenant;
    const char *key;
    const char *value;
    size_t value_len;   /* 0: unset the key, unless it has no value already */
    const char *author; /* the token's sub; as the next one, NULL is "" */
    const char *request_id;
    const char *note; /* NULL or "": none. Longer than STORE_NOTE_MAX, the write
                         is ERR_INVALID */
    uint64_t base;    /* the version it replaces, or STORE_ANY_VERSION */
    enum err lost;    /* result if another version is there: ERR_CONFLICT, or
                         ERR_PRECOND for a write with a precondition */
    bool is_probe; /* only asks whether a small write would be stored now: all
                      above is not read, and of the results only result made */
    bool once;     /* write-once: refused with ERR_INVALID if there is a
                      value, unless it is the same bytes */
    bool is_check; /* stores nothing: ERR_OK if base is there, else lost */
    const char *replaces; /* NULL, or what this is to replace in version base
                             itself, if that still has it: no version is made,
                             nothing else of it changes, lost and once are not
                             read, and group must be 0. Neither is empty */
    size_t replaces_len;
    unsigned int group; /* 0: by itself. Writes of one number that follow each
                           other are all stored or none, and each is for
                           another key: if one is refused, those that would
                           have been stored get ERR_CONFLICT */

    /* Results. ERR_OK: version and updated_at are now stored (for the same
     * value of a write-once key, and without a value before and after, they
     * already were). Otherwise nothing changed, and version is the one that is
     * there (0 if unknown). Of one that replaces, ERR_OK and version say
     * nothing of whether it did, but is_new. */
    enum err result;
    uint64_t version;
    int64_t updated_at;
    uint64_t seq; /* of version, as are the next two; see struct record */
    unsigned char write_id[STORE_WRITE_ID_SIZE];
    bool has_write_id;
    bool is_new; /* this write made the version, or replaced what is in it */

    struct store_write *next; /* list of the batch; the taker's */
    void *owner;              /* not read by the store */
};

/*
 * Called once per commit, when the write lock is held: returns the list of
 * writes to apply, in order. What is not taken now waits for the next commit.
 */
typedef struct store_write *store_take_fn(void *ctx);

/*
 * Gets one record on the way of a scan; strings die with the call. A result
 * other than ERR_OK ends the scan and is returned by it. Be short, and do not
 * wait for a client: meanwhile what writers replace cannot be reclaimed.
 */
typedef enum err store_visit_fn(void *ctx, const char *tenant, const char *key,
                                const struct record *record);

/* As store_visit_fn, newest version first. */
typedef enum err store_history_fn(void *ctx, const struct record *record,
                                  const struct record_origin *origin);

struct store_options {
    const char *path; /* the directory; made (mode 0750) if it is missing */
    size_t map_size;  /* bytes of address space, the store's upper bound; 0: the
                         one that it was last written with */
    uint64_t history; /* versions kept of each key; 0: all of them */
    bool must_exist;  /* a store that is missing is not made */
};

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

/* What an engine provides. Each function does what its store_ twin says. */
struct store_ops {
    void (*close)(struct store *store);
    enum err (*get)(struct store *store, const char *tenant, const char *key,
                    struct record *record_out);
    enum err (*list)(struct store *store, const char *tenant,
                     store_visit_fn *visit, void *ctx);
    enum err (*commit)(struct store *store, store_take_fn *take, void *ctx);
    enum err (*history)(struct store *store, const char *tenant,
                        const char *key, uint64_t before, size_t limit,
                        store_history_fn *visit, void *ctx);
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

/*
 * Opens the LMDB store. Call once per process, after fork. On failure, an
 * operator's explanation is in why (why_size bytes), and nothing was changed:
 * a store of a newer format, a file that is no store, no permission.
 */
enum err store_open(const struct store_options *options,
                    struct store **store_out, char *why, size_t why_size);

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

/*
 * Decides a write, for engines and for those who only want to know. Before,
 * write's version and what is of it are those that are there (0: none), and
 * value is theirs; afterwards its results are filled in, and is_new says
 * whether it is to be stored. Its seq and write id are then to be made.
 */
void store_judge(struct store_write *write, const char *value, size_t value_len,
                 int64_t now);

/* True if a write may have the note. */
bool store_note_fits(const char *note);

/* The write behind those that share first's fate; end if that is the last. */
struct store_write *store_group_end(const struct store_write *first,
                                    const struct store_write *end);

/* For engines, when all writes of a group are judged: refuses the others if
 * one is refused. */
void store_judge_group(struct store_write *first,
                       const struct store_write *end);

/* Visits at most limit versions below before (0: from the newest). */
enum err store_history(struct store *store, const char *tenant, const char *key,
                       uint64_t before, size_t limit, store_history_fn *visit,
                       void *ctx);

/* Reads one version from the history; version 0 and no value if it is not
 * there, or no longer. */
enum err store_get_version(struct store *store, const char *tenant,
                           const char *key, uint64_t version,
                           struct record *record_out);

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
