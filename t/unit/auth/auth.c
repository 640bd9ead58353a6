// SPDX-License-Identifier: MIT
#include "auth/auth.h"

#include "auth/jwt.h"
#include "auth/refusal.h"
#include "lib/auth_world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(auth, .init = world_set_up, .fini = world_tear_down);

Test(auth, principal_has_tenant_and_subject)
{
    auto_char *token = world_sign(GOOD);

    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
    cr_assert_str_eq(world.principal->tenant, "acme");
    cr_assert_str_eq(world.principal->subject, "ada");
    cr_assert(world.principal->may_read);
    cr_assert(world.principal->may_write);
}

Test(auth, long_subject_is_refused_not_cut)
{
    for (int len = AUTH_SUBJECT_MAX; len <= AUTH_SUBJECT_MAX + 1; len++) {
        auto_char *claims = tokens_format(
            "{" ISS_ACME ",\"exp\":1700000060,\"sub\":\"%0*d\"}", len, 0);
        auto_char *token = world_sign(claims);

        if (len <= AUTH_SUBJECT_MAX)
            world_assert_accepted("longest subject", token);
        else
            world_assert_token_refused("subject too long", token, AUTH_CLAIM);
    }
}

Test(auth, largest_token)
{
    auto_char *token = NULL;
    auto_char *longer = strdup("");

    for (int pad = 12000; strlen(longer) <= AUTH_TOKEN_MAX; pad++) {
        auto_char *claims = tokens_format(
            "{" ISS_ACME ",\"exp\":1700000060,\"pad\":\"%0*d\"}", pad, 0);

        free(token);
        token = longer;
        longer = world_sign(claims);
    }
    cr_assert_geq(strlen(token), AUTH_TOKEN_MAX - 1);
    world_assert_accepted("largest", token);
    world_assert_token_refused("too large", longer, AUTH_TOO_LONG);
}

/* A provider may use a kid twice; what either has signed is good. */
Test(auth, keys_of_one_kid_are_all_tried)
{
    auto_char *first = tokens_jwk(world.ec_other, "ec", NULL, "");
    auto_char *second = tokens_jwk(world.ec, "ec", NULL, "");
    auto_char *token = world_sign(GOOD);

    world_write_set("acme.json", first, second);
    cr_assert_eq(world_check_token(token, NOW), ERR_OK, "the second's");
    world_write_set("acme.json", second, first);
    cr_assert_eq(world_check_token(token, NOW), ERR_OK, "the first's");
    world_write_set("acme.json", first, "");
    world_assert_token_refused("another's", token, AUTH_SIGNATURE);
}

