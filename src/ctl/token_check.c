// SPDX-License-Identifier: MIT
/* orderconf token check: which rules of the service a token keeps. */
#include "auth/auth.h"
#include "auth/jwt.h"
#include "auth/refusal.h"
#include "base/util.h"
#include "conf/settings.h"
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/session.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

enum {
    ISSUER,
    TENANT_CLAIM,
    JWKS,
    AUDIENCE,
    READ_SCOPE,
    WRITE_SCOPE,
    SECRET_SCOPE,
    CLOCK_SKEW,
    AS_JSON,
    OPTIONS
};

static const struct ctl_option options[OPTIONS] = {
    [ISSUER] = {"issuer", "TEMPLATE", "ORDERCONF_ISSUER",
                "iss, with {tenant} in it", NULL, CTL_REQUIRED},
    [TENANT_CLAIM] = {"tenant-claim", "NAME", "ORDERCONF_TENANT_CLAIM",
                      "claim that names the tenant, if all share one issuer",
                      NULL, CTL_OPTIONAL},
    [JWKS] = {"jwks", "TEMPLATE", "ORDERCONF_JWKS",
              "path of a tenant's key set, with {tenant} in it;\n"
              "if not set, as the service has it:\n" SETTINGS_JWKS,
              NULL, CTL_OPTIONAL},
    [AUDIENCE] = {"audience", "NAME", "ORDERCONF_AUDIENCE", "required in aud",
                  NULL, CTL_OPTIONAL},
    [READ_SCOPE] = {"read-scope", "NAME", "ORDERCONF_READ_SCOPE",
                    "required in scope to read", NULL, CTL_OPTIONAL},
    [WRITE_SCOPE] = {"write-scope", "NAME", "ORDERCONF_WRITE_SCOPE",
                     "required in scope to write", NULL, CTL_OPTIONAL},
    [SECRET_SCOPE] = {"secret-scope", "NAME", "ORDERCONF_SECRET_SCOPE",
                      "required in scope to see secrets", NULL, CTL_OPTIONAL},
    [CLOCK_SKEW] = {"clock-skew", "SECONDS", "ORDERCONF_CLOCK_SKEW",
                    "by how much clocks may differ", NULL, CTL_OPTIONAL},
    [AS_JSON] = {"json", NULL, NULL, "print the result as JSON", NULL,
                 CTL_OPTIONAL},
};

/* What is said of the rules. */
struct report {
    json_t *rules; /* owned; NULL: they are printed as they come */
    bool is_refused;
    bool has_failed; /* there was no memory for one */
};

/* What there is to say of a rule that is not kept. */
static const char *
explain_refusal(bool is_asked, enum auth_refusal refusal)
{
    if (!is_asked)
        return "a rule before it is broken";
    return refusal == AUTH_SIGNATURE ? "the signature is not that of the key"
                                     : auth_refusal_text(refusal);
}

static void
tell(void *ctx, const char *rule, bool is_asked, enum auth_refusal refusal)
{
    struct report *report = ctx;
    bool is_kept = is_asked && refusal == AUTH_ACCEPTED;
    const char *result = is_kept ? "pass" : is_asked ? "fail" : "unknown";
    const char *why = is_kept ? NULL : explain_refusal(is_asked, refusal);

    /* What it may do is another matter than whether it is accepted. */
    if (!is_kept && refusal != AUTH_SCOPE)
        report->is_refused = true;
    if (report->rules == NULL && is_kept)
        printf("%-21s  %s\n", rule, result);
    else if (report->rules == NULL)
        printf("%-21s  %-7s  %s\n", rule, result, why);
    else
        report->has_failed |=
            json_array_append_new(report->rules,
                                  json_pack("{s:s, s:s, s:s*}", "rule", rule,
                                            "result", result, "message",
                                            why)) != 0;
}

/* Reads the token into token_out: the operand, or standard input without it or
 * for "-". */
