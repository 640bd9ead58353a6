// SPDX-License-Identifier: MIT
/*
 * A JWT in compact form (RFC 7519, RFC 7515): our own guards on its shape and
 * header, and only then the signature.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "auth/jwk.h"
#include "auth/principal.h"
#include "base/err.h"

#include <jansson.h>

/* Bytes; what front ends take as a field. */
#define AUTH_TOKEN_MAX 16384

struct jwt {
    const char *text; /* borrowed */
    size_t len;
    json_t *header;
    json_t *claims;       /* not to be trusted before jwt_verify */
    const char *alg;      /* static; NULL if it is none of jwk_find_alg's */
    const char *kid;      /* in header; NULL if it has none */
    size_t signature_len; /* bytes */
};

static inline enum err
jwt_refuse(enum auth_refusal refusal, enum auth_refusal *refusal_out)
{
    *refusal_out = refusal;
    return ERR_NOAUTH;
}

/*
 * Reads a token of len bytes, which a NUL must end; clear it with jwt_clear.
 * ERR_NOAUTH: *refusal_out is AUTH_MALFORMED: it is no JWS of two JSON objects,
 * one has duplicate members (RFC 7515, section 4), or kid is no string.
 * ERR_NOMEM.
 */
enum err jwt_read(const char *text, size_t len, struct jwt *jwt_out,
                  enum auth_refusal *refusal_out);
void jwt_clear(struct jwt *jwt);

/* Refuses crit and b64 by AUTH_CRIT. */
enum err jwt_check_critical(const struct jwt *jwt,
                            enum auth_refusal *refusal_out);

/* Refuses by AUTH_TYPE a typ other than JWT and at+jwt (RFC 9068), so that what
 * an issuer signs for another purpose is no access token here (RFC 8725,
 * section 3.11). */
enum err jwt_check_type(const struct jwt *jwt, enum auth_refusal *refusal_out);

/* ERR_NOAUTH: *refusal_out is AUTH_ALG if the key is for another algorithm,
 * else AUTH_SIGNATURE. */
enum err jwt_verify(const struct jwt *jwt, const struct jwk *key,
                    enum auth_refusal *refusal_out);

/* A token of these claims, signed by a private key; from malloc. NULL if that
 * cannot be done. */
char *jwt_sign(const struct jwk *key, const json_t *claims);

#endif
