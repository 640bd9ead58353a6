// SPDX-License-Identifier: MIT
/* Keys that are found: by kid and algorithm, in sets of any number. */
#include "auth/jwks.h"

#include "base/util.h"
#include "lib/key_files.h"
#include "lib/tokens.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

TestSuite(jwks, .init = key_files_set_up, .fini = key_files_tear_down);

Test(jwks, finds_by_kid)
{
    EVP_PKEY *a = tokens_new_ec("P-256"), *b = tokens_new_ec("P-384");

    write_set("acme.json", tokens_jwk(a, "a", NULL, ""),
              tokens_jwk(b, "b", NULL, ""));
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_OK);
    cr_assert_str_eq(found->kid, "a");
    cr_assert_str_eq(found->alg, "ES256");
    cr_assert_eq(found->signature_len, 64);
    cr_assert_eq(find_key("acme", "b", "ES256"), ERR_OK);
    cr_assert_str_eq(found->alg, "ES384");
    cr_assert_eq(find_key("acme", "c", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find_key("acme", "", "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find_key("acme", NULL, "ES256"), ERR_NOTFOUND);
    cr_assert_eq(find_key("nobody", "a", "ES256"), ERR_NOTFOUND);
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
}

/* RFC 7517, section 4.5: equivalent keys of other types may share a kid. */
Test(jwks, shared_kid_goes_by_algorithm)
{
    EVP_PKEY *a = tokens_new_ec("P-256"), *b = tokens_new_ec("P-384");

    write_set("acme.json", tokens_jwk(a, "k", NULL, ""),
              tokens_jwk(b, "k", NULL, ""));
    cr_assert_eq(find_key("acme", "k", "ES256"), ERR_OK);
    cr_assert_str_eq(found->alg, "ES256");
    cr_assert_eq(find_key("acme", "k", "ES384"), ERR_OK);
    cr_assert_str_eq(found->alg, "ES384");
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
}

Test(jwks, no_kid_means_the_only_key)
{
    EVP_PKEY *a = tokens_new_ec("P-256");

    write_set("acme.json", tokens_jwk(a, NULL, NULL, ""),
              strdup("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}"));
    cr_assert_eq(find_key("acme", NULL, "ES256"), ERR_OK);
    cr_assert_null(found->kid);
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_NOTFOUND);
    EVP_PKEY_free(a);
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
    cr_assert_eq(find_key("acme", "k", "ES256"), ERR_OK);
    first = found;
    cr_assert_not_null(first->twin);
    cr_assert_not_null(first->twin->twin);
    cr_assert_null(first->twin->twin->twin);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        EVP_PKEY_free(keys[i]);
}

/* What is verified with a file that may yet change unnoticed is verified
 * again. */
Test(jwks, generation)
{
    uint64_t settled;

    cr_assert_eq(jwks_generation(jwks, "acme"), 0);
    write_ec("acme.json", "a");
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_OK);
    cr_assert_neq(jwks_generation(jwks, "acme"), generation);
    cr_assert_neq(jwks_generation(jwks, "acme"), jwks_generation(jwks, "acme"));

    settle();
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_OK);
    settled = generation;
    cr_assert_eq(jwks_generation(jwks, "acme"), settled);
    cr_assert_eq(find_key("acme", "a", "ES256"), ERR_OK);
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
        cr_assert_eq(find_key(tenant, "k", "ES256"), ERR_OK);
        if (i == 1200)
            in_use = mallinfo2().uordblks;
    }
    /* 0 under a sanitizer, which keeps its own books. */
    cr_assert_leq(mallinfo2().uordblks, in_use + 65536);
    cr_assert_eq(find_key("t0", "k", "ES256"), ERR_OK);
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
        cr_assert_eq(find_key(tenant, "k", "ES256"), ERR_OK);
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
            cr_assert_eq(find_key("acme", "k", "ES256"), ERR_OK);
            cr_assert_eq(count_logged("jwks_broken", "too many keys"),
                         count == 513);
        }
        char *longer = tokens_format("%s,%s", list, jwk);

        free(list);
        list = longer;
    }
}
