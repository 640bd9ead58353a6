// SPDX-License-Identifier: MIT
/* The histories of a tenant's keys as one, both ways, from anywhere. */
#include "store/store.h"

#include "base/util.h"
#include "lib/scratch.h"
#include "lib/store_both.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES_MAX 400

/* What a walk has visited: "key=version " each, and where it was. */
struct walked {
    char text[8192];
    size_t limit; /* visits until it ends; 0: none does */
    struct store_place places[PLACES_MAX];
    size_t count;
};

static enum err
see(void *ctx, const char *key, const struct record *record,
    const struct record_origin *origin)
{
    struct walked *walked = ctx;
    size_t len = strlen(walked->text);

    cr_assert_not_null(record->author);
    cr_assert_not_null(origin->request_id);
    cr_assert_lt(walked->count, PLACES_MAX);
    walked->places[walked->count++] = store_place_of(key, record);
    snprintf(walked->text + len, sizeof(walked->text) - len, "%s=%llu ", key,
             (unsigned long long)record->version);
    return walked->count == walked->limit ? ERR_ENDED : ERR_OK;
}

static struct walked
walk(struct store *store, enum store_direction direction,
     const struct store_place *from)
{
    struct walked walked = {.limit = 0};

    cr_assert_eq(store_timeline(store, "acme", direction, from, see, &walked),
                 ERR_OK);
    return walked;
}

static void
assert_walk(struct store *store, enum store_direction direction,
            const struct store_place *from, const char *expected)
{
    struct walked walked = walk(store, direction, from);

    cr_expect_str_eq(walked.text, expected);
}

STORE_TEST(versions_of_all_keys_are_in_the_order_of_their_commits)
{
    stored(store, "acme", "b", "1");
    stored(store, "acme", "a", "2");
    stored(store, "brio", "a", "of another");
    stored(store, "acme", "b", "3");
    stored(store, "acm", "a", "of another");
    stored(store, "acme", "ab", "4");
    stored(store, "acme", "a", "5");
    assert_walk(store, STORE_OLDER, NULL, "a=2 ab=1 b=2 a=1 b=1 ");
    assert_walk(store, STORE_NEWER, NULL, "b=1 a=1 b=2 ab=1 a=2 ");
}

STORE_TEST(a_tenant_without_any_has_none)
{
    stored(store, "acmes", "b", "1");
    assert_walk(store, STORE_OLDER, NULL, "");
    assert_walk(store, STORE_NEWER, NULL, "");
    cr_expect_eq(store_timeline(store, "", STORE_OLDER, NULL, see, NULL),
                 ERR_INVALID);
}

STORE_TEST(a_batch_is_in_the_order_of_its_writes)
{
    struct store_write writes[] = {
        write_of("acme", "c", "1"),
        write_of("acme", "a", "1"),
        write_of("acme", "b", "1"),
    };

    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    assert_walk(store, STORE_NEWER, NULL, "c=1 a=1 b=1 ");
}

STORE_TEST(a_visit_ends_it)
{
    struct walked walked = {.limit = 2};

    stored(store, "acme", "b", "1");
    stored(store, "acme", "a", "2");
    stored(store, "acme", "b", "3");
    cr_expect_eq(store_timeline(store, "acme", STORE_OLDER, NULL, see, &walked),
                 ERR_ENDED);
    cr_expect_str_eq(walked.text, "b=2 a=1 ");
}

/* Some 200 versions of five keys, in an order that has no rule. */
static void
store_many(struct store *store)
{
    static const char *const keys[] = {"a", "ab", "b", "big", "z"};
    unsigned int seed = 7;

    for (int i = 0; i < 200; i++) {
        seed = seed * 1103515245 + 12345;
        stored(store, seed % 11 == 0 ? "brio" : "acme",
               keys[(seed >> 16) % ARRAY_SIZE(keys)], "x");
    }
}

/* From each place, what is behind it is what the whole has behind it. */
static void
assert_every_start(struct store *store, enum store_direction direction)
{
    struct walked all = walk(store, direction, NULL);
    const char *rest = all.text;

    cr_assert_gt(all.count, 2);
    for (size_t i = 0; i < all.count; i++) {
        struct walked walked = walk(store, direction, &all.places[i]);

        rest = strchr(rest, ' ') + 1;
        cr_assert_str_eq(walked.text, rest, "from place %zu", i);
    }
    cr_expect_str_empty(rest);
}

STORE_TEST(it_begins_anywhere)
{
    store_many(store);
    assert_every_start(store, STORE_OLDER);
    assert_every_start(store, STORE_NEWER);
}

/* A place that is kept no longer is still one to begin at. */
STORE_TEST_KEEPING(3, what_is_gone_is_not_in_it)
{
    struct walked before, walked;

    stored(store, "acme", "a", "1");
    stored(store, "acme", "b", "1");
    before = walk(store, STORE_OLDER, NULL);
    for (int i = 0; i < 20; i++)
        stored(store, "acme", "a", "x");
    assert_walk(store, STORE_OLDER, NULL, "a=21 a=20 a=19 b=1 ");
    walked = walk(store, STORE_NEWER, &before.places[1]);
    cr_expect_str_eq(walked.text, "b=1 a=19 a=20 a=21 ");
    assert_walk(store, STORE_OLDER, &before.places[1], "");
    assert_every_start(store, STORE_OLDER);
    assert_every_start(store, STORE_NEWER);
}

STORE_TEST(a_place_that_never_was_is_one_to_begin_at)
{
    const struct store_place end = {.seq = UINT64_MAX};
    const struct store_place start = {.seq = 0};

    stored(store, "acme", "a", "1");
    stored(store, "acme", "b", "1");
    assert_walk(store, STORE_OLDER, &end, "b=1 a=1 ");
    assert_walk(store, STORE_NEWER, &end, "");
    assert_walk(store, STORE_NEWER, &start, "a=1 b=1 ");
    assert_walk(store, STORE_OLDER, &start, "");
}

/* Versions that are older than format 2 come first, by their time. */
Test(memory, older_versions_are_placed_by_their_time)
{
    struct store *store = store_mem_new();

    stored(store, "acme", "b", "1");
    stored(store, "acme", "a", "1");
    stored(store, "acme", "b", "2");
    store_mem_age(store);
    stored(store, "acme", "a", "2");
    cr_expect_eq(strncmp(walk(store, STORE_OLDER, NULL).text, "a=2 ", 4), 0);
    assert_every_start(store, STORE_OLDER);
    assert_every_start(store, STORE_NEWER);
    store_close(store);
}

Test(store_place, is_by_seq_and_before_it_by_time_key_and_version)
{
    static const struct store_place ordered[] = {
        {.time = 5, .key = "a", .version = 1},
        {.time = 5, .key = "a", .version = 2},
        {.time = 5, .key = "b", .version = 1},
        {.time = 6, .key = "a", .version = 3},
        {.seq = 1, .time = 4, .key = "a", .version = 4},
        {.seq = 2, .time = 3, .key = "a", .version = 5},
        {.seq = UINT64_MAX, .time = 0, .key = "a", .version = 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(ordered); i++)
        for (size_t j = 0; j < ARRAY_SIZE(ordered); j++) {
            int order = store_place_compare(&ordered[i], &ordered[j]);

            cr_expect_eq((order > 0) - (order < 0), (i > j) - (i < j),
                         "%zu and %zu", i, j);
        }
}
