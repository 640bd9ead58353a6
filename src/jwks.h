// SPDX-License-Identifier: MIT
/*
 * Key sets (RFC 7517), one file per tenant, read again when it changes.
 *
 * A file that is gone takes its keys with it; one that turned unreadable or
 * broken keeps the keys that were loaded before, and the log says so once.
 */
#ifndef JWKS_H
#define JWKS_H

#include "err.h"

#include <cjose/cjose.h>
#include <stddef.h>
#include <stdint.h>

struct jwks;

/* One key of a set. */
struct jwks_key {
    cjose_jwk_t *jwk;
    char *kid;       /* NULL if the JWK has none */
    const char *alg; /* the only alg it may verify; static */
};

/* path holds {tenant} once; copied. NULL on no memory. */
struct jwks *jwks_new(const char *path);
void jwks_free(struct jwks *jwks);

/*
 * Looks up the tenant's key for a token header. With a kid, the key that has
 * it; without, the set's only key. NULL if there is none. The key is valid
 * until the next call. *generation_out changes whenever the tenant's key file
 * did: what was verified under another generation must be verified again.
 */
const struct jwks_key *jwks_find(struct jwks *jwks, const char *tenant,
                                 const char *kid, uint64_t *generation_out);

/* The tenant's current generation; cheap: one stat(2). */
uint64_t jwks_generation(struct jwks *jwks, const char *tenant);

#endif
