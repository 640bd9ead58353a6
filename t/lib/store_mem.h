// SPDX-License-Identifier: MIT
/* A store in memory, for tests of what uses a store. Behaves as the LMDB one:
 * t/unit/store/store.c runs over both. */
#ifndef STORE_MEM_H
#define STORE_MEM_H

#include "base/err.h"

#include <stdint.h>

struct store;

/* Closed by store_close. Aborts if it cannot store for lack of memory; reads
 * do not. Any thread may use it. */
struct store *store_mem_new(void);

/* As history of struct store_options; at first, all versions are kept. */
void store_mem_keep(struct store *store, uint64_t history);

/* Its versions become those of record layout 1: without seq and write id, and
 * only the history knows who made them. Later ones are as ever. */
void store_mem_age(struct store *store);

/* From now on every commit and every probe fails with err, and stores nothing;
 * ERR_OK ends that. */
void store_mem_fail(struct store *store, enum err err);

#endif
