// SPDX-License-Identifier: MIT
/* Whom a token speaks for and what it lets them do, or why it was refused. */
#ifndef AUTH_PRINCIPAL_H
#define AUTH_PRINCIPAL_H

#include "model/tenant.h"

#include <stdbool.h>

#define AUTH_SUBJECT_MAX 255 /* OpenID Connect Core 1.0, section 2 */

/* ACCESS_OPERATOR: no token, but the front end's word for who asks. */
enum access { ACCESS_NONE, ACCESS_OPERATOR, ACCESS_READ, ACCESS_WRITE };

/* Whom a token speaks for. */
struct principal {
    char tenant[TENANT_MAX + 1];
    char subject[AUTH_SUBJECT_MAX + 1]; /* "" if the token has no sub */
    bool may_read;
    bool may_write;
    bool may_reveal; /* see secrets, where it may read */
};

/* Why a token was refused: the log's and the metrics' word for it. */
enum auth_refusal {
    AUTH_ACCEPTED,
    AUTH_MISSING,   /* no Authorization header, or not Bearer */
    AUTH_TOO_LONG,  /* more than AUTH_TOKEN_MAX */
    AUTH_MALFORMED, /* not three segments of base64url JSON */
    AUTH_ALG,       /* alg not ours, or not the key's */
    AUTH_CRIT,      /* a critical extension (RFC 7515, section 4.1.11) */
    AUTH_TYPE,      /* typed as something else */
    AUTH_ISSUER,    /* iss absent, not a string, not of the template */
    AUTH_KEY,       /* no key set, or no such kid in it; with no kid, not
                       exactly one key */
    AUTH_SIGNATURE,
    AUTH_EXPIRED, /* exp passed, by more than the clocks may differ */
    AUTH_EARLY,   /* nbf or iat in the future, by more than they may */
    AUTH_CLAIM,   /* a claim absent or of the wrong type */
    AUTH_AUDIENCE,
    AUTH_TENANT, /* not the tenant of the front end (403) */
    AUTH_SCOPE,  /* lacks the scope (403) */
    AUTH_REFUSAL_MAX
};

#endif
