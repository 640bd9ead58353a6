// SPDX-License-Identifier: MIT
/*
 * Opening a store of an older format: it is raised first, once and for all.
 * For store/lmdb/engine.c only.
 *
 * A program of the older format would go on writing what it knows, because it
 * compares the format only when it opens the store. So the format is raised
 * while no process has the store open and none can open it, and otherwise not
 * at all. Records stay as they are, so that it takes no time.
 */
#ifndef STORE_LMDB_RAISE_H
#define STORE_LMDB_RAISE_H

#include "base/err.h"

#include <stddef.h>

struct lmdb_env;
struct store_options;

/* As lmdb_env_open; what is open then has the format of this program. Waits a
 * few seconds for others who have a store of an older one open, and then
 * refuses it. */
enum err lmdb_raise_open(struct lmdb_env *env,
                         const struct store_options *options, char *why,
                         size_t why_size);

#endif
