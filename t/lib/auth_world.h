// SPDX-License-Identifier: MIT
/*
 * What tests of auth/auth.c share: two tenants with their keys, a struct auth
 * that reads them, and checks of what it answers. One per test process.
 */
#ifndef AUTH_WORLD_H
#define AUTH_WORLD_H

#include "auth/auth.h"
#include "base/util.h"
#include "tokens.h"

#include <stdint.h>

#define NOW 1700000000
#define ISSUER "https://id.example.com/realms/"
#define ISS_ACME "\"iss\":\"" ISSUER "acme\""
#define GOOD "{" ISS_ACME ",\"sub\":\"ada\",\"exp\":1700000060}"
#define HEADER_EC "{\"alg\":\"ES256\",\"kid\":\"ec\"}"
#define HEADER_RSA "{\"alg\":\"RS256\",\"kid\":\"rsa\"}"

/* The set of acme has ec, and after world_set_up_rsa also rsa; that of other
 * has ec_other, under the same kid "ec". No JWK has an alg. */
struct world {
    char *dir;
    EVP_PKEY *ec, *rsa, *ec_other;
    struct auth *auth;
    /* Of the last check: */
    const struct principal *principal;
    enum auth_refusal refusal;
};
extern struct world world;

/* Catches the log, too. */
void world_set_up(void);
void world_set_up_rsa(void);
void world_tear_down(void);

/* Begins again with other options; issuer and jwks are filled in, and so is
 * clock_skew, if it is 0. */
void world_restart(struct auth_options options);

/* Writes a key set of two JWKs, or of one if the second is "". */
void world_write_set(const char *name, const char *first, const char *second);

/* Signed by ec. */
char *world_sign(const char *claims);

enum err world_check(const char *authorization, const char *front_tenant,
                     enum access access, int64_t now);
enum err world_check_token(const char *token, int64_t now);

/* That it is refused as expected, with 401, and that the log says so without
 * a part of it. name tells the case. */
void world_assert_refused(const char *name, const char *authorization,
                          enum auth_refusal expected);
void world_assert_token_refused(const char *name, const char *token,
                                enum auth_refusal expected);
/* That acme's token is accepted, and nothing logged. */
void world_assert_accepted(const char *name, const char *token);
/* That no 12 characters in a row of the token are in the log. */
void world_assert_clean(const char *name, const char *log, const char *token);

#endif
