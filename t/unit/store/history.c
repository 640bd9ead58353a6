// SPDX-License-Identifier: MIT
/* The history: pages of it, one version of it, and what is pruned. */
#include "store/store.h"

#include "base/util.h"
#include "lib/scratch.h"
#include "lib/store_both.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

STORE_TEST(history_is_newest_first_and_paged)
{
    struct store_write write = write_of("acme", "timer", "3");

    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "2");
    stored(store, "acme", "time", "x");
    stored(store, "acme", "timers", "y");
    write.author = "bob";
    write.request_id = "r-2";
    assert_write(store, write, ERR_OK, 3);
    write.author = write.request_id = NULL;
    assert_write(store, write, ERR_OK, 4);

    assert_history(store, "timer", 0, 9,
                   "4=3(,) 3=3(bob,r-2) 2=2(alice,r-1) 1=1(alice,r-1) ");
    assert_history(store, "timer", 0, 2, "4=3(,) 3=3(bob,r-2) ");
    assert_history(store, "timer", 3, 9, "2=2(alice,r-1) 1=1(alice,r-1) ");
    assert_history(store, "timer", 3, 1, "2=2(alice,r-1) ");
    assert_history(store, "timer", 100, 1, "4=3(,) ");
    assert_history(store, "timer", 1, 9, "");
    assert_history(store, "timer", 0, 0, "");
    assert_history(store, "timers", 0, 9, "1=y(alice,r-1) ");
    assert_history(store, "zzz", 0, 9, "");
}

STORE_TEST(history_reaches_past_a_byte_of_the_version)
{
    for (int i = 0; i < 300; i++)
        stored(store, "acme", "timer", "x");
    assert_history(store, "timer", 0, 1, "300=x(alice,r-1) ");
    assert_history(store, "timer", 257, 1, "256=x(alice,r-1) ");
    assert_history(store, "timer", 256, 1, "255=x(alice,r-1) ");
}

static void
assert_version(struct store *store, const char *key, uint64_t version,
               const char *text)
{
    struct record record = {.version = 99};

    cr_assert_eq(store_get_version(store, "acme", key, version, &record),
                 ERR_OK);
    cr_expect_eq(record.version, text != NULL ? version : 0);
    if (text == NULL)
        cr_expect_null(record.value);
    else
        cr_expect_str_eq(record.value, text);
    cr_expect_eq(record.value_len, text != NULL ? strlen(text) : 0);
    record_clear(&record);
}

STORE_TEST(one_version_of_the_history)
{
    struct store_write write = write_of("acme", "timer", "30");
    struct record record = {.version = 99};

    assert_version(store, "timer", 1, NULL);
    stored(store, "acme", "timer", "10");
    stored(store, "acme", "timer", "20");
    stored(store, "acme", "time", "other");
    stored(store, "brio", "timer", "other");
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    assert_version(store, "timer", 0, NULL);
    assert_version(store, "timer", 1, "10");
    assert_version(store, "timer", 2, "20");
    assert_version(store, "timer", 3, "30");
    assert_version(store, "timer", 4, NULL);
    assert_version(store, "timer", UINT64_MAX - 1, NULL);
    assert_version(store, "timer", UINT64_MAX, NULL);
    assert_version(store, "time", 2, NULL);
    assert_version(store, "timers", 1, NULL);

    cr_assert_eq(store_get_version(store, "acme", "timer", 3, &record), ERR_OK);
    cr_expect_eq(record.updated_at, write.updated_at);
    record_clear(&record);
    cr_expect_eq(store_get_version(store, "", "timer", 1, &record),
                 ERR_INVALID);
}

