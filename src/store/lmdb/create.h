// SPDX-License-Identifier: MIT
/*
 * Making and opening an LMDB store so that it is whole or refused.
 */
#ifndef STORE_LMDB_CREATE_H
#define STORE_LMDB_CREATE_H

#include "base/err.h"

#include <lmdb.h>
#include <stdint.h>

/* An open environment and its sub-databases. */
struct lmdb_handles {
    MDB_env *env;
    MDB_dbi meta, config, history;
    uint64_t format; /* that of the program, or an older one */
};

/*
 * Makes an empty store in a file that nobody else uses, for there is no lock
 * file. 0, and the environment is the caller's; or LMDB's error.
 */
int lmdb_file_make(const char *path, size_t map_size, unsigned int flags,
                   struct lmdb_handles *handles_out);

/*
 * Makes the directory and an empty store in it, unless there is one. It
 * appears under its name when it is complete and on disk. Failures of this
 * and the next are explained in why.
 */
enum err lmdb_file_create(const char *path, size_t map_size, char *why,
                          size_t why_size);

/* Opens the store, after checking all that LMDB would take on trust. map_size 0
 * is what it was last written with. */
enum err lmdb_file_open(const char *path, size_t map_size,
                        struct lmdb_handles *handles_out, char *why,
                        size_t why_size);

#endif
