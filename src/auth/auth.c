// SPDX-License-Identifier: MIT
#include "auth/auth.h"

#include "auth/claims.h"
#include "auth/jwks.h"
#include "auth/jwks_scan.h"
#include "auth/jwt.h"
#include "auth/refusal.h"
#include "auth/token_cache.h"
#include "base/log.h"
#include "base/util.h"
#include "metrics/metrics.h"
#include "model/tenant.h"

#include <string.h>
#include <strings.h>

_Static_assert(AUTH_REFUSAL_MAX <= METRICS_REFUSALS_MAX, "room for each");

/* A worker has 12 MiB for everything; a token takes about 1 KiB. */
#define CACHE_ENTRIES_MAX 4096
#define CACHE_BYTES_MAX ((size_t)2 * 1024 * 1024)

#define EARLY_USUAL 60 /* s; see clock_skew in auth.h */

struct auth {
    struct jwks *jwks;
    struct token_cache *cache;
    struct token_verdict verdict; /* of the token at hand */
    char *issuer;
    struct tenant_template issuers; /* of issuer */
    char *tenant_claim;
    char *audience;
    char *read_scope;
    char *write_scope;
    char *secret_scope;
    struct clock_skew skew;
    char ready_tenant[TENANT_MAX + 1]; /* had a key when last asked */
};

static bool
is_scope(const char *scope)
{
    return scope == NULL || (*scope != '\0' && strchr(scope, ' ') == NULL);
}

const char *
auth_options_check(const struct auth_options *options)
{
    struct tenant_template template;
    enum tenant_slots slots;

    if (options->issuer == NULL || *options->issuer == '\0')
        return "issuer: must be set";
    slots = tenant_template_parse(options->issuer, &template);
    if (options->tenant_claim == NULL && slots != TENANT_SLOT_ONE)
        return "issuer: must hold {tenant} exactly once";
    if (options->tenant_claim != NULL && slots != TENANT_SLOT_NONE)
        return "issuer: must not hold {tenant} beside tenant-claim";
    if (options->tenant_claim != NULL && *options->tenant_claim == '\0')
        return "tenant-claim: must not be empty";
    if (options->jwks == NULL || *options->jwks == '\0')
        return "jwks: must be set";
    if (tenant_template_parse(options->jwks, &template) != TENANT_SLOT_ONE)
        return "jwks: must hold {tenant} exactly once";
    if (options->audience != NULL && *options->audience == '\0')
        return "audience: must not be empty";
    if (!is_scope(options->read_scope))
        return "read-scope: must be one scope, without spaces";
    if (!is_scope(options->write_scope))
        return "write-scope: must be one scope, without spaces";
    if (!is_scope(options->secret_scope))
        return "secret-scope: must be one scope, without spaces";
    return NULL;
}

/* True if there was nothing to copy, or memory for it. */
static bool
copy_text(const char *text, char **copy_out)
{
    return text == NULL || (*copy_out = strdup(text)) != NULL;
}

struct auth *
auth_new(const struct auth_options *options)
{
    struct auth *auth = calloc(1, sizeof(*auth));

    if (auth == NULL)
        return NULL;
    auth->jwks = jwks_new(options->jwks);
    auth->cache = token_cache_new(CACHE_ENTRIES_MAX, CACHE_BYTES_MAX);
    if (auth->jwks == NULL || auth->cache == NULL ||
        !copy_text(options->issuer, &auth->issuer) ||
        !copy_text(options->tenant_claim, &auth->tenant_claim) ||
        !copy_text(options->audience, &auth->audience) ||
        !copy_text(options->read_scope, &auth->read_scope) ||
        !copy_text(options->write_scope, &auth->write_scope) ||
        !copy_text(options->secret_scope, &auth->secret_scope)) {
        auth_free(auth);
        return NULL;
    }
    (void)tenant_template_parse(auth->issuer, &auth->issuers); /* checked */
    auth->skew = options->clock_skew < 0
                     ? (struct clock_skew){.early = EARLY_USUAL}
                     : (struct clock_skew){.early = options->clock_skew,
                                           .late = options->clock_skew};
    return auth;
}

