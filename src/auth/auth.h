// SPDX-License-Identifier: MIT
/*
 * Bearer token to principal (RFC 6750, RFC 7519, RFC 7515).
 *
 * The token's own rules are in auth/rules.h; then come the front end's tenant
 * and the scope.
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "auth/principal.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct auth;

/* Behind the path of a key set: what a fetch leaves that has failed. */
#define AUTH_FAILED_SUFFIX ".failed"

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
    const char *wanted; /* directory in which a tenant's key set is asked for,
                           see auth/wanted.h; NULL: it is not */
    int64_t clock_skew; /* seconds by which clocks may differ; -1: 60 for nbf
                           and iat, none for exp */
};

/* NULL on no memory. The options must have passed auth_options_check. */
struct auth *auth_new(const struct auth_options *options);
void auth_free(struct auth *auth);

/* NULL if they make sense, else a static text that names the option and says
 * what is wrong with it, e.g. "jwks: must hold {tenant} exactly once". */
const char *auth_options_check(const struct auth_options *options);

/* True if there is a tenant whose keys can be used. */
bool auth_is_ready(struct auth *auth);

/* How many tenants have a key set that could not be fetched last time: the file
 * PATH.failed is there, which `orderconf keys fetch` leaves and removes. */
uint64_t auth_count_failing(const struct auth *auth);

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

/* Told of each rule: whether there was something to ask, and then why the token
 * breaks it, or AUTH_ACCEPTED. */
typedef void auth_told_fn(void *ctx, const char *rule, bool is_asked,
                          enum auth_refusal refusal);

/* Asks all rules of a token, for somebody who looks for what is wrong with it,
 * and then what its scope allows: AUTH_SCOPE is no refusal of the token.
 * *principal_out is what it says, and proven only if it keeps all rules.
 * ERR_NOMEM. */
enum err auth_explain(struct auth *auth, const char *token, int64_t now,
                      auth_told_fn *told, void *ctx,
                      struct principal *principal_out);

#endif