static enum ctl_exit
read_token(const char *operand, char token_out[AUTH_TOKEN_MAX + 2])
{
    const size_t size = AUTH_TOKEN_MAX + 2;
    size_t len;

    if (operand != NULL && strcmp(operand, "-") != 0) {
        snprintf(token_out, size, "%s", operand);
        return CTL_OK;
    }
    len = fread(token_out, 1, size - 1, stdin);
    if (ferror(stdin))
        return ctl_fail("cannot read the token: %s", strerror(errno));
    token_out[len] = '\0';
    token_out[strcspn(token_out, "\r\n")] = '\0';
    return CTL_OK;
}

static enum ctl_exit
read_rules(const char *const *values, struct auth **auth_out)
{
    const struct args_row *row = settings_find(options[CLOCK_SKEW].env);
    long skew = -1;
    struct auth_options rules = {
        .issuer = values[ISSUER],
        .tenant_claim = values[TENANT_CLAIM],
        .jwks = values[JWKS] != NULL ? values[JWKS] : SETTINGS_JWKS,
        .audience = values[AUDIENCE],
        .read_scope = values[READ_SCOPE],
        .write_scope = values[WRITE_SCOPE],
        .secret_scope = values[SECRET_SCOPE],
    };
    const char *why = auth_options_check(&rules);

    if (why != NULL)
        return ctl_fail_usage("--%s", why);
    if (values[CLOCK_SKEW] != NULL &&
        ctl_read_number(row->name, values[CLOCK_SKEW], row->min, row->max,
                        &skew) != CTL_OK)
        return CTL_USAGE;
    rules.clock_skew = skew;
    *auth_out = auth_new(&rules);
    return *auth_out != NULL ? CTL_OK : ctl_fail("out of memory");
}

static enum ctl_exit
print_json(const struct report *report, const struct principal *principal)
{
    json_auto_t *result =
        json_pack("{s:b, s:s*, s:O}", "accepted", !report->is_refused, "tenant",
                  *principal->tenant != '\0' ? principal->tenant : NULL,
                  "rules", report->rules);
    auto_char *text = result != NULL ? json_dumps(result, JSON_COMPACT) : NULL;

    if (text == NULL)
        return ctl_fail("out of memory");
    printf("%s\n", text);
    return CTL_OK;
}

static enum ctl_exit
explain(struct auth *auth, const char *token, bool as_json)
{
    struct report report = {.rules = as_json ? json_array() : NULL};
    struct principal principal;
    enum ctl_exit status = CTL_OK;

    if (as_json && report.rules == NULL)
        return ctl_fail("out of memory");
    if (auth_explain(auth, token, time(NULL), tell, &report, &principal) !=
            ERR_OK ||
        report.has_failed) {
        json_decref(report.rules);
        return ctl_fail("out of memory");
    }
    if (as_json)
        status = print_json(&report, &principal);
    else if (*principal.tenant != '\0')
        printf("%-21s  %s\n", "tenant", principal.tenant);
    json_decref(report.rules);
    return status == CTL_OK && report.is_refused ? CTL_FAILED : status;
}

static enum ctl_exit
run(struct ctl_session *session)
{
    char token[AUTH_TOKEN_MAX + 2]; /* one more than is taken, to be refused */
    struct auth *auth = NULL;
    enum ctl_exit status = read_rules(session->values, &auth);

    if (status == CTL_OK)
        status = read_token(session->operands[0], token);
    if (status == CTL_OK)
        status = explain(auth, token, session->values[AS_JSON] != NULL);
    auth_free(auth);
    return status;
}

const struct ctl_command ctl_token_check = {
    .name = "token check",
    .operands = "[TOKEN]",
    .operands_max = 1,
    .summary = "Tells which rules of the service a token keeps",
    .details = "Without TOKEN, or if it is -, it is read from standard input.",
    .options = options,
    .option_count = OPTIONS,
    .run = run,
};