void
auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    jwks_free(auth->jwks);
    token_cache_free(auth->cache);
    free(auth->issuer);
    free(auth->tenant_claim);
    free(auth->audience);
    free(auth->read_scope);
    free(auth->write_scope);
    free(auth->secret_scope);
    free(auth);
}

static bool
has_key(void *ctx, const char *tenant)
{
    struct auth *auth = ctx;

    if (!jwks_has_key(auth->jwks, tenant))
        return false;
    memmove(auth->ready_tenant, tenant, strlen(tenant) + 1);
    return true;
}

bool
auth_is_ready(struct auth *auth)
{
    return (*auth->ready_tenant != '\0' && has_key(auth, auth->ready_tenant)) ||
           jwks_scan(jwks_template(auth->jwks), has_key, auth);
}

/* The tenant that the claims name, not yet to be trusted but valid. */
static enum err
find_tenant(const struct auth *auth, const json_t *claims,
            char tenant_out[TENANT_MAX + 1], enum auth_refusal *refusal_out)
{
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    const char *name;

    if (issuer == NULL)
        return jwt_refuse(AUTH_ISSUER, refusal_out);
    if (auth->tenant_claim == NULL)
        return tenant_template_match(&auth->issuers, issuer, tenant_out)
                   ? ERR_OK
                   : jwt_refuse(AUTH_ISSUER, refusal_out);
    if (strcmp(issuer, auth->issuer) != 0)
        return jwt_refuse(AUTH_ISSUER, refusal_out);
    name = json_string_value(json_object_get(claims, auth->tenant_claim));
    return name != NULL && tenant_read(name, strlen(name), tenant_out)
               ? ERR_OK
               : jwt_refuse(AUTH_CLAIM, refusal_out);
}

static enum err
check_signature(struct auth *auth, const struct jwt *jwt, const char *tenant,
                uint64_t *generation_out, enum auth_refusal *refusal_out)
{
    const struct jwk *key = NULL;
    enum err err;

    err =
        jwks_find(auth->jwks, tenant, jwt->kid, jwt->alg, &key, generation_out);
    if (err == ERR_NOTFOUND)
        return jwt_refuse(AUTH_KEY, refusal_out);
    if (err != ERR_OK)
        return err;
    do
        err = jwt_verify(jwt, key, refusal_out);
    while (err == ERR_NOAUTH && (key = key->twin) != NULL);
    return err;
}

static enum err
check_claims(const struct auth *auth, const json_t *claims, int64_t now,
             struct token_verdict *verdict, enum auth_refusal *refusal_out)
{
    struct principal *principal = &verdict->principal;
    const json_t *sub = json_object_get(claims, "sub");
    enum err err;

    err = claims_check_times(claims, now, &auth->skew, &verdict->expires,
                             refusal_out);
    if (err != ERR_OK)
        return err;
    if (auth->audience != NULL && !claims_have_audience(claims, auth->audience))
        return jwt_refuse(AUTH_AUDIENCE, refusal_out);
    if (sub != NULL &&
        (!json_is_string(sub) || json_string_length(sub) > AUTH_SUBJECT_MAX))
        return jwt_refuse(AUTH_CLAIM, refusal_out);
    snprintf(principal->subject, sizeof(principal->subject), "%s",
             sub != NULL ? json_string_value(sub) : "");
    principal->may_read =
        auth->read_scope == NULL || claims_have_scope(claims, auth->read_scope);
    principal->may_write = auth->write_scope == NULL ||
                           claims_have_scope(claims, auth->write_scope);
    principal->may_reveal = auth->secret_scope == NULL ||
                            claims_have_scope(claims, auth->secret_scope);
    return ERR_OK;
}

/* Fills auth->verdict; its tenant as soon as that is known to be valid, so
 * that a refusal can name it. */