Test(auth, clocks_may_differ_as_much_as_the_operator_says)
{
    static const struct {
        const char *claims; /* at NOW, 1700000000 */
        int64_t skew;       /* from which on it is accepted */
        enum auth_refusal refusal;
    } cases[] = {
        {"\"exp\":1700000000", 1, AUTH_EXPIRED},
        {"\"exp\":1699999701", 300, AUTH_EXPIRED},
        {"\"exp\":1700000060,\"nbf\":1700000005", 5, AUTH_EARLY},
        {"\"exp\":1700000060,\"iat\":1700000300", 300, AUTH_EARLY},
        {"\"exp\":9223372036854775807", 1, AUTH_ACCEPTED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims = tokens_format("{" ISS_ACME ",%s}", cases[i].claims);
        auto_char *token = world_sign(claims);

        world_restart((struct auth_options){.clock_skew = cases[i].skew});
        world_assert_accepted(cases[i].claims, token);
        if (cases[i].skew == 1)
            continue;
        world_restart((struct auth_options){.clock_skew = cases[i].skew - 1});
        world_assert_token_refused(cases[i].claims, token, cases[i].refusal);
    }
}

/* What was found good is remembered for as long as it is good. */
Test(auth, a_remembered_token_expires_with_the_skew)
{
    auto_char *token = world_sign(GOOD); /* exp: NOW + 60 */

    world_restart((struct auth_options){.clock_skew = 10});
    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
    cr_assert_eq(world_check_token(token, NOW + 69), ERR_OK);
    cr_assert_eq(world_check_token(token, NOW + 70), ERR_NOAUTH);
    cr_assert_eq(world.refusal, AUTH_EXPIRED);
}

Test(auth, refusals_say_which_rule_it_was)
{
    for (int refusal = AUTH_MISSING; refusal < AUTH_REFUSAL_MAX; refusal++) {
        const char *text = auth_refusal_text((enum auth_refusal)refusal);
        const char *challenge =
            auth_refusal_challenge((enum auth_refusal)refusal);
        bool is_silent = refusal == AUTH_MISSING || refusal == AUTH_SIGNATURE;

        cr_expect_not_null(auth_refusal_name((enum auth_refusal)refusal));
        cr_expect_eq(text == NULL, is_silent, "%d", refusal);
        if (refusal == AUTH_TENANT) {
            cr_expect_null(challenge);
            continue;
        }
        cr_assert_not_null(challenge);
        cr_expect_eq(strstr(challenge, "error_description") == NULL, is_silent);
        if (text != NULL) {
            cr_expect_not_null(strstr(challenge, text));
            cr_expect_eq(strcspn(text, "\"\\"), strlen(text));
        }
    }
}

Test(auth, authorization_header)
{
    auto_char *token = world_sign(GOOD);
    static const struct {
        const char *format;
        enum auth_refusal refusal;
    } cases[] = {
        {"Bearer %s", AUTH_ACCEPTED},
        {"bearer %s", AUTH_ACCEPTED},
        {"BEARER   %s", AUTH_ACCEPTED},
        {"%s", AUTH_MISSING},
        {"Basic %s", AUTH_MISSING},
        {"Bearer%s", AUTH_MISSING},
        {" Bearer %s", AUTH_MISSING},
        {"Bearer\t%s", AUTH_MISSING},
        {"Bearer Bearer %s", AUTH_MALFORMED},
        {"Bearer %s ", AUTH_MALFORMED},
        {"Bearer %s\n", AUTH_MALFORMED},
        {"Bearer %s,Bearer x", AUTH_MALFORMED},
        {"Bearer \"%s\"", AUTH_MALFORMED},
        {"Bearer \t%s", AUTH_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char authorization[2000];
        const char *at = strstr(cases[i].format, "%s");

        snprintf(authorization, sizeof(authorization), "%.*s%s%s",
                 (int)(at - cases[i].format), cases[i].format, token, at + 2);
        if (cases[i].refusal == AUTH_ACCEPTED)
            cr_assert_eq(world_check(authorization, NULL, ACCESS_READ, NOW),
                         ERR_OK, "%s", cases[i].format);
        else
            world_assert_refused(cases[i].format, authorization,
                                 cases[i].refusal);
    }
    world_assert_refused("none", NULL, AUTH_MISSING);
    world_assert_refused("empty", "", AUTH_MISSING);
    world_assert_refused("no token", "Bearer", AUTH_MISSING);
    world_assert_refused("empty token", "Bearer ", AUTH_MALFORMED);
}

Test(auth, audience)
{
    static const struct {
        const char *aud;
        enum auth_refusal refusal;
    } cases[] = {
        {",\"aud\":\"orders\"", AUTH_ACCEPTED},
        {",\"aud\":[\"x\",\"orders\"]", AUTH_ACCEPTED},
        {",\"aud\":[1,\"orders\"]", AUTH_ACCEPTED},
        {"", AUTH_AUDIENCE},
        {",\"aud\":\"order\"", AUTH_AUDIENCE},
        {",\"aud\":\"orders2\"", AUTH_AUDIENCE},
        {",\"aud\":[]", AUTH_AUDIENCE},
        {",\"aud\":[\"x\"]", AUTH_AUDIENCE},
        {",\"aud\":[[\"orders\"]]", AUTH_AUDIENCE},
        {",\"aud\":{\"orders\":1}", AUTH_AUDIENCE},
        {",\"aud\":null", AUTH_AUDIENCE},
    };

    world_restart((struct auth_options){.audience = "orders"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims =
            tokens_format("{" ISS_ACME ",\"exp\":1700000060%s}", cases[i].aud);
        auto_char *token = world_sign(claims);

        if (cases[i].refusal == AUTH_ACCEPTED)
            world_assert_accepted(cases[i].aud, token);
        else
            world_assert_token_refused(cases[i].aud, token, cases[i].refusal);
    }
}

Test(auth, scopes)
{
    static const struct {
        const char *scope;
        bool may_read;
        bool may_write;
    } cases[] = {
        {"\"cfg:read cfg:write\"", true, true},
        {"\"cfg:write openid cfg:read\"", true, true},
        {"\"cfg:read\"", true, false},
        {"\"openid  cfg:write\"", false, true},
        {"\"\"", false, false},
        {"\"cfg:readers xcfg:read cfg:rea CFG:READ\"", false, false},
        {"[\"cfg:read\"]", false, false},
        {"7", false, false},
    };

    world_restart((struct auth_options){.read_scope = "cfg:read",
                                        .write_scope = "cfg:write"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims = tokens_format(
            "{" ISS_ACME ",\"exp\":1700000060,\"scope\":%s}", cases[i].scope);
        auto_char *token = world_sign(claims);
        auto_char *header = tokens_format("Bearer %s", token);

        /* Twice: the second answer is the cache's. */
        for (int round = 0; round < 2; round++) {
            cr_expect_eq(world_check(header, NULL, ACCESS_NONE, NOW), ERR_OK);
            cr_expect_eq(world_check(header, NULL, ACCESS_READ, NOW),
                         cases[i].may_read ? ERR_OK : ERR_DENIED, "%s",
                         cases[i].scope);
            cr_expect_eq(world.refusal,
                         cases[i].may_read ? AUTH_ACCEPTED : AUTH_SCOPE);
            cr_expect_eq(world_check(header, NULL, ACCESS_WRITE, NOW),
                         cases[i].may_write ? ERR_OK : ERR_DENIED, "%s",
                         cases[i].scope);
        }

        auto_char *log = tokens_take_log();

        world_assert_clean(cases[i].scope, log, token);
        if (!cases[i].may_read)
            cr_expect_not_null(strstr(log, "\"reason\":\"scope\""));
    }
}

/* It refuses nobody, and says who may see more. */
Test(auth, the_scope_for_secrets)
{
    static const struct {
        const char *option;
        const char *scope;
        bool may_reveal;
    } cases[] = {
        {NULL, "\"\"", true},
        {"cfg:secret", "\"cfg:read cfg:secret\"", true},
        {"cfg:secret", "\"cfg:read\"", false},
        {"cfg:secret", "\"cfg:secrets CFG:SECRET\"", false},
        {"cfg:secret", "[\"cfg:secret\"]", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims = tokens_format(
            "{" ISS_ACME ",\"exp\":1700000060,\"scope\":%s}", cases[i].scope);
        auto_char *token = world_sign(claims);
        auto_char *header = tokens_format("Bearer %s", token);

        world_restart((struct auth_options){.secret_scope = cases[i].option});
        /* Twice: the second answer is the cache's. */
        for (int round = 0; round < 2; round++) {
            cr_assert_eq(world_check(header, NULL, ACCESS_READ, NOW), ERR_OK);
            cr_expect_eq(world.principal->may_reveal, cases[i].may_reveal,
                         "%zu", i);
        }
    }
}

Test(auth, front_tenant_must_agree)
{
    auto_char *token = world_sign(GOOD);
    auto_char *header = tokens_format("Bearer %s", token);
    static const char *const others[] = {"other", "", "ACME", "acme ", "acm"};

    for (int round = 0; round < 2; round++) {
        cr_assert_eq(world_check(header, "acme", ACCESS_READ, NOW), ERR_OK);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
            cr_assert_eq(world_check(header, others[i], ACCESS_READ, NOW),
                         ERR_DENIED);
            cr_assert_eq(world.refusal, AUTH_TENANT);
            cr_assert_null(world.principal);
        }
    }

    auto_char *log = tokens_take_log();

    cr_assert_not_null(strstr(log, "\"reason\":\"tenant\""));
    cr_assert_not_null(strstr(log, "\"tenant\":\"acme\""));
    world_assert_clean("front tenant", log, token);
}

Test(auth, tenant_by_claim)
{
    static const struct {
        const char *claims;
        enum auth_refusal refusal;
    } cases[] = {
        {"\"iss\":\"https://idp.example\",\"org\":\"acme\"", AUTH_ACCEPTED},
        {"\"iss\":\"https://idp.example/\",\"org\":\"acme\"", AUTH_ISSUER},
        {"\"org\":\"acme\"", AUTH_ISSUER},
        {"\"iss\":\"https://idp.example\"", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":[\"acme\"]", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":\"../acme\"", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":\"\"", AUTH_CLAIM},
        {"\"iss\":\"https://idp.example\",\"org\":\"other\"", AUTH_SIGNATURE},
    };

    world_restart((struct auth_options){.issuer = "https://idp.example",
                                        .tenant_claim = "org"});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_char *claims =
            tokens_format("{\"exp\":1700000060,%s}", cases[i].claims);
        auto_char *token = world_sign(claims);

        if (cases[i].refusal == AUTH_ACCEPTED)
            world_assert_accepted(cases[i].claims, token);
        else
            world_assert_token_refused(cases[i].claims, token,
                                       cases[i].refusal);
    }
}

Test(auth, issuer_template_may_go_on_after_the_tenant)
{
    auto_char *good = world_sign("{\"iss\":\"https://acme.id.example/x\","
                                 "\"exp\":1700000060}");
    auto_char *longer = world_sign("{\"iss\":\"https://acme.id.example/x/x\","
                                   "\"exp\":1700000060}");
    auto_char *overlap = world_sign("{\"iss\":\"https://.id.example/x\","
                                    "\"exp\":1700000060}");

    world_restart(
        (struct auth_options){.issuer = "https://{tenant}.id.example/x"});
    world_assert_accepted("good", good);
    world_assert_token_refused("longer", longer, AUTH_ISSUER);
    world_assert_token_refused("nothing between", overlap, AUTH_ISSUER);
}

/* The name of what is not valid must not get into the log as a tenant. */
Test(auth, log_names_only_valid_tenants)
{
    auto_char *bad = world_sign("{\"iss\":\"" ISSUER "EVIL\","
                                "\"exp\":1700000060}");
    auto_char *unknown = world_sign("{\"iss\":\"" ISSUER "nobody\","
                                    "\"exp\":1700000060}");

    cr_assert_eq(world_check_token(bad, NOW), ERR_NOAUTH);
    auto_char *without = tokens_take_log();
    cr_assert_eq(world_check_token(unknown, NOW), ERR_NOAUTH);
    auto_char *with = tokens_take_log();

    cr_assert_null(strstr(without, "tenant"));
    cr_assert_null(strstr(without, "EVIL"));
    cr_assert_not_null(strstr(with, "\"tenant\":\"nobody\""));
}

Test(auth, options, .init = NULL, .fini = NULL)
{
    static const struct {
        struct auth_options options;
        const char *why; /* starts with, or NULL */
    } cases[] = {
        {{.issuer = "i/{tenant}", .jwks = "k/{tenant}"}, NULL},
        {{.issuer = "i", .tenant_claim = "org", .jwks = "k/{tenant}"}, NULL},
        {{.jwks = "k/{tenant}"}, "issuer: "},
        {{.issuer = "", .tenant_claim = "org", .jwks = "{tenant}"}, "issuer: "},
        {{.issuer = "i", .jwks = "k/{tenant}"}, "issuer: "},
        {{.issuer = "{tenant}{tenant}", .jwks = "k/{tenant}"}, "issuer: "},
        {{.issuer = "{tenant}", .tenant_claim = "org", .jwks = "{tenant}"},
         "issuer: "},
        {{.issuer = "{tenant}", .tenant_claim = "", .jwks = "{tenant}"},
         "issuer: "},
        {{.issuer = "i", .tenant_claim = "", .jwks = "{tenant}"},
         "tenant-claim: "},
        {{.issuer = "{tenant}"}, "jwks: "},
        {{.issuer = "{tenant}", .jwks = "k"}, "jwks: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}/{tenant}"}, "jwks: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .audience = ""},
         "audience: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .read_scope = "a b"},
         "read-scope: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .write_scope = ""},
         "write-scope: "},
        {{.issuer = "{tenant}", .jwks = "{tenant}", .secret_scope = "a b"},
         "secret-scope: "},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *why = auth_options_check(&cases[i].options);

        if (cases[i].why == NULL)
            cr_expect_null(why, "case %zu: %s", i, why);
        else
            cr_expect(why != NULL &&
                          strncmp(why, cases[i].why, strlen(cases[i].why)) == 0,
                      "case %zu: %s", i, why);
    }
}
