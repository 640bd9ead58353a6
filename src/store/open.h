// SPDX-License-Identifier: MIT
/* Which engine a store has. The one file of this room that knows them. */
#ifndef STORE_OPEN_H
#define STORE_OPEN_H

#include "base/err.h"

#include <stddef.h>

struct store;
struct store_options;

/*
 * Opens the LMDB store. Call once per process, after fork. On failure, an
 * operator's explanation is in why (why_size bytes), and nothing was changed:
 * a store of a newer format, a file that is no store, no permission.
 */
enum err store_open(const struct store_options *options,
                    struct store **store_out, char *why, size_t why_size);

#endif
