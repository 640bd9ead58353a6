// SPDX-License-Identifier: MIT
/*
 * Tokens that were verified, and what came of it. Bounded in entries and in
 * bytes; the least recently used go first. Not thread safe.
 */
#ifndef AUTH_TOKEN_CACHE_H
#define AUTH_TOKEN_CACHE_H

#include "auth/principal.h"

#include <stddef.h>
#include <stdint.h>

struct token_cache;

struct token_verdict {
    struct principal principal;
    int64_t expires;     /* seconds since the epoch */
    uint64_t generation; /* of the key set, see auth/jwks.h */
};

/* NULL on no memory. */
struct token_cache *token_cache_new(size_t entries_max, size_t bytes_max);
void token_cache_free(struct token_cache *cache);

/* The verdict on exactly this token, or NULL. Valid until the next call. */
const struct token_verdict *token_cache_find(struct token_cache *cache,
                                             const char *token, size_t len);

/* Remembers the token, or replaces its verdict. Without memory for it, it is
 * simply not remembered. */
void token_cache_put(struct token_cache *cache, const char *token, size_t len,
                     const struct token_verdict *verdict);

void token_cache_remove(struct token_cache *cache, const char *token,
                        size_t len);

/* For tests and metrics. */
size_t token_cache_count(const struct token_cache *cache);
size_t token_cache_bytes(const struct token_cache *cache);

#endif
