// SPDX-License-Identifier: MIT
/* The keys of a key set (RFC 7517). Those that are of no use here are skipped
 * (section 5). */
#ifndef AUTH_KEY_SET_H
#define AUTH_KEY_SET_H

#include "auth/jwk.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Zeroed is one without keys. */
struct key_set {
    struct jwk *keys;
    size_t count;
    size_t skipped;
    bool has_private; /* one of them, used or not, holds a private key */
};

/* Reads the public keys of the text into set, which is empty; the caller clears
 * it, also after an error. ERR_INVALID: the text is no key set, or has too many
 * keys, for the reason *why_out, static text. ERR_NOMEM. */
enum err key_set_parse(struct key_set *set, const char *text, size_t len,
                       const char **why_out);

void key_set_clear(struct key_set *set);

/* The key that has the kid, and of several the one of that alg; without a kid
 * the only key. NULL if there is none. */
const struct jwk *key_set_find(const struct key_set *set, const char *kid,
                               const char *alg);

/*
 * Checks a key set that is not used yet. ERR_OK: *count_out of its keys can be
 * used, one at least. ERR_INVALID: *why_out says what is wrong with it, static
 * text; a private key is wrong, too. ERR_NOMEM.
 */
enum err key_set_check(const char *text, size_t len, size_t *count_out,
                       const char **why_out);

#endif
