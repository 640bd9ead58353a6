// SPDX-License-Identifier: MIT
/* A tree of a data file, entry by entry, and nothing in it believed. For
 * store/lmdb/check.c only. */
#ifndef STORE_LMDB_TREE_H
#define STORE_LMDB_TREE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct lmdb_pages;
struct lmdb_tree;

/* An entry, which dies with the call that gets it. */
struct lmdb_entry {
    const unsigned char *key, *value;
    size_t key_len, value_len;
    bool is_tree; /* the value is to be a struct lmdb_tree */
};

/* NULL, or what is wrong with it, as of lmdb_pages_fault. */
typedef const char *lmdb_tree_fn(void *ctx, const struct lmdb_entry *entry);

/* Reaches every page of a tree whose keys are numbers, or bytes, and visits
 * every entry in order. ERR_STORE or ERR_NOMEM: the pages say why. */
enum err lmdb_tree_walk(struct lmdb_pages *pages, const struct lmdb_tree *tree,
                        bool is_numbers, lmdb_tree_fn *visit, void *ctx);

#endif
