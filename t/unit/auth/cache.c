// SPDX-License-Identifier: MIT
/* Tokens that were accepted before, and key files that change meanwhile. */
#include "auth/refusal.h"
#include "auth/auth.h"

#include "lib/auth_world.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <string.h>
#include <time.h>

TestSuite(auth_cache, .init = world_set_up, .fini = world_tear_down);

/* Waits until the key files are old enough to be relied on; before, nothing
 * is kept. */
static void
settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 40 * 1000000}, NULL);
}

/* Twice: a verdict, and what is kept of it. */
static void
assert_kept(const char *token)
{
    settle();
    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
}

static void
assert_refused_now(const char *token, enum auth_refusal expected)
{
    cr_assert_eq(world_check_token(token, NOW), ERR_NOAUTH);
    cr_assert_eq(world.refusal, expected, "%s",
                 auth_refusal_name(world.refusal));
}

Test(auth_cache, kept_until_exp_and_not_a_second_longer)
{
    auto_char *token = world_sign(GOOD);

    settle();
    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
    cr_assert_eq(world_check_token(token, NOW + 59), ERR_OK);
    cr_assert_str_eq(world.principal->subject, "ada");
    cr_assert_eq(world_check_token(token, NOW + 60), ERR_NOAUTH);
    cr_assert_eq(world.refusal, AUTH_EXPIRED);
}

Test(auth_cache, early_token_is_not_kept_as_refused)
{
    auto_char *token =
        world_sign("{" ISS_ACME ",\"exp\":1700009999,\"nbf\":1700000100}");

    settle();
    cr_assert_eq(world_check_token(token, NOW), ERR_NOAUTH);
    cr_assert_eq(world_check_token(token, NOW + 40), ERR_OK);
}

Test(auth_cache, a_kept_token_vouches_for_no_other)
{
    auto_char *token = world_sign(GOOD);
    size_t len = strlen(token);

    assert_kept(token);
    for (size_t i = 0; i < len; i++) {
        auto_char *other = strdup(token);

        if (other[i] == '.')
            continue;
        other[i] = other[i] == 'A' ? 'B' : 'A';
        cr_assert_eq(world_check_token(other, NOW), ERR_NOAUTH, "byte %zu", i);
        auto_char *shorter = strndup(token, i);
        cr_assert_eq(world_check_token(shorter, NOW), ERR_NOAUTH, "%zu", i);
    }
}

/* Keys can be changed in place or by rename, at any moment, and as often as
 * within one tick of the clock for time stamps. */
Test(auth_cache, changed_keys_count_at_once)
{
    auto_char *own = tokens_jwk(world.ec, "ec", NULL, "");
    auto_char *foreign = tokens_jwk(world.ec_other, "ec", NULL, "");
    auto_char *own_set = tokens_format("{\"keys\":[%s]}", own);
    auto_char *foreign_set = tokens_format("{\"keys\":[%s]}", foreign);
    auto_char *token = world_sign(GOOD);

    cr_assert_eq(strlen(own_set), strlen(foreign_set));
    assert_kept(token);
    for (int round = 0; round < 200; round++) {
        void (*write)(const char *, const char *, const char *) =
            round % 3 == 0 ? tokens_replace : tokens_write;

        write(world.dir, "acme.json", foreign_set);
        assert_refused_now(token, AUTH_SIGNATURE);
        write(world.dir, "acme.json", own_set);
        cr_assert_eq(world_check_token(token, NOW), ERR_OK);
        if (round % 50 == 0)
            assert_kept(token);
    }
}

Test(auth_cache, removed_keys_are_gone_at_once)
{
    auto_char *own = tokens_jwk(world.ec, "ec", NULL, "");
    auto_char *token = world_sign(GOOD);

    assert_kept(token);
    free(tokens_take_log());
    tokens_remove(world.dir, "acme.json");
    assert_refused_now(token, AUTH_KEY);
    auto_char *log = tokens_take_log();
    cr_assert_not_null(strstr(log, "\"event\":\"jwks_removed\""));

    world_write_set("acme.json", own, "");
    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
    tokens_write(world.dir, "acme.json", "{\"keys\":[]}");
    assert_refused_now(token, AUTH_KEY);
}

Test(auth_cache, broken_keys_leave_the_old_ones)
{
    auto_char *token = world_sign(GOOD);
    auto_char *fresh = world_sign("{" ISS_ACME ",\"exp\":1700000061}");

    assert_kept(token);
    tokens_write(world.dir, "acme.json", "{\"keys\":[");
    cr_assert_eq(world_check_token(token, NOW), ERR_OK);
    cr_assert_eq(world_check_token(fresh, NOW), ERR_OK);
    assert_kept(token);
    tokens_remove(world.dir, "acme.json");
    assert_refused_now(token, AUTH_KEY);
}

/* More tokens than are kept, in turn, and twice: memory stays where it is. */
Test(auth_cache, many_tokens, .timeout = 60)
{
    enum { TOKENS = 6000 };
    static char *tokens[TOKENS];
    size_t in_use = 0;

    for (int i = 0; i < TOKENS; i++) {
        auto_char *claims =
            tokens_format("{" ISS_ACME ",\"exp\":1700000060,\"jti\":%d}", i);

        tokens[i] = world_sign(claims);
    }
    settle();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < TOKENS; i++)
            cr_assert_eq(world_check_token(tokens[i], NOW), ERR_OK);
        if (round == 1) /* 0 under a sanitizer, which keeps its own books */
            cr_assert_leq(mallinfo2().uordblks, in_use + 65536);
        in_use = mallinfo2().uordblks;
    }
    for (int i = 0; i < TOKENS; i++)
        free(tokens[i]);
}
