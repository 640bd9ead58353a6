// SPDX-License-Identifier: MIT
/* Walks over many records: list and scan of store/lmdb/engine.c. Each has a
 * read transaction of its own, so the visit should be short: while it lasts,
 * pages that writers free cannot be used again, and the file grows. */
#ifndef STORE_LMDB_VISIT_H
#define STORE_LMDB_VISIT_H

#include "store/store.h"

struct lmdb_env;

enum err lmdb_visit_list(struct lmdb_env *env, const char *tenant,
                         store_visit_fn *visit, void *ctx);
enum err lmdb_visit_scan(struct lmdb_env *env, store_visit_fn *visit,
                         void *ctx);

#endif
