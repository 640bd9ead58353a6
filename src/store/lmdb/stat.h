// SPDX-License-Identifier: MIT
/* What the store can say of itself. For store/lmdb/engine.c only. */
#ifndef STORE_LMDB_STAT_H
#define STORE_LMDB_STAT_H

#include "base/err.h"

struct lmdb_env;
struct store_stat;
struct store_write;

/* As store_stat. */
enum err lmdb_stat_read(struct lmdb_env *env, struct store_stat *stat_out);

/* Gives the probes among the writes that have not failed with their batch their
 * result, which is returned: whether a write after them would be stored.
 * Without any, ERR_OK. */
enum err lmdb_stat_answer(struct lmdb_env *env, struct store_write *writes);

#endif
