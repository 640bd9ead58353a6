// SPDX-License-Identifier: MIT
#include "auth/auth.h"

#include "auth/jwks.h"
#include "auth/jwks_scan.h"
#include "auth/refusal.h"
#include "auth/rules.h"
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
    struct auth_policy policy;
    char *failed; /* path template of what a fetch leaves that has failed */
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

static bool
copy_policy(const struct auth_options *options, struct auth_policy *policy)
{
    if (!copy_text(options->issuer, &policy->issuer) ||
        !copy_text(options->tenant_claim, &policy->tenant_claim) ||
        !copy_text(options->audience, &policy->audience) ||
        !copy_text(options->read_scope, &policy->read_scope) ||
        !copy_text(options->write_scope, &policy->write_scope) ||
        !copy_text(options->secret_scope, &policy->secret_scope) ||
        !copy_text(options->wanted, &policy->wanted))
        return false;
    (void)tenant_template_parse(policy->issuer, &policy->issuers); /* checked */
    policy->skew = options->clock_skew < 0
                       ? (struct clock_skew){.early = EARLY_USUAL}
                       : (struct clock_skew){.early = options->clock_skew,
                                             .late = options->clock_skew};
    return true;
}

struct auth *
auth_new(const struct auth_options *options)
{
    struct auth *auth = calloc(1, sizeof(*auth));

    if (auth == NULL)
        return NULL;
    auth->jwks = jwks_new(options->jwks);
    auth->cache = token_cache_new(CACHE_ENTRIES_MAX, CACHE_BYTES_MAX);
    if (asprintf(&auth->failed, "%s" AUTH_FAILED_SUFFIX, options->jwks) < 0)
        auth->failed = NULL;
    if (auth->jwks == NULL || auth->cache == NULL || auth->failed == NULL ||
        !copy_policy(options, &auth->policy)) {
        auth_free(auth);
        return NULL;
    }
    return auth;
}

void
auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    jwks_free(auth->jwks);
    token_cache_free(auth->cache);
    free(auth->policy.issuer);
    free(auth->policy.tenant_claim);
    free(auth->policy.audience);
    free(auth->policy.read_scope);
    free(auth->policy.write_scope);
    free(auth->policy.secret_scope);
    free(auth->policy.wanted);
    free(auth->failed);
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

static bool
count(void *ctx, const char *tenant)
{
    (void)tenant;
    ++*(uint64_t *)ctx;
    return false;
}

uint64_t
auth_count_failing(const struct auth *auth)
{
    struct tenant_template template;
    uint64_t failing = 0;

    (void)tenant_template_parse(auth->failed, &template); /* as the key set's */
    (void)jwks_scan(&template, count, &failing);
    return failing;
}

bool
auth_is_ready(struct auth *auth)
{
    return (*auth->ready_tenant != '\0' && has_key(auth, auth->ready_tenant)) ||
           jwks_scan(jwks_template(auth->jwks), has_key, auth);
}

/* An inspection of a token, whose verdict is auth->verdict: its tenant is known
 * there as soon as it is valid, so that a refusal can name it. */
static struct inspection
begin_inspection(struct auth *auth, const char *token, size_t len, int64_t now)
{
    return (struct inspection){
        .policy = &auth->policy,
        .jwks = auth->jwks,
        .token = token,
        .len = len,
        .now = now,
        .verdict = &auth->verdict,
    };
}

static enum err
verify(struct auth *auth, const char *token, size_t len, int64_t now,
       enum auth_refusal *refusal_out)
{
    struct inspection inspection = begin_inspection(auth, token, len, now);
    enum err err = inspection_run(&inspection, refusal_out);

    inspection_clear(&inspection);
    return err;
}

/* What the subject may do, if that is known. */
static void
tell_scopes(const struct principal *principal, bool is_known,
            auth_told_fn *told, void *ctx)
{
    const struct {
        const char *rule;
        bool is_granted;
    } scopes[] = {
        {"scope to read", principal->may_read},
        {"scope to write", principal->may_write},
        {"scope to see secrets", principal->may_reveal},
    };

    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
        told(ctx, scopes[i].rule, is_known,
             is_known && !scopes[i].is_granted ? AUTH_SCOPE : AUTH_ACCEPTED);
}

enum err
auth_explain(struct auth *auth, const char *token, int64_t now,
             auth_told_fn *told, void *ctx, struct principal *principal_out)
{
    struct inspection inspection =
        begin_inspection(auth, token, strlen(token), now);
    unsigned int kept = 0;
    enum err err = ERR_OK;

    auth->verdict = (struct token_verdict){0};
    for (size_t i = 0; i < AUTH_RULES && err != ERR_NOMEM; i++) {
        const struct auth_rule *rule = &auth_rules[i];
        enum auth_refusal refusal = AUTH_ACCEPTED;

        if ((kept & rule->needs) != rule->needs) {
            told(ctx, rule->name, false, AUTH_ACCEPTED);
            continue;
        }
        err = rule->check(&inspection, &refusal);
        if (err == ERR_OK)
            kept |= 1u << i;
        if (err != ERR_NOMEM)
            told(ctx, rule->name, true, refusal);
    }
    inspection_clear(&inspection);
    *principal_out = auth->verdict.principal;
    if (err == ERR_NOMEM)
        return err;
    tell_scopes(principal_out, (kept & 1u << AUTH_RULE_SUBJECT) != 0, told,
                ctx);
    return ERR_OK;
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
