// SPDX-License-Identifier: MIT
/* What the store can say of itself. For store/lmdb/engine.c only. */
#ifndef STORE_LMDB_STAT_H
#define STORE_LMDB_STAT_H

#include "base/err.h"

struct lmdb_commit;
struct lmdb_env;
struct store_stat;

/* As store_stat. */
enum err lmdb_stat_read(struct lmdb_env *env, struct store_stat *stat_out);

/* As store_probe. */
enum err lmdb_stat_probe(struct lmdb_commit *commit);

#endif
