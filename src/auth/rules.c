// SPDX-License-Identifier: MIT
#include "auth/rules.h"

#include "auth/wanted.h"

#include <stdio.h>
#include <string.h>

static enum err
check_length(struct inspection *at, enum auth_refusal *refusal_out)
{
    return at->len <= AUTH_TOKEN_MAX ? ERR_OK
                                     : jwt_refuse(AUTH_TOO_LONG, refusal_out);
}

static enum err
check_form(struct inspection *at, enum auth_refusal *refusal_out)
{
    return jwt_read(at->token, at->len, &at->jwt, refusal_out);
}

static enum err
check_algorithm(struct inspection *at, enum auth_refusal *refusal_out)
{
    return at->jwt.alg != NULL ? ERR_OK : jwt_refuse(AUTH_ALG, refusal_out);
}

static enum err
check_critical(struct inspection *at, enum auth_refusal *refusal_out)
{
    return jwt_check_critical(&at->jwt, refusal_out);
}

static enum err
check_type(struct inspection *at, enum auth_refusal *refusal_out)
{
    return jwt_check_type(&at->jwt, refusal_out);
}

/* The tenant that the claims name, not yet to be trusted but valid. */
static enum err
check_issuer(struct inspection *at, enum auth_refusal *refusal_out)
{
    const struct auth_policy *policy = at->policy;
    const json_t *claims = at->jwt.claims;
    const char *issuer = json_string_value(json_object_get(claims, "iss"));
    char *tenant = at->verdict->principal.tenant;
    const char *name;

    if (issuer == NULL)
        return jwt_refuse(AUTH_ISSUER, refusal_out);
    if (policy->tenant_claim == NULL)
        return tenant_template_match(&policy->issuers, issuer, tenant)
                   ? ERR_OK
                   : jwt_refuse(AUTH_ISSUER, refusal_out);
    if (strcmp(issuer, policy->issuer) != 0)
        return jwt_refuse(AUTH_ISSUER, refusal_out);
    name = json_string_value(json_object_get(claims, policy->tenant_claim));
    return name != NULL && tenant_read(name, strlen(name), tenant)
               ? ERR_OK
               : jwt_refuse(AUTH_CLAIM, refusal_out);
}

/* A key that is not in the tenant's set may be one that its provider has begun
 * to sign with. Who has no set asks for none. */
static void
ask_for_key(const struct inspection *at, const char *tenant)
{
    const char *dir = at->policy->wanted;

    if (dir != NULL && at->jwt.kid != NULL && jwks_has_key(at->jwks, tenant))
        wanted_ask(dir, tenant, at->now);
}

static enum err
check_key(struct inspection *at, enum auth_refusal *refusal_out)
{
    struct token_verdict *verdict = at->verdict;
    const char *tenant = verdict->principal.tenant;
    enum err err = jwks_find(at->jwks, tenant, at->jwt.kid, at->jwt.alg,
                             &at->key, &verdict->generation);

    if (err != ERR_NOTFOUND)
        return err;
    ask_for_key(at, tenant);
    return jwt_refuse(AUTH_KEY, refusal_out);
}

static enum err
check_signature(struct inspection *at, enum auth_refusal *refusal_out)
{
    const struct jwk *key = at->key;
    enum err err;

    do
        err = jwt_verify(&at->jwt, key, refusal_out);
    while (err == ERR_NOAUTH && (key = key->twin) != NULL);
    return err;
}

static enum err
check_end(struct inspection *at, enum auth_refusal *refusal_out)
{
    return claims_check_end(at->jwt.claims, at->now, &at->policy->skew,
                            &at->verdict->expires, refusal_out);
}

static enum err
check_start(struct inspection *at, enum auth_refusal *refusal_out)
{
    return claims_check_start(at->jwt.claims, at->now, &at->policy->skew,
                              refusal_out);
}

static enum err
check_audience(struct inspection *at, enum auth_refusal *refusal_out)
{
    const char *audience = at->policy->audience;

    return audience == NULL || claims_have_audience(at->jwt.claims, audience)
               ? ERR_OK
               : jwt_refuse(AUTH_AUDIENCE, refusal_out);
}

static bool
is_granted(const struct inspection *at, const char *scope)
{
    return scope == NULL || claims_have_scope(at->jwt.claims, scope);
}

/* Whom it speaks for; what they may do is no refusal yet. */
static enum err
check_subject(struct inspection *at, enum auth_refusal *refusal_out)
{
    struct principal *principal = &at->verdict->principal;
    const json_t *sub = json_object_get(at->jwt.claims, "sub");

    if (sub != NULL &&
        (!json_is_string(sub) || json_string_length(sub) > AUTH_SUBJECT_MAX))
        return jwt_refuse(AUTH_CLAIM, refusal_out);
    snprintf(principal->subject, sizeof(principal->subject), "%s",
             sub != NULL ? json_string_value(sub) : "");
    principal->may_read = is_granted(at, at->policy->read_scope);
    principal->may_write = is_granted(at, at->policy->write_scope);
    principal->may_reveal = is_granted(at, at->policy->secret_scope);
    return ERR_OK;
}

enum {
    LENGTH,
    FORM,
    ALGORITHM,
    CRITICAL,
    TYPE,
    ISSUER,
    KEY,
    SIGNATURE,
    END,
    START,
    AUDIENCE,
    SUBJECT,
};

_Static_assert((int)SUBJECT == (int)AUTH_RULE_SUBJECT, "as the header says");

#define NEED(rule) (1u << (rule))

const struct auth_rule auth_rules[AUTH_RULES] = {
    [LENGTH] = {"length", 0, check_length},
    [FORM] = {"form", NEED(LENGTH), check_form},
    [ALGORITHM] = {"algorithm", NEED(FORM), check_algorithm},
    [CRITICAL] = {"no critical extension", NEED(FORM), check_critical},
    [TYPE] = {"type", NEED(FORM), check_type},
    [ISSUER] = {"issuer and tenant", NEED(FORM), check_issuer},
    [KEY] = {"known key", NEED(ALGORITHM) | NEED(ISSUER), check_key},
    [SIGNATURE] = {"signature", NEED(KEY), check_signature},
    [END] = {"not expired", NEED(FORM), check_end},
    [START] = {"valid already", NEED(FORM), check_start},
    [AUDIENCE] = {"audience", NEED(FORM), check_audience},
    [SUBJECT] = {"subject", NEED(FORM), check_subject},
};

enum err
inspection_run(struct inspection *inspection, enum auth_refusal *refusal_out)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < AUTH_RULES && err == ERR_OK; i++)
        err = auth_rules[i].check(inspection, refusal_out);
    return err;
}

void
inspection_clear(struct inspection *inspection)
{
    jwt_clear(&inspection->jwt);
}
