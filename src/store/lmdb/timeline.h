// SPDX-License-Identifier: MIT
/*
 * The histories of a tenant's keys as one, in the order of their seq. Each is
 * in that order already, so they are merged as they are read, and the place to
 * begin at is found by halving: what it costs depends on the tenant's own
 * history alone.
 */
#ifndef STORE_LMDB_TIMELINE_H
#define STORE_LMDB_TIMELINE_H

#include "store/lmdb/env.h"
#include "store/store.h"

/* As store_timeline. Has a read transaction of its own: see
 * store/lmdb/visit.h. */
enum err lmdb_timeline_visit(struct lmdb_env *env, const char *tenant,
                             enum store_direction direction,
                             const struct store_place *from,
                             store_timeline_fn *visit, void *ctx);

#endif
