// SPDX-License-Identifier: MIT
/* orderconf token: a signed token for a tenant, to try the service with. */
#include "ctl.h"

#include "auth.h"
#include "ctl_file.h"
#include "decode.h"
#include "jwk.h"
#include "reserve.h"
#include "util.h"

#include <cjose/cjose.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TTL_DEFAULT 3600
#define TTL_MAX (366 * 24 * 3600)

struct arguments {
    const char *tenant;
    const char *key;
    const char *ttl;
    const char *scope;
    const char *issuer;
    const char *tenant_claim;
    const char *audience;
    const char *subject;
};

/* Reads --ttl; 0 if it is not in range. */
static long
read_ttl(const char *text)
{
    char *end;
    long ttl = text != NULL ? strtol(text, &end, 10) : TTL_DEFAULT;

    if (text != NULL && (*text < '0' || *text > '9' || *end != '\0'))
        return 0;
    return ttl >= 1 && ttl <= TTL_MAX ? ttl : 0;
}

/* The private key of the file. False: complained. */
static bool
read_key(const struct ctl_command *command, const char *path, struct jwk *key)
{
    json_auto_t *json = NULL;
    struct decode_fault fault;
    const char *why;
    size_t len;
    auto_char *text = ctl_file_read(path, &len);
    bool is_read = false;

    if (text == NULL)
        ctl_complain(command, "could not read %s: %s", path, strerror(errno));
    else if (decode_json(text, len, &json, &fault) != ERR_OK)
        ctl_complain(command, "%s %s at line %zu, column %zu", path, fault.text,
                     fault.line, fault.column);
    else if (!json_is_object(json))
        ctl_complain(command, "%s is no JWK: it must be an object", path);
    else if (jwk_read(json, JWK_PRIVATE, key, &why) != ERR_OK)
        ctl_complain(command, "%s cannot sign: %s", path, why);
    else
        is_read = true;
    return is_read;
}

/* The issuer's template with the tenant in its place; as it is without. */
static char *
fill_in(const char *issuer, const char *tenant)
{
    const char *slot = strstr(issuer, TENANT_SLOT);
    char *filled;

    if (slot == NULL)
        return strdup(issuer);
    if (asprintf(&filled, "%.*s%s%s", (int)(slot - issuer), issuer, tenant,
                 slot + strlen(TENANT_SLOT)) < 0)
        return NULL;
    return filled;
}

/* Sets a claim, if there is something to set. */
static bool
claim(json_t *claims, const char *name, const char *value)
{
    return value == NULL ||
           json_object_set_new(claims, name, json_string(value)) == 0;
}

/* The claims as text, from Jansson's allocator. */
static char *
make_claims(const struct arguments *arguments, long ttl)
{
    json_int_t now = time(NULL);
    auto_char *issuer = fill_in(arguments->issuer, arguments->tenant);
    json_auto_t *claims = NULL;

    if (issuer == NULL)
        return NULL;
    claims = json_pack("{s:s, s:I, s:I}", "iss", issuer, "iat", now, "exp",
                       now + ttl);
    if (claims == NULL || !claim(claims, "sub", arguments->subject) ||
        !claim(claims, "aud", arguments->audience) ||
        !claim(claims, "scope", arguments->scope) ||
        (arguments->tenant_claim != NULL &&
         !claim(claims, arguments->tenant_claim, arguments->tenant)))
        return NULL;
    return json_dumps(claims, JSON_COMPACT);
}

/* Signs the claims and prints the token. */
static bool
print_token(const struct jwk *key, const char *claims)
{
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jws_t *jws = NULL;
    const char *token;
    bool is_printed;

    if (header != NULL && cjose_header_set(header, "alg", key->alg, NULL) &&
        cjose_header_set(header, "typ", "JWT", NULL) &&
        (key->kid == NULL || cjose_header_set(header, "kid", key->kid, NULL)))
        jws = cjose_jws_sign(key->key, header, (const uint8_t *)claims,
                             strlen(claims), NULL);
    is_printed = jws != NULL && cjose_jws_export(jws, &token, NULL) &&
                 printf("%s\n", token) > 0 && fflush(stdout) == 0;
    cjose_jws_release(jws);
    cjose_header_release(header);
    return is_printed;
}

static enum ctl_exit
make_token(const struct ctl_command *command, const struct arguments *arguments,
           long ttl)
{
    struct jwk key;
    char *claims;
    enum ctl_exit status = CTL_FAILED;

    if (!read_key(command, arguments->key, &key))
        return CTL_FAILED;
    claims = make_claims(arguments, ttl);
    if (claims != NULL && print_token(&key, claims))
        status = CTL_OK;
    else
        ctl_complain(command, "could not make a token");
    if (claims != NULL)
        cjose_get_dealloc()(claims);
    jwk_clear(&key);
    return status;
}

static bool
check(const struct ctl_command *command, const struct arguments *arguments)
{
    if (!auth_tenant_is_valid(arguments->tenant, strlen(arguments->tenant)))
        ctl_complain(command,
                     "--tenant: must be of a-z, 0-9 and inner hyphens, "
                     "at most %d characters",
                     AUTH_TENANT_MAX);
    else if (read_ttl(arguments->ttl) == 0)
        ctl_complain(command, "--ttl: must be seconds from 1 to %d, not \"%s\"",
                     TTL_MAX, arguments->ttl);
    else if (arguments->tenant_claim == NULL &&
             find_tenant_slot(arguments->issuer) == NULL)
        ctl_complain(command, "--issuer: must hold {tenant} exactly once");
    else if (strlen(arguments->subject) > AUTH_SUBJECT_MAX)
        ctl_complain(command, "--subject: must be at most %d bytes",
                     AUTH_SUBJECT_MAX);
    else
        return true;
    return false;
}

static enum ctl_exit
run(const struct ctl_command *command, int argc, char **argv)
{
    struct arguments arguments = {.subject = "orderconf-token"};
    const struct ctl_option options[] = {
        {"tenant", "NAME", "whom the token speaks for", &arguments.tenant, NULL,
         true},
        {"key", "FILE", "private key, as JWK", &arguments.key, NULL, true},
        {"issuer", "TEMPLATE", "iss, with {tenant} in it", &arguments.issuer,
         "ORDERCONF_ISSUER", true},
        {"tenant-claim", "NAME", "claim that names the tenant",
         &arguments.tenant_claim, "ORDERCONF_TENANT_CLAIM", false},
        {"audience", "NAME", "aud", &arguments.audience, "ORDERCONF_AUDIENCE",
         false},
        {"scope", "SCOPES", "scope; separated by spaces", &arguments.scope,
         NULL, false},
        {"subject", "NAME", "sub (orderconf-token)", &arguments.subject, NULL,
         false},
        {"ttl", "SECONDS", "time until it expires (3600)", &arguments.ttl, NULL,
         false},
        {0},
    };
    enum ctl_exit status;

    if (!ctl_read_options(command, options, argc, argv, &status))
        return status;
    if (!check(command, &arguments))
        return CTL_USAGE;
    reserve_init();
    return make_token(command, &arguments, read_ttl(arguments.ttl));
}

const struct ctl_command ctl_token = {
    "token",
    "prints a signed token of a tenant",
    run,
};
