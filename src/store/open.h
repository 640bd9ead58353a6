// SPDX-License-Identifier: MIT
/* Which engine a store has. The one file of this room that knows them. */
#ifndef STORE_OPEN_H
#define STORE_OPEN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct store;
struct store_checked;
struct store_options;

/*
 * Opens the LMDB store. Call once per process, after fork. On failure, an
 * operator's explanation is in why (why_size bytes), and nothing was changed:
 * a store of a newer format, a file that is no store, no permission.
 * ERR_BUSY is that another pid would do (see process_renumber): a process with
 * the same one, in another pid namespace, has it open. Nothing is logged then.
 */
enum err store_open(const struct store_options *options,
                    struct store **store_out, char *why, size_t why_size);

/* False if there is none in the directory, or no such directory. Whether it can
 * be opened is another question. */
bool store_exists(const char *path);

/*
 * Looks at all that is in the store at path, as it is at one moment, beside
 * whoever uses it; nothing is opened for writing but the lock file, and nothing
 * read is believed. On failure, why says what is damaged, or why it could not
 * be read. ERR_BUSY: as for store_open.
 */
enum err store_check(const char *path, struct store_checked *checked_out,
                     char *why, size_t why_size);

/* What store_copy left in dir, and dir itself, as root to the owner of the
 * store at path, who is to use it one day. False: errno says why. */
bool store_copy_give(const char *dir, const char *path);

/* Removes what store_copy left in dir, and dir. */
void store_copy_remove(const char *dir);

#endif
