// SPDX-License-Identifier: MIT
/* orderconf token: signs an access token as an identity provider would. */
#include "auth/auth.h"
#include "auth/base64url.h"
#include "auth/jwk.h"
#include "auth/jwt.h"
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/key_file.h"
#include "ctl/session.h"
#include "model/tenant.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <time.h>

#define TTL_MAX 31536000 /* a year */
#define JTI_BYTES 16

enum {
    TENANT,
    KEY,
    TTL,
    SCOPE,
    ISSUER,
    TENANT_CLAIM,
    AUDIENCE,
    SUBJECT,
    OPTIONS
};

static const struct ctl_option options[OPTIONS] = {
    [TENANT] = {"tenant", "NAME", NULL, "whom the token is for", NULL,
                CTL_REQUIRED},
    [KEY] = {"key", "FILE", "ORDERCONF_KEY", "private key that signs, a JWK",
             NULL, CTL_REQUIRED},
    [TTL] = {"ttl", "SECONDS", NULL, "how long it is good, at most a year",
             "3600", CTL_OPTIONAL},
    [SCOPE] = {"scope", "LIST", NULL, "scopes, with spaces between", "",
               CTL_OPTIONAL, .may_be_empty = true},
    [ISSUER] = {"issuer", "TEMPLATE", "ORDERCONF_ISSUER",
                "iss, with {tenant} in it", NULL, CTL_REQUIRED},
    [TENANT_CLAIM] = {"tenant-claim", "NAME", "ORDERCONF_TENANT_CLAIM",
                      "claim that names the tenant, if all share one issuer",
                      NULL, CTL_OPTIONAL},
    [AUDIENCE] = {"audience", "NAME", "ORDERCONF_AUDIENCE", "aud", NULL,
                  CTL_OPTIONAL},
    [SUBJECT] = {"subject", "NAME", NULL, "sub, which the history tells",
                 "orderconf-cli", CTL_OPTIONAL},
};

/* Claims that have a meaning of their own. */
static const char *const taken_claims[] = {
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope",
};

static enum ctl_exit
check_tenant_claim(const char *name)
{
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(taken_claims); i++) {
        if (strcmp(name, taken_claims[i]) == 0)
            return ctl_fail_usage("--tenant-claim: %s is another claim", name);
    }
    return CTL_OK;
}

/* The scopes with one space between (RFC 6749, section 3.3). */
static enum ctl_exit
check_scope(const char *list, char *clean)
{
    char *end = clean;

    for (const char *at = list; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
            return ctl_fail_usage("--scope: must be of printable ASCII "
                                  "without \" and \\");
        if (*at != ' ' || (end > clean && end[-1] != ' '))
            *end++ = *at;
    }
    if (end > clean && end[-1] == ' ')
        end--;
    *end = '\0';
    return CTL_OK;
}

static enum ctl_exit
check_utf8(const char *const *values)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        json_auto_t *text = NULL;

        if (i == KEY || values[i] == NULL) /* a path may be anything */
            continue;
        text = json_string(values[i]);
        if (text == NULL)
            return ctl_fail_usage("--%s: is not UTF-8", options[i].name);
    }
    return CTL_OK;
}

static enum ctl_exit
check_values(const char *const *values)
{
    const struct auth_options as_service = {
        .issuer = values[ISSUER],
        .tenant_claim = values[TENANT_CLAIM],
        .jwks = TENANT_SLOT,
        .audience = values[AUDIENCE],
    };
    const char *why = auth_options_check(&as_service);

    if (why != NULL)
        return ctl_fail_usage("--%s", why);
    if (strlen(values[SUBJECT]) > AUTH_SUBJECT_MAX)
        return ctl_fail_usage("--subject: must not be longer than %d bytes",
                              AUTH_SUBJECT_MAX);
    if (check_utf8(values) != CTL_OK)
        return CTL_USAGE;
    return check_tenant_claim(values[TENANT_CLAIM]);
}

static char *
make_jti(void)
{
    unsigned char bytes[JTI_BYTES];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return NULL;
    return base64url_encode(bytes, sizeof(bytes));
}

