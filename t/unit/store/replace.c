// SPDX-License-Identifier: MIT
/* Values that are replaced within their version. */
#include "store/store.h"

#include "base/util.h"
#include "lib/store_both.h"

#include <criterion/criterion.h>
#include <string.h>

/* A write that puts text in the place of old in that version of acme's key. */
static struct store_write
replacement(const char *key, uint64_t version, const char *old,
            const char *text)
{
    struct store_write write = write_of("acme", key, text);

    write.author = write.request_id = "nobody";
    write.op = STORE_REPLACE;
    write.base = version;
    write.replaces = old;
    write.replaces_len = strlen(old);
    return write;
}

static void
assert_replaced(struct store *store, struct store_write write, bool is_new)
{
    cr_expect_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(write.result, ERR_OK);
    cr_expect_eq(write.is_new, is_new);
}

STORE_TEST(the_newest_version_is_replaced_and_stays_what_it_is)
{
    struct record before, after;

    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "2");
    cr_assert_eq(store_get(store, "acme", "timer", &before), ERR_OK);
    assert_replaced(store, replacement("timer", 2, "2", "two"), true);
    assert_value(store, "acme", "timer", 2, "two");
    assert_history(store, "timer", 0, 9, "2=two(alice,r-1) 1=1(alice,r-1) ");
    cr_assert_eq(store_get(store, "acme", "timer", &after), ERR_OK);
    cr_expect_eq(after.updated_at, before.updated_at);
    record_clear(&before);
    record_clear(&after);
    cr_expect_eq(stored(store, "acme", "timer", "3"), 3);
}

STORE_TEST(an_old_version_is_replaced_in_the_history_alone)
{
    for (int i = 0; i < 3; i++)
        stored(store, "acme", "timer", "same");
    stored(store, "acme", "timers", "same");
    assert_replaced(store, replacement("timer", 2, "same", "other"), true);
    assert_value(store, "acme", "timer", 3, "same");
    assert_history(store, "timer", 0, 9,
                   "3=same(alice,r-1) 2=other(alice,r-1) 1=same(alice,r-1) ");
    assert_history(store, "timers", 0, 9, "1=same(alice,r-1) ");
}

STORE_TEST(what_is_no_longer_there_is_not_replaced)
{
    stored(store, "acme", "timer", "1");
    stored(store, "brio", "timer", "1");
    assert_replaced(store, replacement("timer", 1, "0", "x"), false);
    assert_replaced(store, replacement("timer", 1, "10", "x"), false);
    assert_replaced(store, replacement("timer", 2, "1", "x"), false);
    assert_replaced(store, replacement("timer", 0, "1", "x"), false);
    assert_replaced(store, replacement("other", 1, "1", "x"), false);
    assert_value(store, "acme", "timer", 1, "1");
    assert_value(store, "acme", "other", 0, "");
    assert_replaced(store, replacement("timer", 1, "1", "x"), true);
    assert_replaced(store, replacement("timer", 1, "1", "y"), false);
    assert_value(store, "acme", "timer", 1, "x");
    assert_value(store, "brio", "timer", 1, "1");
}

STORE_TEST(a_version_that_unset_the_key_is_not_replaced)
{
    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "");
    assert_replaced(store, replacement("timer", 1, "1", "one"), true);
    assert_history(store, "timer", 0, 9, "2=(alice,r-1) 1=one(alice,r-1) ");
    assert_value(store, "acme", "timer", 2, "");
}

STORE_TEST(replacements_go_with_other_writes)
{
    struct store_write writes[] = {
        replacement("timer", 1, "1", "one"),
        write_of("acme", "timer", "2"),
        replacement("timer", 2, "2", "two"),
        replacement("timer", 1, "one", "One"),
    };

    stored(store, "acme", "timer", "1");
    cr_expect_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        cr_expect(writes[i].is_new, "%zu", i);
    assert_history(store, "timer", 0, 9, "2=two(alice,r-1) 1=One(alice,r-1) ");
    assert_value(store, "acme", "timer", 2, "two");
}

STORE_TEST(a_replacement_must_name_a_key)
{
    struct store_write write = replacement("timer", 1, "1", "x");

    write.tenant = "";
    cr_expect_eq(store_commit_one(store, &write), ERR_INVALID);
    cr_expect_not(write.is_new);
}
