// SPDX-License-Identifier: MIT
/* Makes keys, for the admin program and its users; the service only reads. */
#ifndef AUTH_JWK_MAKE_H
#define AUTH_JWK_MAKE_H

#include <jansson.h>

/* A new private JWK with kid (its thumbprint), alg and use. alg is one of
 * jwk_find_alg's; bits is the size of an RSA key. NULL if it cannot be made. */
json_t *jwk_make(const char *alg, unsigned bits);

/* The thumbprint of an RSA or EC key (RFC 7638) by SHA-256, in base64url, from
 * malloc. NULL on no memory. */
char *jwk_thumbprint(const json_t *jwk);

#endif
