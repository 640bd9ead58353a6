// SPDX-License-Identifier: MIT
#include "auth/jwks.h"
#include "auth/key_set.h"

#include "base/util.h"
#include "lib/scratch.h"
#include "lib/tokens.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static char *dir;
static struct jwks *jwks;
static const struct jwk *found;
static uint64_t generation;

static void
set_up(void)
{
    auto_char *path = NULL;

    tokens_catch_log();
    dir = scratch_make();
    path = tokens_format("%s/{tenant}.json", dir);
    jwks = jwks_new(path);
}

static void
tear_down(void)
{
    jwks_free(jwks);
    scratch_remove(dir);
}

TestSuite(jwks, .init = set_up, .fini = tear_down);

static void
settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 40 * 1000000}, NULL);
}

static enum err
find(const char *tenant, const char *kid, const char *alg)
{
    found = NULL;
    return jwks_find(jwks, tenant, kid, alg, &found, &generation);
}

/* {"keys":[…]} of the count JWKs that follow, which are freed. */
static void
write_set(const char *name, char *jwk, char *next)
{
    auto_char *set =
        tokens_format("{\"keys\":[%s%s%s]}", jwk, next != NULL ? "," : "",
                      next != NULL ? next : "");

    tokens_replace(dir, name, set);
    free(jwk);
    free(next);
}

static void
write_ec(const char *name, const char *kid)
{
    EVP_PKEY *key = tokens_new_ec("P-256");

    write_set(name, tokens_jwk(key, kid, NULL, ""), NULL);
    EVP_PKEY_free(key);
}

/* How often the log has the event since the last call. */
static int
count_logged(const char *event, const char *reason)
{
    auto_char *log = tokens_take_log();
    auto_char *wanted = tokens_format("\"event\":\"%s\"", event);
    char *rest = log;
    char *line;
    int count = 0;

    while ((line = strsep(&rest, "\n")) != NULL)
        count += strstr(line, wanted) != NULL &&
                 strstr(line, "\"tenant\":\"acme\"") != NULL &&
                 strstr(line, reason) != NULL;
    return count;
}

