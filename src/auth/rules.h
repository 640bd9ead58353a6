// SPDX-License-Identifier: MIT
/*
 * The rules that a token has to keep, a row each, in the order in which the
 * service asks them: each before anything else is done with what it guards.
 */
#ifndef AUTH_RULES_H
#define AUTH_RULES_H

#include "auth/claims.h"
#include "auth/jwks.h"
#include "auth/jwt.h"
#include "auth/token_cache.h"
#include "model/tenant.h"

#include <stddef.h>
#include <stdint.h>

/* What an operator asks of tokens. Texts are owned; NULL: nothing. */
struct auth_policy {
    char *issuer;
    struct tenant_template issuers; /* of issuer */
    char *tenant_claim;
    char *audience;
    char *read_scope;
    char *write_scope;
    char *secret_scope;
    char *wanted; /* see auth/wanted.h */
    struct clock_skew skew;
};

/* A token on its way through the rules; the first members are given. */
struct inspection {
    const struct auth_policy *policy;
    struct jwks *jwks;
    const char *token; /* ended by a NUL */
    size_t len;
    int64_t now;                   /* seconds since the epoch */
    struct token_verdict *verdict; /* what is known so far; its tenant as soon
                                      as it is valid, though not proven */
    struct jwt jwt;        /* read by the rule on form; see inspection_clear */
    const struct jwk *key; /* of the signature */
};

struct auth_rule {
    const char *name;   /* for people */
    unsigned int needs; /* a bit for each rule that must be kept, or there is
                           nothing to ask */
    /* ERR_NOAUTH: *refusal_out says why. */
    enum err (*check)(struct inspection *inspection,
                      enum auth_refusal *refusal_out);
};

/* The last one is what finds out whom the token speaks for. */
enum { AUTH_RULES = 12, AUTH_RULE_SUBJECT = AUTH_RULES - 1 };
extern const struct auth_rule auth_rules[AUTH_RULES];

/* Asks the rules until one is broken. */
enum err inspection_run(struct inspection *inspection,
                        enum auth_refusal *refusal_out);

void inspection_clear(struct inspection *inspection);

#endif