static enum err
verify(struct auth *auth, const char *token, size_t len, int64_t now,
       enum auth_refusal *refusal_out)
{
    struct token_verdict *verdict = &auth->verdict;
    char *tenant = verdict->principal.tenant;
    struct jwt jwt;
    enum err err;

    err = jwt_read(token, len, &jwt, refusal_out);
    if (err != ERR_OK)
        return err;
    err = find_tenant(auth, jwt.claims, tenant, refusal_out);
    if (err == ERR_OK)
        err = check_signature(auth, &jwt, tenant, &verdict->generation,
                              refusal_out);
    if (err == ERR_OK)
        err = check_claims(auth, jwt.claims, now, verdict, refusal_out);
    jwt_clear(&jwt);
    return err;
}

/* The token of "Bearer <token>" (RFC 6750, section 2.1), or NULL. */
static const char *
find_token(const char *authorization)
{
    static const char scheme[] = "Bearer ";

    if (authorization == NULL ||
        strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
        return NULL;
    return authorization + strspn(authorization + sizeof(scheme) - 2, " ") +
           sizeof(scheme) - 2;
}

static enum err
authenticate(struct auth *auth, const char *authorization, int64_t now,
             const struct principal **principal_out,
             enum auth_refusal *refusal_out)
{
    const char *token = find_token(authorization);
    const struct token_verdict *known;
    size_t len;
    enum err err;

    if (token == NULL)
        return jwt_refuse(AUTH_MISSING, refusal_out);
    len = strnlen(token, AUTH_TOKEN_MAX + 1);
    known = token_cache_find(auth->cache, token, len);
    if (known != NULL && now < known->expires &&
        known->generation ==
            jwks_generation(auth->jwks, known->principal.tenant)) {
        metrics_inc(METRIC_CACHE_HITS);
        *principal_out = &known->principal;
        return ERR_OK;
    }
    metrics_inc(METRIC_CACHE_MISSES);
    if (known != NULL)
        token_cache_remove(auth->cache, token, len);
    err = verify(auth, token, len, now, refusal_out);
    if (err == ERR_OK) {
        token_cache_put(auth->cache, token, len, &auth->verdict);
        *principal_out = &auth->verdict.principal;
    }
    return err;
}

static enum err
authorize(const struct principal *principal, const char *front_tenant,
          enum access access, enum auth_refusal *refusal_out)
{
    if (front_tenant != NULL && strcmp(front_tenant, principal->tenant) != 0) {
        *refusal_out = AUTH_TENANT;
        return ERR_DENIED;
    }
    if ((access == ACCESS_READ && !principal->may_read) ||
        (access == ACCESS_WRITE && !principal->may_write)) {
        *refusal_out = AUTH_SCOPE;
        return ERR_DENIED;
    }
    return ERR_OK;
}

enum err
auth_check(struct auth *auth, const char *authorization,
           const char *front_tenant, enum access access, int64_t now,
           const char *request_id, const struct principal **principal_out,
           enum auth_refusal *refusal_out)
{
    const struct principal *principal = NULL;
    const char *tenant;
    enum err err;

    auth->verdict = (struct token_verdict){0};
    err = authenticate(auth, authorization, now, &principal, refusal_out);
    tenant =
        principal != NULL ? principal->tenant : auth->verdict.principal.tenant;
    if (err == ERR_OK)
        err = authorize(principal, front_tenant, access, refusal_out);
    if (err == ERR_OK) {
        *principal_out = principal;
    } else if (err != ERR_NOMEM) {
        metrics_inc(METRIC_REFUSALS + *refusal_out);
        log_event(LOG_LEVEL_NOTICE, "refused",
                  LOG_TEXT("reason", auth_refusal_name(*refusal_out)),
                  LOG_TEXT("request_id", request_id),
                  LOG_TEXT(*tenant != '\0' ? "tenant" : NULL, tenant));
    }
    return err;
}
