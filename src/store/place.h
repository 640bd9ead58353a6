// SPDX-License-Identifier: MIT
/*
 * The order in which the versions of a tenant were stored, across its keys: by
 * seq. A version that is older than format 2 has none; it comes before all that
 * have one, and is placed by its time.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "store/record.h"

#include <stdint.h>

/* With TENANT_MAX, keeps an encoded name within LMDB's 511 byte keys. */
#define STORE_KEY_MAX 63

struct store_place {
    uint64_t seq; /* 0: the next three tell */
    int64_t time;
    char key[STORE_KEY_MAX + 1];
    uint64_t version;
};

/* Where a version of the key is. The key has at most STORE_KEY_MAX bytes. */
struct store_place store_place_of(const char *key, const struct record *record);

/* Below 0 if a is older than b, 0 if it is the same place, else above. */
int store_place_compare(const struct store_place *a,
                        const struct store_place *b);

#endif
