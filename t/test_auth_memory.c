// SPDX-License-Identifier: MIT
/*
 * The n-th allocation fails, for n = 0, 1, 2 … until there is no n-th: a token
 * is then accepted, or there is no memory. It is never refused, nothing is
 * lost, and what comes next is right again. Linked with --wrap, which sees the
 * calls of our own objects, and by the hooks of reserve.c those of Jansson,
 * cjose and OpenSSL. Leaks are for a sanitizer to find.
 */
#include "auth.h"

#include "reserve.h"
#include "lib/auth_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static long countdown = -1; /* -1: nothing fails */
static bool is_persistent;
static bool has_hooks;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static bool
is_refused(void)
{
    if (countdown < 0)
        return false;
    if (countdown > 0) {
        countdown--;
        return false;
    }
    if (!is_persistent)
        countdown = -2; /* it has happened */
    return true;
}

static bool
was_refused(void)
{
    return countdown == (is_persistent ? 0 : -2);
}

void *
__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

char *
__wrap_strdup(const char *text)
{
    return is_refused() ? NULL : __real_strdup(text);
}

/* Before Criterion, whose own libraries use OpenSSL. */
__attribute__((constructor)) static void
set_hooks(void)
{
    has_hooks = reserve_init();
}

static void
set_up(void)
{
    cr_assert(has_hooks);
    world_set_up();
    world.rsa = tokens_read_rsa();
}

TestSuite(auth_memory, .init = set_up, .fini = world_tear_down, .timeout = 60);

static void
settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 40 * 1000000}, NULL);
}

/* Runs the check with ever later failures; a cold one loads the keys, too. */
static void
run(const char *alg, bool is_cold)
{
    EVP_PKEY *key = alg[0] == 'E' ? world.ec : world.rsa;
    auto_char *jwk =
        tokens_jwk(key, "a-kid-that-is-longer-than-one-buffer", alg, "");
    auto_char *header = tokens_format(
        "{\"alg\":\"%s\",\"kid\":\"a-kid-that-is-longer-than-one-buffer\"}",
        alg);
    long accepted = 0, starved = 0;
    bool is_done = false;

    world_write_set("acme.json", jwk, "");
    settle();
    for (long n = 0; !is_done; n++) {
        auto_char *claims = tokens_format(
            "{" ISS_ACME ",\"sub\":\"a-subject-longer-than-one-buffer\","
            "\"exp\":1700000060,\"jti\":%ld}",
            n);
        auto_char *token = tokens_sign(key, alg, header, claims);
        auto_char *authorization = tokens_format("Bearer %s", token);
        enum err err;

        if (is_cold)
            world_restart((struct auth_options){0});
        countdown = n;
        err = world_check(authorization, "acme", ACCESS_WRITE, NOW);
        is_done = !was_refused();
        countdown = -1;

        cr_assert(err == ERR_OK || err == ERR_NOMEM, "%s, n %ld: %s", alg, n,
                  auth_refusal_name(world.refusal));
        accepted += err == ERR_OK;
        starved += err == ERR_NOMEM;
        cr_assert_eq(world_check(authorization, "acme", ACCESS_WRITE, NOW),
                     ERR_OK, "%s, after n %ld: %s", alg, n,
                     auth_refusal_name(world.refusal));
        cr_assert_str_eq(world.principal->subject,
                         "a-subject-longer-than-one-buffer");
    }
    cr_assert_gt(starved, 20);
    cr_assert_gt(accepted, 20);
}

Test(auth_memory, one_allocation_fails)
{
    run("RS256", false);
    run("PS256", false);
    run("ES256", false);
    run("RS256", true);
    run("ES256", true);
}

Test(auth_memory, all_fail_from_one_on)
{
    is_persistent = true;
    run("RS256", false);
    run("PS256", false);
    run("ES256", false);
    run("RS256", true);
    run("ES256", true);
}

/* With the largest token and the largest key, the reserve still lasts. */
Test(auth_memory, reserve_is_large_enough)
{
    static unsigned char bytes[2048];
    auto_char *modulus = NULL;
    auto_char *jwk = NULL;
    auto_char *signature = NULL;
    auto_char *claims = NULL;
    auto_char *token = NULL;

    memset(bytes, 0xff, sizeof(bytes));
    modulus = tokens_base64url(bytes, sizeof(bytes));
    jwk = tokens_format("{\"kty\":\"RSA\",\"kid\":\"rsa\",\"alg\":\"PS256\","
                        "\"n\":\"%s\",\"e\":\"AQAB\"}",
                        modulus);
    bytes[0] = 0x7f;
    signature = tokens_base64url(bytes, sizeof(bytes));
    claims = tokens_format("{" ISS_ACME ",\"pad\":\"%0*d\"}", 3990, 0);
    token =
        tokens_join("{\"alg\":\"PS256\",\"kid\":\"rsa\"}", claims, signature);
    cr_assert_gt(strlen(token), AUTH_TOKEN_MAX - 100);
    world_write_set("acme.json", jwk, "");
    settle();
    world_assert_token_refused("memory", token, AUTH_SIGNATURE);

    is_persistent = true;
    for (long n = 0; n < 200; n++) {
        auto_char *authorization = tokens_format("Bearer %s", token);

        countdown = n;
        cr_assert_neq(world_check(authorization, NULL, ACCESS_READ, NOW),
                      ERR_OK);
        countdown = -1;
    }
    world_assert_token_refused("memory again", token, AUTH_SIGNATURE);
}
