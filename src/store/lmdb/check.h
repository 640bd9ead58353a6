// SPDX-License-Identifier: MIT
/*
 * A look at every page and every record of a store that is not open here, as
 * they are at one moment, beside whoever uses it. For store/open.c, and for
 * store/lmdb/create.c.
 *
 * LMDB believes what it reads, and dies of a page that is not what it should
 * be. So it is asked for a snapshot only, which keeps the pages from being used
 * again; they are read without it. A child that LMDB may kill would do, too,
 * but only for what it happens to read: not for a page that is both free and in
 * use, of which it would die, or lose data, later.
 */
#ifndef STORE_LMDB_CHECK_H
#define STORE_LMDB_CHECK_H

#include "base/err.h"

#include <stddef.h>

struct store_checked;

/* As store_check. */
enum err lmdb_check(const char *path, struct store_checked *checked_out,
                    char *why, size_t why_size);

/* The same of pages only: a record may be damaged. */
enum err lmdb_check_pages(const char *path, char *why, size_t why_size);

#endif
