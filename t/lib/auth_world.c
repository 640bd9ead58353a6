// SPDX-License-Identifier: MIT
#include "auth/refusal.h"
#include "auth_world.h"

#include "scratch.h"

#include <criterion/criterion.h>
#include <string.h>

#define WINDOW 12

struct world world;

void
world_write_set(const char *name, const char *first, const char *second)
{
    auto_char *set = tokens_format("{\"keys\":[%s%s%s]}", first,
                                   *second != '\0' ? "," : "", second);

    tokens_write(world.dir, name, set);
}

void
world_restart(struct auth_options options)
{
    auto_char *jwks = tokens_format("%s/{tenant}.json", world.dir);

    options.jwks = jwks;
    if (options.issuer == NULL)
        options.issuer = ISSUER "{tenant}";
    if (options.clock_skew == 0)
        options.clock_skew = -1;
    cr_assert_null(auth_options_check(&options));
    auth_free(world.auth);
    world.auth = auth_new(&options);
}

void
world_set_up(void)
{
    tokens_catch_log();
    world.dir = scratch_make();
    world_restart((struct auth_options){0});
    world.ec = tokens_new_ec("P-256");
    world.ec_other = tokens_new_ec("P-256");

    auto_char *own = tokens_jwk(world.ec, "ec", NULL, "");
    auto_char *foreign = tokens_jwk(world.ec_other, "ec", NULL, "");

    world_write_set("acme.json", own, "");
    world_write_set("other.json", foreign, "");
}

void
world_set_up_rsa(void)
{
    world_set_up();
    world.rsa = tokens_read_rsa();

    auto_char *own = tokens_jwk(world.ec, "ec", NULL, "");
    auto_char *own_rsa = tokens_jwk(world.rsa, "rsa", NULL, ",\"use\":\"sig\"");

    world_write_set("acme.json", own, own_rsa);
}

void
world_tear_down(void)
{
    auth_free(world.auth);
    EVP_PKEY_free(world.rsa);
    EVP_PKEY_free(world.ec);
    EVP_PKEY_free(world.ec_other);
    scratch_remove(world.dir);
}

char *
world_sign(const char *claims)
{
    return tokens_sign(world.ec, "ES256", HEADER_EC, claims);
}

enum err
world_check(const char *authorization, const char *front_tenant,
            enum access access, int64_t now)
{
    world.principal = NULL;
    world.refusal = AUTH_ACCEPTED;
    return auth_check(world.auth, authorization, front_tenant, access, now,
                      "req-1", &world.principal, &world.refusal);
}

enum err
world_check_token(const char *token, int64_t now)
{
    auto_char *authorization = tokens_format("Bearer %s", token);

    return world_check(authorization, NULL, ACCESS_READ, now);
}

void
world_assert_clean(const char *name, const char *log, const char *token)
{
    for (const char *part = token; strlen(part) >= WINDOW; part++) {
        auto_char *window = strndup(part, WINDOW);

        cr_assert_null(strstr(log, window), "%s: the log holds %s", name,
                       window);
    }
}

void
world_assert_refused(const char *name, const char *authorization,
                     enum auth_refusal expected)
{
    const char *reason = auth_refusal_name(expected);
    enum err err = world_check(authorization, NULL, ACCESS_READ, NOW);
    auto_char *log = tokens_take_log();
    auto_char *quoted = tokens_format("\"reason\":\"%s\"", reason);

    cr_assert_eq(err, ERR_NOAUTH, "%s: err %d", name, err);
    cr_assert_eq(world.refusal, expected, "%s: refused for %s, not %s", name,
                 auth_refusal_name(world.refusal), reason);
    cr_assert_null(world.principal);
    cr_assert_not_null(strstr(log, "\"event\":\"refused\""), "%s", name);
    cr_assert_not_null(strstr(log, quoted), "%s", name);
    cr_assert_not_null(strstr(log, "\"request_id\":\"req-1\""), "%s", name);
    if (authorization != NULL)
        world_assert_clean(name, log, authorization);
}

void
world_assert_token_refused(const char *name, const char *token,
                           enum auth_refusal expected)
{
    auto_char *authorization = tokens_format("Bearer %s", token);

    world_assert_refused(name, authorization, expected);
}

void
world_assert_accepted(const char *name, const char *token)
{
    enum err err = world_check_token(token, NOW);
    auto_char *log = tokens_take_log();

    cr_assert_eq(err, ERR_OK, "%s: %s", name, auth_refusal_name(world.refusal));
    cr_assert_str_eq(world.principal->tenant, "acme", "%s", name);
    cr_assert_str_eq(log, "", "%s", name);
}
