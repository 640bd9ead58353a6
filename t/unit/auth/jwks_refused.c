// SPDX-License-Identifier: MIT
/* Key set files that cannot be used, or only in part, and what the log says. */
#include "auth/key_set.h"
#include "base/util.h"
#include "lib/key_files.h"
#include "lib/scratch.h"
#include "lib/tokens.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(jwks_refused, .init = key_files_set_up, .fini = key_files_tear_down);

Test(jwks_refused, files_that_are_no_key_set)
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
        cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
        settle();
        free(tokens_take_log());
        tokens_write(dir, "acme.json", cases[i].text);
        for (int use = 0; use < 3; use++) {
            cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK, "case %zu",
                         i);
            cr_assert_eq(find_key("acme", "good", "ES256"), ERR_NOTFOUND);
            settle();
        }
        cr_assert_eq(count_logged("jwks_broken", cases[i].reason), 1,
                     "case %zu", i);
    }
    EVP_PKEY_free(key);
}

Test(jwks_refused, a_set_without_a_key_that_can_be_used_takes_none_away)
{
    EVP_PKEY *key = tokens_new_ec("P-256");
    auto_char *good = tokens_jwk(key, "good", NULL, "");
    auto_char *signs = tokens_jwk(key, "s", NULL, ",\"key_ops\":[\"sign\"]");
    auto_char *only_signs = tokens_format("{\"keys\":[%s]}", signs);
    auto_char *both = tokens_format("{\"keys\":[%s,%s]}", signs, good);

    write_ec("acme.json", "old");
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    settle();
    free(tokens_take_log());
    tokens_write(dir, "acme.json", only_signs);
    for (int use = 0; use < 3; use++) {
        auto_char *log = NULL;

        cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
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
    cr_assert_eq(find_key("acme", "good", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_key_skipped", "\"kid\":\"s\""), 1);

    /* Nothing at all is meant so. */
    tokens_write(dir, "acme.json", "{\"keys\":[]}");
    cr_assert_eq(find_key("acme", "good", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(count_logged("jwks_loaded", "\"keys\":0"), 1);
    EVP_PKEY_free(key);
}

Test(jwks_refused, log_of_changes)
{
    write_ec("acme.json", "a");
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_", ""), 0);

    write_ec("acme.json", "b");
    cr_assert_eq(find_key("acme", "b", "ES256"), ERR_OK);
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(count_logged("jwks_loaded", "\"keys\":1"), 1);

    tokens_write(dir, "acme.json", "one");
    cr_assert_eq(find_key("acme", "b", "ES256"), ERR_OK);
    tokens_write(dir, "acme.json", "other");
    cr_assert_eq(find_key("acme", "b", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", ""), 2);

    tokens_remove(dir, "acme.json");
    cr_assert_eq(find_key("acme", "b", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find_key("acme", "b", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(count_logged("jwks_removed", ""), 1);
}

/* Permissions would not do: the tests may run as root. */
Test(jwks_refused, paths_that_are_no_file)
{
    auto_char *path = scratch_path(dir, "acme.json");

    write_ec("acme.json", "old");
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    tokens_remove(dir, "acme.json");
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", "regular file"), 1);

    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(symlink("acme.json", path), 0);
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", "symbolic links"), 1);

    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_OK);
    cr_assert_eq(count_logged("jwks_broken", "regular file"), 1);

    cr_assert_eq(unlink(path), 0);
    write_ec("acme.json", "new");
    cr_assert_eq(find_key("acme", "new", "ES256"), ERR_OK);
    cr_assert_eq(find_key("acme", "old", "ES256"), ERR_NOTFOUND);
}

Test(jwks_refused, private_keys_are_named_in_the_log_and_not_used)
{
    EVP_PKEY *key = tokens_new_ec("P-256"), *other = tokens_new_ec("P-256");
    auto_char *private_key = tokens_jwk_private(key, "k", NULL);
    auto_char *d = strdup(strstr(private_key, "\"d\":\"") + 5);
    auto_char *token = NULL;
    auto_char *log = NULL;

    *strchr(d, '"') = '\0';
    write_set("acme.json", strdup(private_key), NULL);
    cr_assert_eq(find_key("acme", "k", "ES256"), ERR_OK);
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

Test(jwks_refused, a_set_is_checked_before_it_is_used)
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
