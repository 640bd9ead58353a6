// SPDX-License-Identifier: MIT
#include "store/open.h"

#include "store/lmdb/engine.h"

enum err
store_open(const struct store_options *options, struct store **store_out,
           char *why, size_t why_size)
{
    return store_lmdb_open(options, store_out, why, why_size);
}
