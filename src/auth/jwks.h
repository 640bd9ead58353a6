// SPDX-License-Identifier: MIT
/*
 * Key sets (RFC 7517), one file per tenant, read again when it changes.
 *
 * A file that is gone takes its keys with it; one that turned unreadable or
 * broken keeps the keys that were loaded before, and the log says so once.
 * A bounded number of sets stays loaded, the least recently used go first.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/jwk.h"
#include "base/err.h"
#include "model/tenant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jwks;

/* What larger files hold is not looked at. */
#define JWKS_BYTES_MAX ((size_t)256 * 1024)

/* path is a template with a slot; copied. NULL on no memory. */
struct jwks *jwks_new(const char *path);
void jwks_free(struct jwks *jwks);

/* Its own, of all paths. */
const struct tenant_template *jwks_template(const struct jwks *jwks);

/*
 * Looks up the tenant's key for a token header. With a kid, the key that has
 * it (of several, the one of that alg); without, the set's only key. The key
 * is valid until the next call. *generation_out changes whenever the tenant's
 * key file did: what was verified under another one must be verified again.
 * ERR_NOTFOUND, ERR_NOMEM.
 *
 * tenant must have passed tenant_is_valid.
 */
enum err jwks_find(struct jwks *jwks, const char *tenant, const char *kid,
                   const char *alg, const struct jwk **key_out,
                   uint64_t *generation_out);

/* True if the tenant has a key that can be used. */
bool jwks_has_key(struct jwks *jwks, const char *tenant);

/* The tenant's current generation; cheap: one stat(2). */
uint64_t jwks_generation(struct jwks *jwks, const char *tenant);

#endif
