// SPDX-License-Identifier: MIT
/*
 * Keys, key sets and tokens for tests, right ones and forged ones. Signed
 * with OpenSSL alone, so that nothing is checked by what made it. Failures
 * abort; strings are from malloc.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

/* Of 2048 bits, from t/data: to make one is seconds under valgrind. */
EVP_PKEY *tokens_read_rsa(void);
EVP_PKEY *tokens_new_ec(const char *curve); /* "P-256", "P-384", "P-521" */

/* The JWK; kid, alg NULL: left out. extra: more members, or "". */
char *tokens_jwk(const EVP_PKEY *key, const char *kid, const char *alg,
                 const char *extra);
char *tokens_jwk_private(const EVP_PKEY *key, const char *kid, const char *alg);

char *tokens_base64url(const void *bytes, size_t len);

/* header and claims are signed as they are, be they JSON or not. alg is that
 * of the signature; what the header says is the caller's. */
char *tokens_sign(EVP_PKEY *key, const char *alg, const char *header,
                  const char *claims);
char *tokens_sign_hs256(const void *secret, size_t len, const char *header,
                        const char *claims);
char *tokens_join(const char *header, const char *claims, const char *segment);

/* The public key as a file holds it; for attacks that use it as a secret. */
char *tokens_public_pem(EVP_PKEY *key);
unsigned char *tokens_public_der(EVP_PKEY *key, size_t *len_out);

/* Writes dir/name. In place: the inode stays, as an editor may do it. */
void tokens_write(const char *dir, const char *name, const char *text);
/* As tokens_write, by rename. */
void tokens_replace(const char *dir, const char *name, const char *text);
void tokens_remove(const char *dir, const char *name);

char *tokens_format(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Catches what is written to file descriptor 2 from now on. */
void tokens_catch_log(void);
/* What was caught since the last call. */
char *tokens_take_log(void);

#endif
