// SPDX-License-Identifier: MIT
/*
 * Bearer token to principal (RFC 6750, RFC 7519, RFC 7515).
 *
 * The guards run in this order, each before anything else is done with what
 * it guards: size and shape; the header's alg against our list, no crit; the
 * issuer's tenant; the tenant's key by kid and the key's own alg; the
 * signature; the claims; the front end's tenant; the scope.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/err.h"
#include "model/tenant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auth;

#define AUTH_SUBJECT_MAX 255 /* OpenID Connect Core 1.0, section 2 */
#define AUTH_TOKEN_MAX 8192
#define AUTH_LEEWAY 60 /* seconds that clocks may differ */

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
    AUTH_MALFORMED, /* not three segments of base64url JSON, too big, or
                       typed as something else */
    AUTH_ALG,       /* alg not ours, or not the key's */
    AUTH_CRIT,      /* a critical extension (RFC 7515, section 4.1.11) */
    AUTH_ISSUER,    /* iss absent, not a string, not of the template */
    AUTH_KEY,       /* no key set, or no such kid in it; with no kid, not
                       exactly one key */
    AUTH_SIGNATURE,
    AUTH_EXPIRED, /* exp passed: no leeway */
    AUTH_EARLY,   /* nbf or iat more than AUTH_LEEWAY in the future */
    AUTH_CLAIM,   /* a claim absent or of the wrong type */
    AUTH_AUDIENCE,
    AUTH_TENANT, /* not the tenant of the front end (403) */
    AUTH_SCOPE,  /* lacks the scope (403) */
    AUTH_REFUSAL_MAX
};

/* The refusal's name, e.g. "expired"; static. */
const char *auth_refusal_name(enum auth_refusal refusal);

/* Templates hold {tenant} exactly once. Strings are copied by auth_new. */
struct auth_options {
    const char *issuer;       /* "https://id.example.com/realms/{tenant}"; with
                                 tenant_claim, the one issuer, without {tenant} */
    const char *tenant_claim; /* claim that names the tenant, or NULL */
    const char *jwks;         /* path template, "/etc/…/{tenant}.json" */
    const char *audience;     /* required in aud, or NULL */
    const char *read_scope;   /* required in scope to read, or NULL */
    const char *write_scope;  /* required in scope to write, or NULL */
    const char *secret_scope; /* required in scope to see secrets, or NULL */
};

/* NULL on no memory. The options must have passed auth_options_check. */
struct auth *auth_new(const struct auth_options *options);
void auth_free(struct auth *auth);

/* NULL if they make sense, else a static text that names the option and says
 * what is wrong with it, e.g. "jwks: must hold {tenant} exactly once". */
const char *auth_options_check(const struct auth_options *options);

/* True if there is a tenant whose keys can be used. */
bool auth_is_ready(struct auth *auth);

/*
 * Checks the value of an Authorization header (NULL if absent) at time now
 * (seconds since the epoch). front_tenant is the front end's TENANT, or NULL.
 *
 * ERR_OK: *principal_out is valid until the next call. ERR_NOAUTH, ERR_DENIED:
 * *refusal_out says why, it is counted, and a log line was written that holds
 * no part of the token. ERR_NOMEM. Not thread safe: one struct auth per loop.
 */
enum err auth_check(struct auth *auth, const char *authorization,
                    const char *front_tenant, enum access access, int64_t now,
                    const char *request_id,
                    const struct principal **principal_out,
                    enum auth_refusal *refusal_out);

#endif