static json_t *
make_claims(const char *const *values, const char *scope, long ttl)
{
    auto_char *issuer = NULL;
    auto_char *jti = make_jti();
    json_int_t now = time(NULL);
    struct tenant_template issuers;
    json_t *claims;

    /* Without a slot, if the tenant is in a claim; check_values has seen to
     * that. */
    if (tenant_template_parse(values[ISSUER], &issuers) != TENANT_SLOT_MORE)
        issuer = tenant_template_expand(&issuers, values[TENANT]);
    if (issuer == NULL || jti == NULL)
        return NULL;
    claims = json_pack("{s:s, s:s, s:s*, s:I, s:I, s:s, s:s*}", "iss", issuer,
                       "sub", values[SUBJECT], "aud", values[AUDIENCE], "iat",
                       now, "exp", now + ttl, "jti", jti, "scope",
                       *scope != '\0' ? scope : NULL);
    if (claims != NULL && values[TENANT_CLAIM] != NULL &&
        json_object_set_new(claims, values[TENANT_CLAIM],
                            json_string(values[TENANT])) != 0) {
        json_decref(claims);
        return NULL;
    }
    return claims;
}

/* As the service will; a private half may not belong to its public one. */
static enum ctl_exit
check_token(const char *path, const char *token, const json_t *jwk)
{
    json_auto_t *public_half = jwk_copy_public(jwk);
    enum auth_refusal refusal = AUTH_SIGNATURE;
    struct jwk key = {0};
    struct jwt jwt = {0};
    const char *why = NULL;
    enum err err;

    if (strlen(token) > AUTH_TOKEN_MAX)
        return ctl_fail("the token is longer than the %d bytes that the "
                        "service takes",
                        AUTH_TOKEN_MAX);
    err = jwk_read(public_half, JWK_PUBLIC, &key, &why);
    if (err == ERR_OK)
        err = jwt_read(token, strlen(token), &jwt, &refusal);
    if (err == ERR_OK)
        err = jwt_verify(&jwt, &key, &refusal);
    jwt_clear(&jwt);
    jwk_clear(&key);
    if (err == ERR_OK)
        return CTL_OK;
    return ctl_fail("%s: its private half does not belong to its public one",
                    path);
}

static enum ctl_exit
print_token(const char *path, const json_t *claims)
{
    json_auto_t *jwk = NULL;
    struct jwk key = {0};
    auto_char *token = NULL;
    const char *why = "out of memory";
    enum ctl_exit status;

    status = ctl_key_read(path, &jwk);
    if (status != CTL_OK)
        return status;
    if (jwk_read(jwk, JWK_PRIVATE, &key, &why) != ERR_OK)
        return ctl_fail("%s: %s", path, why);
    token = jwt_sign(&key, claims);
    jwk_clear(&key);
    if (token == NULL)
        return ctl_fail("%s: could not sign", path);
    status = check_token(path, token, jwk);
    if (status != CTL_OK)
        return status;
    printf("%s\n", token);
    return CTL_OK;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    const char *const *values = session->values;
    auto_char *scope = strdup(values[SCOPE]);
    json_auto_t *claims = NULL;
    long ttl = 0;

    if (scope == NULL)
        return ctl_fail("out of memory");
    if (ctl_read_number("ttl", values[TTL], 1, TTL_MAX, &ttl) != CTL_OK ||
        check_values(values) != CTL_OK ||
        check_scope(values[SCOPE], scope) != CTL_OK)
        return CTL_USAGE;
    claims = make_claims(values, scope, ttl);
    if (claims == NULL)
        return ctl_fail("out of memory");
    return print_token(values[KEY], claims);
}

const struct ctl_command ctl_token = {
    .name = "token",
    .operands = "",
    .summary = "Prints a signed token for a tenant",
    .details = "The key's kid and alg go into the token. Its public half must "
               "be in the\ntenant's key set; see orderconf keygen.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.tenant = CTL_TENANT_NAMED},
    .run = run,
};
