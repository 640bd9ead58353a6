// SPDX-License-Identifier: MIT
/*
 * The pages of a data file, read one by one, and nothing in them believed: what
 * LMDB would take on trust, and die of, is found here, and explained. For
 * store/lmdb/check.c and store/lmdb/tree.c only.
 */
#ifndef STORE_LMDB_PAGES_H
#define STORE_LMDB_PAGES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct lmdb_meta;

/* Pages of a snapshot; each is to be reached once. */
struct lmdb_pages {
    int fd;
    size_t page_size, last_page, file_size;
    unsigned char *reached; /* a bit each */
    unsigned char *levels;  /* a page for each level of a tree */
    unsigned char *value;   /* what was read of overflow pages */
    size_t value_size;
    char *why; /* what is wrong, as of ERR_STORE and ERR_NOMEM */
    size_t why_size;
};

/* fd stays the caller's, and open. The meta page is one that
 * store_file_look has let pass. */
enum err lmdb_pages_open(struct lmdb_pages *pages, int fd,
                         const struct lmdb_meta *meta, char *why,
                         size_t why_size);

/* Also of one that could not be opened. */
void lmdb_pages_close(struct lmdb_pages *pages);

/* Reaches a page without looking at it. False if it is none, or was reached
 * before. */
bool lmdb_pages_reach(struct lmdb_pages *pages, size_t number);

/* Reads a page that nobody has reached yet, as that of a level of a tree. */
enum err lmdb_pages_read(struct lmdb_pages *pages, size_t number, size_t level);

/* Reads to value what is len bytes long and begins on page first, which nobody
 * has reached yet, nor any other of its pages. */
enum err lmdb_pages_read_value(struct lmdb_pages *pages, size_t first,
                               size_t len, size_t *count_out);

/* Explains what is wrong with a page, to be read behind "page N". Returns
 * ERR_STORE. */
enum err lmdb_pages_fault(const struct lmdb_pages *pages, size_t number,
                          const char *what);

#endif
