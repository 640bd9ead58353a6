// SPDX-License-Identifier: MIT
/*
 * One JSON Web Key (RFC 7517; RFC 7518, section 6) for signatures.
 *
 * A key has exactly one algorithm: the JWK's own alg, else the usual one of
 * its type (RS256; ES256, ES384, ES512 by curve). So a token cannot choose.
 */
#ifndef AUTH_JWK_H
#define AUTH_JWK_H

#include "base/err.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <stddef.h>

struct jwk {
    cjose_jwk_t *key;
    char *kid;              /* NULL if the JWK has none */
    const char *alg;        /* static */
    size_t signature_len;   /* bytes of every signature by this key */
    const struct jwk *twin; /* another one of its set with this kid and alg, or
                               NULL: a token may be signed by either */
};

enum jwk_part {
    JWK_PUBLIC, /* private members are not even looked at */
    JWK_PRIVATE,
};

/* The static name of an algorithm that we accept: RS, PS or ES with 256, 384
 * or 512. NULL for any other, above all none and HS*. */
const char *jwk_find_alg(const char *name);

/* True if the JWK holds private or symmetric key material. */
bool jwk_is_private(const json_t *json);

/* The public half of an RSA or EC JWK, with its kid and alg: what may be shown
 * to anybody. NULL on no memory. */
json_t *jwk_copy_public(const json_t *json);

/*
 * Makes a key to verify (JWK_PUBLIC) or sign (JWK_PRIVATE) with; clear it with
 * jwk_clear. ERR_INVALID: it is not fit for that, and *why_out says why; the
 * text is static. ERR_NOMEM.
 */
enum err jwk_read(const json_t *json, enum jwk_part part, struct jwk *jwk_out,
                  const char **why_out);
void jwk_clear(struct jwk *jwk);

#endif
