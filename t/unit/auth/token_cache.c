// SPDX-License-Identifier: MIT
#include "auth/token_cache.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct token_cache *cache;

static void
tear_down(void)
{
    token_cache_free(cache);
}

TestSuite(token_cache, .fini = tear_down);

static void
put(const char *token, int64_t expires)
{
    struct token_verdict verdict = {.expires = expires};

    token_cache_put(cache, token, strlen(token), &verdict);
}

/* What is kept of the token, or -1. */
static int64_t
get(const char *token)
{
    const struct token_verdict *verdict =
        token_cache_find(cache, token, strlen(token));

    return verdict != NULL ? verdict->expires : -1;
}

Test(token_cache, keeps_and_replaces)
{
    cache = token_cache_new(4, 1 << 20);
    cr_assert_eq(get("a"), -1);
    put("a", 1);
    put("b", 2);
    cr_assert_eq(get("a"), 1);
    cr_assert_eq(get("b"), 2);
    put("a", 3);
    cr_assert_eq(get("a"), 3);
    cr_assert_eq(token_cache_count(cache), 2);
    token_cache_remove(cache, "a", 1);
    token_cache_remove(cache, "never", 5);
    cr_assert_eq(get("a"), -1);
    cr_assert_eq(token_cache_count(cache), 1);
    token_cache_remove(cache, "b", 1);
    cr_assert_eq(token_cache_bytes(cache), 0);
}

/* All of one bucket and one hash: the hash is made of the end. */
Test(token_cache, compares_the_whole_token)
{
    static const char tail[] = "0123456789abcdef0123456789abcdef";
    char token[64];

    cache = token_cache_new(64, 1 << 20);
    for (int i = 0; i < 26; i++) {
        snprintf(token, sizeof(token), "%c%s", 'a' + i, tail);
        cr_assert_eq(get(token), -1);
        put(token, i);
    }
    for (int i = 0; i < 26; i++) {
        snprintf(token, sizeof(token), "%c%s", 'a' + i, tail);
        cr_assert_eq(get(token), i);
    }
    cr_assert_eq(get(tail), -1);
}

Test(token_cache, least_recently_used_goes_first)
{
    cache = token_cache_new(3, 1 << 20);
    put("a", 1);
    put("b", 2);
    put("c", 3);
    cr_assert_eq(get("a"), 1);
    put("d", 4);
    cr_assert_eq(get("b"), -1);
    cr_assert_eq(get("a"), 1);
    cr_assert_eq(get("c"), 3);
    cr_assert_eq(get("d"), 4);
    cr_assert_eq(token_cache_count(cache), 3);
}

Test(token_cache, is_bounded)
{
    enum { ENTRIES = 100, BYTES = 40000 };
    char token[1024];

    cache = token_cache_new(ENTRIES, BYTES);
    for (int i = 0; i < 100000; i++) {
        int len = i % 1000 + 8;

        snprintf(token, sizeof(token), "%0*d", len, i);
        put(token, i);
        cr_assert_leq(token_cache_count(cache), ENTRIES);
        cr_assert_leq(token_cache_bytes(cache), BYTES);
        cr_assert_eq(get(token), i);
    }
}

/* One that is larger than all there is room for is not kept. */
Test(token_cache, too_large_a_token)
{
    char token[1000] = {0};

    cache = token_cache_new(10, 500);
    memset(token, 'a', sizeof(token) - 1);
    put(token, 1);
    cr_assert_eq(get(token), -1);
    cr_assert_eq(token_cache_count(cache), 0);
    put("b", 2);
    cr_assert_eq(get("b"), 2);
}