STORE_TEST_KEEPING(3, only_the_last_versions_are_kept)
{
    for (int i = 1; i <= 10; i++) {
        char text[8], expected[128] = "";

        snprintf(text, sizeof(text), "v%d", i);
        cr_expect_eq(stored(store, "acme", "timer", text), i);
        for (int kept = i; kept > 0 && kept > i - 3; kept--)
            snprintf(expected + strlen(expected),
                     sizeof(expected) - strlen(expected), "%d=v%d(alice,r-1) ",
                     kept, kept);
        assert_history(store, "timer", 0, 99, expected);
        assert_value(store, "acme", "timer", (uint64_t)i, text);
    }
    assert_version(store, "timer", 7, NULL);
    assert_version(store, "timer", 8, "v8");
    assert_history(store, "timer", 9, 99, "8=v8(alice,r-1) ");
    assert_history(store, "timer", 8, 99, "");
}

STORE_TEST_KEEPING(2, pruning_is_of_one_key_and_tenant)
{
    static const char *const keys[] = {"a", "ab", "abc", "b"};

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 4; i++)
            stored(store, "acme", keys[i], "x");
    stored(store, "brio", "ab", "y");
    stored(store, "brio", "ab", "z");
    for (int round = 0; round < 3; round++)
        stored(store, "acme", "ab", "x");
    assert_history(store, "ab", 0, 9, "5=x(alice,r-1) 4=x(alice,r-1) ");
    assert_history(store, "a", 0, 9, "2=x(alice,r-1) 1=x(alice,r-1) ");
    assert_history(store, "abc", 0, 9, "2=x(alice,r-1) 1=x(alice,r-1) ");
    assert_history(store, "b", 0, 9, "2=x(alice,r-1) 1=x(alice,r-1) ");
    assert_value(store, "brio", "ab", 2, "z");
}

STORE_TEST_KEEPING(1, one_version_is_the_current_one)
{
    for (int i = 0; i < 300; i++) /* past a byte of the version */
        stored(store, "acme", "timer", "x");
    assert_history(store, "timer", 0, 9, "300=x(alice,r-1) ");
    assert_value(store, "acme", "timer", 300, "x");
}

STORE_TEST_KEEPING(2, what_is_not_stored_prunes_nothing)
{
    struct store_write late = write_of("acme", "timer", "late");
    struct store_write again = write_of("acme", "seq", "a");

    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "2");
    late.base = 1;
    assert_write(store, late, ERR_CONFLICT, 2);
    assert_history(store, "timer", 0, 9, "2=2(alice,r-1) 1=1(alice,r-1) ");

    again.once = true;
    for (int i = 0; i < 4; i++)
        assert_write(store, again, ERR_OK, 1);
    assert_history(store, "seq", 0, 9, "1=a(alice,r-1) ");
}

STORE_TEST_KEEPING(2, writes_of_a_batch_prune_each_other)
{
    struct store_write writes[] = {
        write_of("acme", "timer", "1"), write_of("acme", "other", "9"),
        write_of("acme", "timer", "2"), write_of("acme", "timer", "3"),
        write_of("acme", "timer", "4"),
    };

    cr_assert_eq(commit_all(store, writes, 5), ERR_OK);
    cr_expect_eq(writes[4].version, 4);
    assert_history(store, "timer", 0, 9, "4=4(alice,r-1) 3=3(alice,r-1) ");
    assert_history(store, "other", 0, 9, "1=9(alice,r-1) ");
}

/* Values that LMDB keeps on pages of their own. */
STORE_TEST_KEEPING(2, large_values_are_pruned_too)
{
    static char big[50000];
    struct store_write write = write_of("acme", "timer", "x");
    struct record record;

    memset(big, 'x', sizeof(big));
    write.value = big;
    write.value_len = sizeof(big);
    for (uint64_t i = 1; i <= 2000; i++) /* more than the map has room for */
        assert_write(store, write, ERR_OK, i);
    assert_version(store, "timer", 1998, NULL);
    cr_assert_eq(store_get_version(store, "acme", "timer", 1999, &record),
                 ERR_OK);
    cr_expect_eq(record.value_len, sizeof(big));
    record_clear(&record);
}