Test(jwks, finds_by_kid)
{
    EVP_PKEY *a = tokens_new_ec("P-256"), *b = tokens_new_ec("P-384");

    write_set("acme.json", tokens_jwk(a, "a", NULL, ""),
              tokens_jwk(b, "b", NULL, ""));
    cr_assert_eq(find("acme", "a", "ES256"), ERR_OK);
    cr_assert_str_eq(found->kid, "a");
    cr_assert_str_eq(found->alg, "ES256");
    cr_assert_eq(found->signature_len, 64);
    cr_assert_eq(find("acme", "b", "ES256"), ERR_OK);
    cr_assert_str_eq(found->alg, "ES384");
    cr_assert_eq(find("acme", "c", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find("acme", "", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find("acme", NULL, "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find("nobody", "a", "ES256"), ERR_NOTFOUND);
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
}

/* RFC 7517, section 4.5: equivalent keys of other types may share a kid. */
Test(jwks, shared_kid_goes_by_algorithm)
{
    EVP_PKEY *a = tokens_new_ec("P-256"), *b = tokens_new_ec("P-384");

    write_set("acme.json", tokens_jwk(a, "k", NULL, ""),
              tokens_jwk(b, "k", NULL, ""));
    cr_assert_eq(find("acme", "k", "ES256"), ERR_OK);
    cr_assert_str_eq(found->alg, "ES256");
    cr_assert_eq(find("acme", "k", "ES384"), ERR_OK);
    cr_assert_str_eq(found->alg, "ES384");
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
}

Test(jwks, no_kid_means_the_only_key)
{
    EVP_PKEY *a = tokens_new_ec("P-256");

    write_set("acme.json", tokens_jwk(a, NULL, NULL, ""),
              strdup("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}"));
    cr_assert_eq(find("acme", NULL, "ES256"), ERR_OK);
    cr_assert_null(found->kid);
    cr_assert_eq(find("acme", "a", "ES256"), ERR_NOTFOUND);
    EVP_PKEY_free(a);
}

Test(jwks, files_that_are_no_key_set)
{
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *jwk = tokens_jwk(key, "good", NULL, "");
    auto_char *large =
        tokens_format("{\"keys\":[%s],\"x\":\"%0*d\"}", jwk, 256 * 1024, 0);
    auto_char *twice = tokens_format("{\"keys\":[],\"keys\":[%s]}", jwk);
    auto_char *rest = tokens_format("{\"keys\":[%s]}}", jwk);
    const struct {
        const char *text;
        const char *reason;
    } cases[] = {
        {"", "is not valid JSON"},
        {"garbage", "is not valid JSON"},
        {"{\"keys\":[", "is not valid JSON"},
        {rest, "is not valid JSON"},
        {twice, ""},
        {"{}", "has no array"},
        {"[]", "has no array"},
        {"{\"keys\":{}}", "has no array"},
        {jwk, "has no array"},
        {large, "is too large"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_ec("acme.json", "old");
        cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
        settle();
        free(tokens_take_log());
        tokens_write(dir, "acme.json", cases[i].text);
        for (int use = 0; use < 3; use++) {
            cr_assert_eq(find("acme", "old", "ES256"), ERR_OK, "case %zu", i);
            cr_assert_eq(find("acme", "good", "ES256"), ERR_NOTFOUND);
            settle();
        }
        cr_assert_eq(count_logged("jwks_broken", cases[i].reason), 1,
                     "case %zu", i);
    }
    EVP_PKEY_free(key);
}

Test(jwks, a_set_without_a_key_that_can_be_used_takes_none_away)
{
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *good = tokens_jwk(key, "good", NULL, "");
    auto_char *signs = tokens_jwk(key, "s", NULL, ",\"key_ops\":[\"sign\"]");
    auto_char *only_signs = tokens_format("{\"keys\":[%s]}", signs);
    auto_char *both = tokens_format("{\"keys\":[%s,%s]}", signs, good);

    write_ec("acme.json", "old");
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    settle();
    free(tokens_take_log());
    tokens_write(dir, "acme.json", only_signs);
    for (int use = 0; use < 3; use++) {
        auto_char *log = NULL;

        cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
        settle();
        log = tokens_take_log();
        cr_assert_eq(strstr(log, "jwks_key_skipped") != NULL, use == 0);
        if (use > 0)
            continue;
        cr_expect_not_null(strstr(log, "\"kid\":\"s\""), "%s", log);
        cr_expect_not_null(strstr(log, "key_ops is for something else"));
        cr_expect_not_null(strstr(log, "holds no key that can be used"));
        cr_expect_not_null(strstr(log, "\"event\":\"jwks_broken\""));
    }

    tokens_write(dir, "acme.json", both);
    cr_assert_eq(find("acme", "good", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_key_skipped", "\"kid\":\"s\""), 1);

    /* Nothing at all is meant so. */
    tokens_write(dir, "acme.json", "{\"keys\":[]}");
    cr_assert_eq(find("acme", "good", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(count_logged("jwks_loaded", "\"keys\":0"), 1);
    EVP_PKEY_free(key);
}

Test(jwks, keys_that_share_kid_and_algorithm_are_twins)
{
    EVP_PKEY *keys[3];
    auto_char *jwks_text = strdup("");
    auto_char *set = NULL;
    const struct jwk *first;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        auto_char *jwk = NULL;
        char *longer;

        keys[i] = tokens_new_ec("P-256");
        jwk = tokens_jwk(keys[i], "k", NULL, "");
        longer = tokens_format("%s%s%s", jwks_text, i > 0 ? "," : "", jwk);
        free(jwks_text);
        jwks_text = longer;
    }
    set = tokens_format("{\"keys\":[%s]}", jwks_text);
    tokens_write(dir, "acme.json", set);
    cr_assert_eq(find("acme", "k", "ES256"), ERR_OK);
    first = found;
    cr_assert_not_null(first->twin);
    cr_assert_not_null(first->twin->twin);
    cr_assert_null(first->twin->twin->twin);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        EVP_PKEY_free(keys[i]);
}

Test(jwks, log_of_changes)
{
    write_ec("acme.json", "a");
    cr_assert_eq(find("acme", "a", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_", ""), 0);

    write_ec("acme.json", "b");
    cr_assert_eq(find("acme", "b", "ES256"), ERR_OK);
    cr_assert_eq(find("acme", "a", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(count_logged("jwks_loaded", "\"keys\":1"), 1);

    tokens_write(dir, "acme.json", "one");
    cr_assert_eq(find("acme", "b", "ES256"), ERR_OK);
    tokens_write(dir, "acme.json", "other");
    cr_assert_eq(find("acme", "b", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", ""), 2);

    tokens_remove(dir, "acme.json");
    cr_assert_eq(find("acme", "b", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find("acme", "b", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(count_logged("jwks_removed", ""), 1);
}

/* Permissions would not do: the tests may run as root. */
Test(jwks, paths_that_are_no_file)
{
    auto_char *path = scratch_path(dir, "acme.json");

    write_ec("acme.json", "old");
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    tokens_remove(dir, "acme.json");
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", "regular file"), 1);

    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(symlink("acme.json", path), 0);
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", "symbolic links"), 1);

    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(find("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", "regular file"), 1);

    cr_assert_eq(unlink(path), 0);
    write_ec("acme.json", "new");
    cr_assert_eq(find("acme", "new", "ES256"), ERR_OK);
    cr_assert_eq(find("acme", "old", "ES256"), ERR_NOTFOUND);
}

Test(jwks, private_keys_are_named_in_the_log_and_not_used)
{
    EVP_PKEY *key = tokens_new_ec("P-256"), *other = tokens_new_ec("P-256");
    auto_char *private_key = tokens_jwk_private(key, "k", NULL);
    auto_char *d = strdup(strstr(private_key, "\"d\":\"") + 5);
    auto_char *token = NULL;
    auto_char *log = NULL;

    *strchr(d, '"') = '\0';
    write_set("acme.json", strdup(private_key), NULL);
    cr_assert_eq(find("acme", "k", "ES256"), ERR_OK);
    log = tokens_take_log();
    cr_assert_not_null(strstr(log, "\"event\":\"jwks_private\""));
    cr_assert_null(strstr(log, d));

    cjose_err error = {0};
    auto_char *json = cjose_jwk_to_json(found->key, true, &error);

    cr_assert_not_null(strstr(json, "\"x\""));
    cr_assert_null(strstr(json, "\"d\""));
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

/* What is verified with a file that may yet change unnoticed is verified
 * again. */
Test(jwks, generation)
{
    uint64_t settled;

    cr_assert_eq(jwks_generation(jwks, "acme"), 0);
    write_ec("acme.json", "a");
    cr_assert_eq(find("acme", "a", "ES256"), ERR_OK);
    cr_assert_neq(jwks_generation(jwks, "acme"), generation);
    cr_assert_neq(jwks_generation(jwks, "acme"), jwks_generation(jwks, "acme"));

    settle();
    cr_assert_eq(find("acme", "a", "ES256"), ERR_OK);
    settled = generation;
    cr_assert_eq(jwks_generation(jwks, "acme"), settled);
    cr_assert_eq(find("acme", "a", "ES256"), ERR_OK);
    cr_assert_eq(generation, settled);

    write_ec("acme.json", "b");
    cr_assert_neq(jwks_generation(jwks, "acme"), settled);
    settle();
    cr_assert_neq(jwks_generation(jwks, "acme"), settled);
    tokens_remove(dir, "acme.json");
    cr_assert_eq(jwks_generation(jwks, "acme"), 0);
}

Test(jwks, sets_are_bounded)
{
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *jwk = tokens_jwk(key, "k", NULL, "");
    auto_char *set = tokens_format("{\"keys\":[%s]}", jwk);
    size_t in_use = 0;

    EVP_PKEY_free(key);
    for (int i = 0; i < 2000; i++) {
        char tenant[16];
        auto_char *name = NULL;

        snprintf(tenant, sizeof(tenant), "t%d", i);
        name = tokens_format("%s.json", tenant);
        tokens_write(dir, name, set);
        cr_assert_eq(find(tenant, "k", "ES256"), ERR_OK);
        if (i == 1200)
            in_use = mallinfo2().uordblks;
    }
    /* 0 under a sanitizer, which keeps its own books. */
    cr_assert_leq(mallinfo2().uordblks, in_use + 65536);
    cr_assert_eq(find("t0", "k", "ES256"), ERR_OK);
}

Test(jwks, the_keys_of_all_sets_are_bounded)
{
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *jwk = tokens_jwk(key, "k", NULL, "");
    auto_char *list = strdup(jwk);
    size_t in_use = 0;

    EVP_PKEY_free(key);
    for (int count = 1; count < 100; count++) {
        char *longer = tokens_format("%s,%s", list, jwk);

        free(list);
        list = longer;
    }
    for (int i = 0; i < 60; i++) {
        char tenant[16];
        auto_char *name = NULL;
        auto_char *set = tokens_format("{\"keys\":[%s]}", list);

        snprintf(tenant, sizeof(tenant), "t%d", i);
        name = tokens_format("%s.json", tenant);
        tokens_write(dir, name, set);
        cr_assert_eq(find(tenant, "k", "ES256"), ERR_OK);
        if (i == 25)
            in_use = mallinfo2().uordblks;
    }
    cr_assert_leq(mallinfo2().uordblks, in_use + 65536);
}

Test(jwks, keys_of_a_set_are_bounded)
{
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *jwk = tokens_jwk(key, "k", NULL, "");
    auto_char *list = strdup(jwk);

    EVP_PKEY_free(key);
    for (int count = 1; count <= 513; count++) {
        if (count >= 512) {
            write_set("acme.json", strdup(list), NULL);
            cr_assert_eq(find("acme", "k", "ES256"), ERR_OK);
            cr_assert_eq(count_logged("jwks_broken", "too many keys"),
                         count == 513);
        }
        char *longer = tokens_format("%s,%s", list, jwk);

        free(list);
        list = longer;
    }
}

static void
ignore(void *ctx, const char *kid, const char *why)
{
    (void)ctx;
    (void)kid;
    (void)why;
}

/* The set is freed. */
static void
assert_checked(char *set, const char *said)
{
    const char *why = NULL;
    size_t count = 0;
    enum err err = key_set_check(set, strlen(set), ignore, NULL, &count, &why);
    auto_char *got =
        err == ERR_OK ? tokens_format("%zu", count) : tokens_format("%s", why);

    cr_expect(err == ERR_OK || err == ERR_INVALID);
    cr_expect_str_eq(got, said);
    free(set);
}

Test(jwks, a_set_is_checked_before_it_is_used)
{
    const char *unfit = "{\"kty\":\"OKP\"}";
    const char *no_key = "holds no key that can be used";
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *good = tokens_jwk(key, "a", "ES256", "");
    auto_char *secret = tokens_jwk_private(key, "b", "ES256");

    assert_checked(tokens_format("{\"keys\":[%s,%s]}", good, good), "2");
    assert_checked(tokens_format("{\"keys\":[%s,%s]}", unfit, good), "1");
    assert_checked(tokens_format("{\"keys\":[%s,%s]}", good, secret),
                   "holds a private key");
    assert_checked(tokens_format("{\"keys\":[%s]}", unfit), no_key);
    assert_checked(tokens_format("{\"keys\":[]}"), "holds no key");
    assert_checked(tokens_format("{\"keys\":%s}", good),
                   "has no array \"keys\"");
    assert_checked(tokens_format("[%s]", good), "has no array \"keys\"");
    assert_checked(tokens_format("{\"keys\":[%s", good),
                   "is not valid JSON: unexpected end");
    EVP_PKEY_free(key);
}
