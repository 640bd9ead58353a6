// SPDX-License-Identifier: MIT
/* Writes that are committed together: batches, and groups in them. */
#include "store/store.h"

#include "base/util.h"
#include "lib/store_both.h"

#include <criterion/criterion.h>
#include <stdio.h>

STORE_TEST(writes_of_a_batch_see_each_other)
{
    struct store_write writes[] = {
        write_of("acme", "timer", "1"), write_of("acme", "timer", "2"),
        write_of("acme", "timer", "3"), write_of("brio", "timer", "4"),
        write_of("acme", "seq", "a"),   write_of("acme", "seq", "a"),
        write_of("acme", "seq", "b"),
    };

    writes[0].base = 0; /* all three arrived at version 0: one wins */
    writes[1].base = 0;
    writes[2].base = 1; /* this one has seen the first */
    writes[3].base = 0;
    writes[4].once = writes[5].once = writes[6].once = true;
    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    cr_expect_eq(writes[0].result, ERR_OK);
    cr_expect_eq(writes[0].version, 1);
    cr_expect(writes[0].is_new);
    cr_expect_not(writes[1].is_new);
    cr_expect_eq(writes[1].result, ERR_CONFLICT);
    cr_expect_eq(writes[1].version, 1);
    cr_expect_eq(writes[2].result, ERR_OK);
    cr_expect_eq(writes[2].version, 2);
    cr_expect_eq(writes[3].result, ERR_OK);
    cr_expect_eq(writes[3].version, 1);
    cr_expect_eq(writes[4].version, 1);
    cr_expect_eq(writes[5].result, ERR_OK);
    cr_expect_eq(writes[5].version, 1);
    cr_expect(writes[4].is_new);
    cr_expect_not(writes[5].is_new);
    cr_expect_eq(writes[6].result, ERR_INVALID);
    cr_expect_eq(writes[6].version, 1);
    assert_value(store, "acme", "timer", 2, "3");
    assert_value(store, "acme", "seq", 1, "a");
    assert_history(store, "timer", 0, 9, "2=3(alice,r-1) 1=1(alice,r-1) ");
    assert_history(store, "seq", 0, 9, "1=a(alice,r-1) ");
}

STORE_TEST(a_group_is_stored_as_a_whole_or_not_at_all)
{
    struct store_write writes[] = {
        write_of("acme", "timer", "1"), write_of("acme", "seq", "a"),
        write_of("acme", "big", "x"),   write_of("brio", "timer", "2"),
        write_of("brio", "seq", "b"),   write_of("cora", "timer", "3"),
        write_of("cora", "seq", "c"),
    };

    stored(store, "acme", "seq", "other");
    stored(store, "acme", "big", "y");
    writes[0].group = writes[1].group = writes[2].group = 1;
    writes[1].once = true; /* refused, and the others with it */
    writes[3].group = writes[4].group = 2;
    writes[6].base = 7; /* by itself, as is the one before */
    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);

    cr_expect_eq(writes[0].result, ERR_CONFLICT);
    cr_expect_eq(writes[0].version, 0);
    cr_expect_not(writes[0].is_new);
    cr_expect_eq(writes[1].result, ERR_INVALID);
    cr_expect_eq(writes[2].result, ERR_CONFLICT);
    cr_expect_eq(writes[2].version, 1);
    cr_expect_eq(writes[4].result, ERR_OK);
    cr_expect(writes[4].is_new);
    cr_expect_eq(writes[5].result, ERR_OK);
    cr_expect_eq(writes[6].result, ERR_CONFLICT);
    assert_value(store, "acme", "timer", 0, "");
    assert_value(store, "acme", "seq", 1, "other");
    assert_value(store, "acme", "big", 1, "y");
    assert_history(store, "timer", 0, 9, "");
    assert_value(store, "brio", "timer", 1, "2");
    assert_value(store, "brio", "seq", 1, "b");
    assert_value(store, "cora", "timer", 1, "3");
    assert_value(store, "cora", "seq", 0, "");
}

STORE_TEST(groups_of_one_number_that_do_not_meet_are_two)
{
    struct store_write writes[] = {
        write_of("acme", "a", "1"),
        write_of("acme", "b", "2"),
        write_of("acme", "c", "3"),
    };

    writes[0].group = writes[2].group = 1;
    writes[2].base = 5;
    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    cr_expect_eq(writes[0].result, ERR_OK);
    cr_expect_eq(writes[1].result, ERR_OK);
    cr_expect_eq(writes[2].result, ERR_CONFLICT);
    assert_value(store, "acme", "a", 1, "1");
}

STORE_TEST(a_check_stores_nothing_and_holds_its_group)
{
    struct store_write writes[] = {
        write_of("acme", "a", "other"),
        write_of("acme", "b", "2"),
        write_of("brio", "a", "other"),
        write_of("brio", "b", "2"),
    };

    stored(store, "acme", "a", "1");
    writes[0].op = writes[2].op = STORE_CHECK;
    writes[0].once = true; /* the value is not looked at */
    writes[0].base = writes[2].base = 1;
    writes[2].lost = ERR_PRECOND;
    writes[0].group = writes[1].group = 1;
    writes[2].group = writes[3].group = 2;
    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    cr_expect_eq(writes[0].result, ERR_OK);
    cr_expect_eq(writes[0].version, 1);
    cr_expect_not(writes[0].is_new);
    cr_expect_eq(writes[2].result, ERR_PRECOND);
    cr_expect_eq(writes[3].result, ERR_CONFLICT);
    assert_value(store, "acme", "a", 1, "1");
    assert_value(store, "acme", "b", 1, "2");
    assert_value(store, "brio", "b", 0, "");
}

/* The operation says what is done, and not whether there is a value. */
STORE_TEST(a_value_that_the_operation_does_not_fit_is_refused)
{
    static const struct {
        enum store_op op;
        const char *value, *replaces;
        enum err result;
    } cases[] = {
        {STORE_PUT, "", "", ERR_INVALID},
        {STORE_UNSET, "2", "", ERR_INVALID},
        {STORE_REPLACE, "", "1", ERR_INVALID},
        {STORE_REPLACE, "2", "", ERR_INVALID},
        {STORE_CHECK, "", "", ERR_OK},
        {STORE_CHECK, "2", "1", ERR_OK},
        {STORE_REPLACE, "2", "1", ERR_OK},
    };

    stored(store, "acme", "a", "1");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_write write = write_of("acme", "a", cases[i].value);

        write.op = cases[i].op;
        write.base = 1;
        write.replaces = cases[i].replaces;
        write.replaces_len = strlen(cases[i].replaces);
        cr_expect_eq(store_commit_one(store, &write), cases[i].result, "%zu",
                     i);
        assert_value(store, "acme", "a", 1, write.is_new ? "2" : "1");
    }
}

STORE_TEST(a_batch_without_writes_is_fine)
{
    cr_expect_eq(commit_all(store, NULL, 0), ERR_OK);
    cr_expect_eq(stored(store, "acme", "timer", "1"), 1);
}

STORE_TEST(a_batch_of_a_thousand)
{
    enum { COUNT = 1000 };
    static struct store_write writes[COUNT];
    static char tenants[COUNT][8];

    for (int i = 0; i < COUNT; i++) {
        snprintf(tenants[i], sizeof(tenants[i]), "t%03d", i);
        writes[i] = write_of(tenants[i], "timer", tenants[i]);
    }
    cr_assert_eq(commit_all(store, writes, COUNT), ERR_OK);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(writes[i].result, ERR_OK);
        assert_value(store, tenants[i], "timer", 1, tenants[i]);
    }
}
