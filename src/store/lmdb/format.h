// SPDX-License-Identifier: MIT
/*
 * LMDB's file format, version 1, as mdb.c 0.9 has it (MDB_page, MDB_node,
 * MDB_db, MDB_meta); in the machine's own byte order. For those who look at a
 * data file without LMDB.
 *
 * Pages 0 and 1 are meta pages, which commits write by turns: the one with the
 * higher number counts. A tree's branch pages lead to its leaf pages, which all
 * are at the same depth. A value too large for a leaf has overflow pages of its
 * own, in a row, the first of which has a header.
 */
#ifndef STORE_LMDB_FORMAT_H
#define STORE_LMDB_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define LMDB_MAGIC 0xBEEFC0DE
#define LMDB_VERSION 1
#define LMDB_PAGE_SIZE_MAX 0x8000
#define LMDB_KEY_MAX 511
#define LMDB_DEPTH_MAX 32
#define LMDB_NO_PAGE SIZE_MAX /* the root of an empty tree */

enum {
    LMDB_BRANCH = 0x01,
    LMDB_LEAF = 0x02,
    LMDB_OVERFLOW = 0x04,
    LMDB_META = 0x08,
};

struct lmdb_page {
    size_t number;
    uint16_t pad, flags;
    union {
        struct {
            uint16_t lower, upper; /* the free space: behind the offsets of the
                                      nodes, before the nodes */
        };
        uint32_t pages; /* of an overflow page: how many there are in a row */
    };
};

/* In front of whatever a page holds (mdb.c: PAGEHDRSZ). */
#define LMDB_PAGE_HEAD sizeof(struct lmdb_page)
_Static_assert(LMDB_PAGE_HEAD == 16, "as LMDB has it");

/* An entry of a page is at an even offset: this, a key, and in a leaf a value,
 * or the number of its first overflow page. */
struct lmdb_node {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint16_t low, high; /* of the value's length; with flags as the highest bits
                           the number of a branch's child */
#else
    uint16_t high, low;
#endif
    uint16_t flags;
    uint16_t key_len;
};

enum { LMDB_NODE_OVERFLOW = 0x01, LMDB_NODE_TREE = 0x02 };

enum { LMDB_TREE_FLAGS = 0xff, LMDB_TREE_NUMBERS = 0x08 };

struct lmdb_tree {
    uint32_t page_size; /* in the first tree of a meta page */
    uint16_t flags, depth;
    size_t branch_pages, leaf_pages, overflow_pages, entries, root;
};

struct lmdb_meta {
    struct lmdb_page page;
    uint32_t magic, version;
    void *address;
    size_t map_size;
    struct lmdb_tree free, names;
    size_t last_page;
    size_t transaction;
};

#endif
