// SPDX-License-Identifier: MIT
/*
 * The records of a store, looked at one by one: each is one, and the current
 * one of a setting is what the newest in its history says. For
 * store/lmdb/check.c only.
 */
#ifndef STORE_LMDB_RECORDS_H
#define STORE_LMDB_RECORDS_H

#include "model/tenant.h"
#include "store/store.h"

struct lmdb_entry;

/* Of a current record. */
struct lmdb_current {
    uint64_t version;
    uint64_t hash; /* of its name and its bytes */
};

/* Begins as zeros, with seq set. */
struct lmdb_records {
    uint64_t seq; /* the last one that the store gave to a version */
    struct lmdb_current *currents;
    size_t count, room;
    unsigned char *bytes; /* of a version, as its current record has them */
    size_t size;
    bool lacks_memory; /* nothing is wrong with the store, but memory is out */

    size_t at;     /* of currents, the one whose history is on */
    uint64_t last; /* the version of it that was seen last; 0: none */
    char tenant[TENANT_MAX + 1], key[STORE_KEY_MAX + 1];

    char text[128 + TENANT_MAX + STORE_KEY_MAX]; /* what is wrong */
};

/* Visits (lmdb_tree_fn; ctx is a struct lmdb_records): first all of the current
 * records, then all of the history. */
const char *lmdb_records_current(void *ctx, const struct lmdb_entry *entry);
const char *lmdb_records_version(void *ctx, const struct lmdb_entry *entry);

/* True if every setting has had its history. */
bool lmdb_records_are_whole(const struct lmdb_records *records);

void lmdb_records_clear(struct lmdb_records *records);

#endif
