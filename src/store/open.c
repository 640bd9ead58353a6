// SPDX-License-Identifier: MIT
#include "store/open.h"

#include "store/lmdb/check.h"
#include "store/lmdb/datafile.h"
#include "store/lmdb/engine.h"

enum err
store_open(const struct store_options *options, struct store **store_out,
           char *why, size_t why_size)
{
    return store_lmdb_open(options, store_out, why, why_size);
}

bool
store_exists(const char *path)
{
    return store_file_exists(path);
}

enum err
store_check(const char *path, struct store_checked *checked_out, char *why,
            size_t why_size)
{
    return lmdb_check(path, checked_out, why, why_size);
}

bool
store_copy_give(const char *dir, const char *path)
{
    return store_file_give(dir, path);
}

void
store_copy_remove(const char *dir)
{
    store_file_remove(dir);
}
