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

/* Told of each key that is passed over: its kid, or NULL; and why, static
 * text. */
typedef void key_set_skip_fn(void *ctx, const char *kid, const char *why);

/*
 * Reads the public keys of the text into set, which is empty; the caller clears
 * it, also after an error. ERR_INVALID, for the reason *why_out, static text:
 * the text is no key set; it has too many keys; or it has keys of which none
 * can be used, which is not the same as a set without any. ERR_NOMEM.
 */
enum err key_set_parse(struct key_set *set, const char *text, size_t len,
                       key_set_skip_fn *skip, void *ctx, const char **why_out);

void key_set_clear(struct key_set *set);

/* The key that has the kid, and of several the one of that alg; without a kid
 * the only key. NULL if there is none. More of the same kid and alg are its
 * twins. */
const struct jwk *key_set_find(const struct key_set *set, const char *kid,
                               const char *alg);

/*
 * Checks a key set that is not used yet. ERR_OK: *count_out of its keys can be
 * used, one at least. ERR_INVALID: as key_set_parse; and a private key is
 * wrong, too, and so is a set without any. ERR_NOMEM.
 */
enum err key_set_check(const char *text, size_t len, key_set_skip_fn *skip,
                       void *ctx, size_t *count_out, const char **why_out);

#endif
