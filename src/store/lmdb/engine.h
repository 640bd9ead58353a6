// SPDX-License-Identifier: MIT
/* The embedded engine behind store/store.h. Only this room sees LMDB. */
#ifndef STORE_LMDB_ENGINE_H
#define STORE_LMDB_ENGINE_H

#include "base/err.h"

#include <stddef.h>

struct store;
struct store_options;

/* As store_open. */
enum err store_lmdb_open(const struct store_options *options,
                         struct store **store_out, char *why, size_t why_size);

#endif
