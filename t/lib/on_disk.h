// SPDX-License-Identifier: MIT
/* A store on disk, for tests that know it is LMDB's: each has one to itself,
 * as the test suite's init and fini. */
#ifndef ON_DISK_H
#define ON_DISK_H

#include "store/store.h"
#include "write_of.h"

#include <sys/stat.h>

struct MDB_env;
struct MDB_txn;

/* The store's directory, which is not made yet, in scratch, and its data
 * file. */
extern char *scratch, *db, *data;

enum { MAP_SIZE = 64 << 20, SMALL_MAP = 512 << 10 };

void on_disk_set_up(void);
void on_disk_tear_down(void);

struct store *open_with(size_t map_size);
struct store *open_store(void);

/* It cannot be opened, and the explanation names path and says because. */
void assert_refused(const char *path, const char *because);

/* Writes the tenant's "timer". */
enum err put(struct store *store, const char *tenant, const char *text);

/* The tenant's "timer" as text@version, in static memory. */
const char *value(struct store *store, const char *tenant);

/* Its history holds each version from the newest down to 1. */
void assert_whole_history(struct store *store, const char *tenant,
                          uint64_t newest);

/* For store_commit: ctx is the list. */
struct store_write *take_list(void *ctx);

/* Visits: ctx is the next version expected (uint64_t), or a size_t. */
enum err count_version(void *ctx, const struct record *record,
                       const struct record_origin *origin);
enum err count_record(void *ctx, const char *tenant, const char *key,
                      const struct record *record);

/* A file's content, with room for one byte more. bytes is the caller's. */
struct bytes {
    char *bytes;
    size_t len;
};

struct bytes slurp(const char *path);
void spit(const char *path, const char *bytes, size_t len);
void assert_untouched(const char *path, const char *bytes, size_t len);
bool exists(const char *path);
mode_t mode_of(const char *path);

/* Runs body in a child, which exits with 0 or dies. */
void in_child(void (*body)(void));
void die(void);

/* Opens the store, writes for a tenant named for the process, closes it. */
void open_and_put(void);

/* Mounts a tmpfs on db, in a mount namespace of this process. Skips the test
 * where that is not allowed. */
void mount_or_skip(unsigned long flags, const char *options);

/* LMDB itself on the same files, to make what a store never writes. */
struct raw {
    struct MDB_env *env;
    struct MDB_txn *txn;
};

struct raw raw_open(unsigned int flags);
void raw_put(struct raw *raw, const char *database, const char *key,
             size_t key_len, const char *bytes, size_t len);
void raw_commit(struct raw *raw);

/* For in_child: leaves a snapshot in use, so that no page freed since can be
 * used again. */
void die_reading(void);

#endif