static enum err
add_version(void *ctx, const struct record *record,
            const struct record_origin *origin)
{
    (void)record;
    (void)origin;
    ++*(uint64_t *)ctx;
    return ERR_OK;
}

/* How many versions of acme's timer store has. */
static uint64_t
count_kept(struct store *store)
{
    uint64_t count = 0;

    cr_assert_eq(
        store_history(store, "acme", "timer", 0, SIZE_MAX, add_version, &count),
        ERR_OK);
    return count;
}

/* How many are in the file, hidden ones too. */
static uint64_t
count_there(const char *path)
{
    struct store *store = open_keeping(path, 0);
    uint64_t count = count_kept(store);

    store_close(store);
    return count;
}

/* Writes once; returns how many versions are there then. */
static uint64_t
write_keeping(const char *path, uint64_t history)
{
    struct store *store = open_keeping(path, history);

    stored(store, "acme", "timer", "x");
    cr_expect_leq(count_kept(store), history);
    store_close(store);
    return count_there(path);
}

/* As much work as one write may do, until there is no more to do. */
Test(lmdb, a_lower_history_holds_at_once_and_is_removed_in_steps)
{
    enum { BEFORE = 2 * STORE_PRUNE_MAX + 500 };
    static struct store_write writes[BEFORE];
    char *scratch = scratch_make();
    struct store *store = open_keeping(scratch, 0);
    uint64_t before = BEFORE;

    for (int i = 0; i < BEFORE; i++)
        writes[i] = write_of("acme", "timer", "x");
    cr_assert_eq(commit_all(store, writes, BEFORE), ERR_OK);
    store_close(store);

    store = open_keeping(scratch, 10);
    cr_expect_eq(count_kept(store), 10);
    assert_version(store, "timer", BEFORE - 10, NULL);
    assert_version(store, "timer", BEFORE - 9, "x");
    store_close(store);
    cr_expect_eq(count_there(scratch), BEFORE);

    for (int i = 0; i < 8; i++) {
        uint64_t after = write_keeping(scratch, 10);

        cr_expect_geq(after + STORE_PRUNE_MAX, before + 1);
        before = after;
    }
    cr_expect_leq(before, 12);
    scratch_remove(scratch);
}

/* Hidden versions never are many. */
Test(lmdb, what_is_not_kept_is_removed_soon)
{
    static const struct {
        uint64_t history, most;
    } cases[] = {{1, 1}, {7, 7}, {8, 9}, {100, 112}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_write writes[150];
        char *scratch = scratch_make();
        struct store *store = open_keeping(scratch, cases[i].history);
        uint64_t most = 0;

        for (size_t n = 0; n < ARRAY_SIZE(writes); n++)
            writes[n] = write_of("acme", "timer", "x");
        cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
        store_close(store);
        for (int n = 0; n < 14; n++) {
            uint64_t there = write_keeping(scratch, cases[i].history);

            most = there > most ? there : most;
        }
        cr_expect_eq(most, cases[i].most, "%ju of %ju", (uintmax_t)most,
                     (uintmax_t)cases[i].history);
        scratch_remove(scratch);
    }
}

Test(lmdb, a_higher_history_shows_what_is_still_there)
{
    char *scratch = scratch_make();
    struct store *store = open_keeping(scratch, 8);

    for (int i = 0; i < 20; i++)
        stored(store, "acme", "timer", "x");
    cr_expect_eq(count_kept(store), 8);
    stored(store, "acme", "timer", "x"); /* leaves one that is hidden */
    cr_expect_eq(count_kept(store), 8);
    store_close(store);
    store = open_keeping(scratch, 100);
    cr_expect_eq(count_kept(store), 9);
    stored(store, "acme", "timer", "x");
    cr_expect_eq(count_kept(store), 10);
    store_close(store);
    scratch_remove(scratch);
}
