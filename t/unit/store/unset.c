// SPDX-License-Identifier: MIT
/* Unsetting a key: a version of its own, without a value. */
#include "store/store.h"

#include "lib/store_both.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

STORE_TEST(unsetting_is_a_version_without_a_value)
{
    struct store_write unset = write_of("acme", "timer", "");
    struct record record;

    stored(store, "acme", "timer", "1");
    unset.author = "bob";
    cr_assert_eq(store_commit_one(store, &unset), ERR_OK);
    cr_expect_eq(unset.version, 2);
    cr_expect(unset.is_new);
    assert_value(store, "acme", "timer", 2, "");
    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    cr_expect_not(record_is_set(&record));
    cr_expect_eq(record.updated_at, unset.updated_at);
    record_clear(&record);
    assert_history(store, "timer", 0, 9, "2=(bob,r-1) 1=1(alice,r-1) ");

    /* What comes next counts on. */
    cr_expect_eq(stored(store, "acme", "timer", "3"), 3);
    assert_value(store, "acme", "timer", 3, "3");
    cr_assert_eq(store_get_version(store, "acme", "timer", 2, &record), ERR_OK);
    cr_expect_eq(record.version, 2);
    cr_expect_null(record.value);
    record_clear(&record);
    cr_assert_eq(store_get_version(store, "acme", "timer", 1, &record), ERR_OK);
    cr_expect_str_eq(record.value, "1");
    record_clear(&record);
}

STORE_TEST(what_is_not_set_is_unset_already)
{
    struct store_write unset = write_of("acme", "timer", "");

    cr_assert_eq(store_commit_one(store, &unset), ERR_OK);
    cr_expect_eq(unset.version, 0);
    cr_expect_not(unset.is_new);
    assert_history(store, "timer", 0, 9, "");

    stored(store, "acme", "timer", "1");
    assert_write(store, unset, ERR_OK, 2);
    cr_assert_eq(store_commit_one(store, &unset), ERR_OK);
    cr_expect_eq(unset.version, 2);
    cr_expect_not(unset.is_new);
    assert_history(store, "timer", 0, 9, "2=(alice,r-1) 1=1(alice,r-1) ");
}

STORE_TEST(unsetting_another_version_than_was_seen)
{
    struct store_write unset = write_of("acme", "timer", "");

    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "2");
    unset.base = 1;
    assert_write(store, unset, ERR_CONFLICT, 2);
    unset.lost = ERR_PRECOND;
    assert_write(store, unset, ERR_PRECOND, 2);
    assert_value(store, "acme", "timer", 2, "2");
    unset.base = 2;
    assert_write(store, unset, ERR_OK, 3);

    /* Also of what is not set: somebody else has unset it. */
    assert_write(store, unset, ERR_PRECOND, 3);
    unset.base = 3;
    assert_write(store, unset, ERR_OK, 3);
}

/* A client that has seen the value may not set it anew unawares. */
STORE_TEST(a_write_based_on_the_value_before_is_refused)
{
    struct store_write write = write_of("acme", "timer", "2");

    stored(store, "acme", "timer", "1");
    assert_write(store, write_of("acme", "timer", ""), ERR_OK, 2);
    write.base = 1;
    assert_write(store, write, ERR_CONFLICT, 2);
    write.base = 0;
    assert_write(store, write, ERR_CONFLICT, 2);
    write.base = 2;
    assert_write(store, write, ERR_OK, 3);
}

STORE_TEST(a_write_once_key_may_be_set_again)
{
    struct store_write write = write_of("acme", "sequence", "b");

    stored(store, "acme", "sequence", "a");
    write.once = true;
    assert_write(store, write, ERR_INVALID, 1);
    assert_write(store, write_of("acme", "sequence", ""), ERR_OK, 2);
    assert_write(store, write, ERR_OK, 3);
    assert_value(store, "acme", "sequence", 3, "b");
    write.value = "c";
    assert_write(store, write, ERR_INVALID, 3);
}

static enum err
see_record(void *ctx, const char *tenant, const char *key,
           const struct record *record)
{
    char *text = ctx;
    size_t len = strlen(text);

    snprintf(text + len, 256 - len, "%s/%s=%s@%d ", tenant, key,
             record_is_set(record) ? record->value : "-", (int)record->version);
    return ERR_OK;
}

/* Whoever copies a store needs its version; who shows it can tell. */
STORE_TEST(lists_and_scans_visit_what_was_unset)
{
    char listed[256] = "", scanned[256] = "";

    stored(store, "acme", "b", "1");
    stored(store, "acme", "a", "1");
    assert_write(store, write_of("acme", "a", ""), ERR_OK, 2);
    cr_assert_eq(store_list(store, "acme", see_record, listed), ERR_OK);
    cr_expect_str_eq(listed, "acme/a=-@2 acme/b=1@1 ");
    cr_assert_eq(store_scan(store, see_record, scanned), ERR_OK);
    cr_expect_str_eq(scanned, listed);
}

STORE_TEST_KEEPING(2, unset_versions_are_pruned_as_any)
{
    stored(store, "acme", "timer", "1");
    assert_write(store, write_of("acme", "timer", ""), ERR_OK, 2);
    stored(store, "acme", "timer", "3");
    stored(store, "acme", "timer", "4");
    assert_history(store, "timer", 0, 9, "4=4(alice,r-1) 3=3(alice,r-1) ");
    assert_write(store, write_of("acme", "timer", ""), ERR_OK, 5);
    assert_history(store, "timer", 0, 9, "5=(alice,r-1) 4=4(alice,r-1) ");
}
