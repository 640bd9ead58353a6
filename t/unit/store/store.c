// SPDX-License-Identifier: MIT
/* One body, every store: each test runs over LMDB and over the double. */
#include "store/store.h"

#include "base/util.h"
#include "lib/store_both.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static enum err
see(void *ctx, const char *tenant, const char *key, const struct record *record)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s@%ju=%.*s ",
             tenant, key, (uintmax_t)record->version, (int)record->value_len,
             record->value);
    return seen->limit > 0 && --seen->limit == 0 ? ERR_BUSY : ERR_OK;
}

STORE_TEST(what_was_never_set_is_version_0)
{
    assert_value(store, "acme", "timer", 0, "");
    assert_history(store, "timer", 0, 10, "");
}

STORE_TEST(versions_count_from_1_for_each_key_and_tenant)
{
    cr_expect_eq(stored(store, "acme", "timer", "10"), 1);
    cr_expect_eq(stored(store, "acme", "timer", "20"), 2);
    cr_expect_eq(stored(store, "acme", "timer", "20"), 3);
    cr_expect_eq(stored(store, "acme", "other", "1"), 1);
    cr_expect_eq(stored(store, "brio", "timer", "5"), 1);
    assert_value(store, "acme", "timer", 3, "20");
    assert_value(store, "brio", "timer", 1, "5");
    assert_value(store, "brio", "other", 0, "");
}

STORE_TEST(names_that_join_to_the_same_text_are_different)
{
    stored(store, "ab", "c", "1");
    stored(store, "a", "bc", "2");
    assert_value(store, "ab", "c", 1, "1");
    assert_value(store, "a", "bc", 1, "2");
    assert_value(store, "abc", "c", 0, "");
}

STORE_TEST(values_are_bytes_of_any_length)
{
    static char big[200000];
    struct store_write write = write_of("acme", "timer", "1");
    struct record record;

    write.value = "\0";
    assert_write(store, write, ERR_OK, 1);
    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    cr_expect_eq(record.value_len, 1);
    cr_expect_arr_eq(record.value, "\0", 2);
    record_clear(&record);
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7);
    write.value = big;
    write.value_len = sizeof(big);
    assert_write(store, write, ERR_OK, 2);
    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    cr_assert_eq(record.value_len, sizeof(big));
    cr_expect_arr_eq(record.value, big, sizeof(big));
    cr_expect_eq(record.value[sizeof(big)], '\0');
    record_clear(&record);
}

STORE_TEST(names_out_of_bounds_are_refused)
{
    static const char most[] = /* 63 characters */
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk";
    static const char more[] =
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl";
    struct record record;

    assert_write(store, write_of(most, most, "1"), ERR_OK, 1);
    assert_value(store, most, most, 1, "1");
    assert_write(store, write_of(more, "timer", "1"), ERR_INVALID, 0);
    assert_write(store, write_of("acme", more, "1"), ERR_INVALID, 0);
    assert_write(store, write_of("", "timer", "1"), ERR_INVALID, 0);
    assert_write(store, write_of("acme", "", "1"), ERR_INVALID, 0);
    cr_expect_eq(store_get(store, more, "timer", &record), ERR_INVALID);
    cr_expect_eq(store_get(store, "acme", "", &record), ERR_INVALID);
    cr_expect_eq(store_list(store, "", see, NULL), ERR_INVALID);
    cr_expect_eq(store_history(store, "", "timer", 0, 1, see_version, NULL),
                 ERR_INVALID);
}

/* The rules of one write, by what is there and what it asks for. */
static const struct rule {
    const char *there; /* set as version 1, unless it is NULL */
    const char *text;
    uint64_t base;
    enum err lost;
    bool once;
    enum err result;
    uint64_t version;
    const char *after;
} rules[] = {
    {NULL, "a", 0, ERR_CONFLICT, false, ERR_OK, 1, "a"},
    {NULL, "a", STORE_ANY_VERSION, ERR_CONFLICT, false, ERR_OK, 1, "a"},
    {NULL, "a", 1, ERR_CONFLICT, false, ERR_CONFLICT, 0, ""},
    {NULL, "a", 1, ERR_PRECOND, false, ERR_PRECOND, 0, ""},
    {"a", "b", 1, ERR_CONFLICT, false, ERR_OK, 2, "b"},
    {"a", "a", 1, ERR_CONFLICT, false, ERR_OK, 2, "a"},
    {"a", "b", STORE_ANY_VERSION, ERR_CONFLICT, false, ERR_OK, 2, "b"},
    {"a", "b", 0, ERR_CONFLICT, false, ERR_CONFLICT, 1, "a"},
    {"a", "b", 0, ERR_PRECOND, false, ERR_PRECOND, 1, "a"},
    {"a", "b", 2, ERR_PRECOND, false, ERR_PRECOND, 1, "a"},
    {NULL, "a", 0, ERR_CONFLICT, true, ERR_OK, 1, "a"},
    {NULL, "a", 3, ERR_PRECOND, true, ERR_PRECOND, 0, ""},
    {"a", "a", 1, ERR_CONFLICT, true, ERR_OK, 1, "a"},
    {"a", "a", 0, ERR_CONFLICT, true, ERR_OK, 1, "a"},
    {"a", "a", 0, ERR_PRECOND, true, ERR_OK, 1, "a"},
    {"a", "a", STORE_ANY_VERSION, ERR_CONFLICT, true, ERR_OK, 1, "a"},
    {"a", "b", 1, ERR_CONFLICT, true, ERR_INVALID, 1, "a"},
    {"a", "ab", STORE_ANY_VERSION, ERR_CONFLICT, true, ERR_INVALID, 1, "a"},
    {"a", "b", 0, ERR_CONFLICT, true, ERR_CONFLICT, 1, "a"},
    {"a", "b", 0, ERR_PRECOND, true, ERR_PRECOND, 1, "a"},
};

STORE_TEST(rules_of_a_write)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const struct rule *rule = &rules[i];
        struct store_write write;
        struct seen seen = {.text = ""};
        char key[8];
        size_t versions = 0;

        snprintf(key, sizeof(key), "k%zu", i);
        if (rule->there != NULL)
            stored(store, "acme", key, rule->there);
        write = write_of("acme", key, rule->text);
        write.base = rule->base;
        write.lost = rule->lost;
        write.once = rule->once;
        cr_expect_eq(store_commit_one(store, &write), rule->result);
        cr_expect_eq(write.version, rule->version);
        cr_expect_eq(write.is_new, rule->result == ERR_OK &&
                                       rule->version > (rule->there != NULL));
        assert_value(store, "acme", key,
                     rule->after[0] != '\0' ? rule->version : 0, rule->after);

        /* The history holds each version that was stored, no more. */
        cr_assert_eq(
            store_history(store, "acme", key, 0, 10, see_version, &seen),
            ERR_OK);
        for (const char *at = seen.text; (at = strchr(at, ' ')); at++)
            versions++;
        cr_expect_eq(versions, rule->after[0] != '\0' ? rule->version : 0,
                     "rule %zu: %s", i, seen.text);
    }
}

STORE_TEST(list_is_one_tenants_in_order)
{
    struct seen seen = {.text = ""};

    stored(store, "acme", "b", "2");
    stored(store, "acme", "a", "1");
    stored(store, "acme", "b", "3");
    stored(store, "acme-two", "a", "4");
    stored(store, "acm", "z", "5");
    cr_assert_eq(store_list(store, "acme", see, &seen), ERR_OK);
    cr_expect_str_eq(seen.text, "acme/a@1=1 acme/b@2=3 ");

    seen.text[0] = '\0';
    cr_assert_eq(store_list(store, "nobody", see, &seen), ERR_OK);
    cr_expect_str_eq(seen.text, "");
}

STORE_TEST(scan_is_everything_in_order)
{
    struct seen seen = {.text = ""};

    cr_assert_eq(store_scan(store, see, &seen), ERR_OK);
    cr_expect_str_eq(seen.text, "");
    stored(store, "brio", "a", "1");
    stored(store, "acme", "z", "2");
    stored(store, "acme-two", "a", "3");
    stored(store, "acme", "a", "4");
    cr_assert_eq(store_scan(store, see, &seen), ERR_OK);
    cr_expect_str_eq(seen.text,
                     "acme/a@1=4 acme/z@1=2 acme-two/a@1=3 brio/a@1=1 ");
}

STORE_TEST(a_visit_that_fails_ends_the_walk)
{
    struct seen seen = {.text = "", .limit = 2};

    for (const char *key = "abc"; *key != '\0'; key++)
        stored(store, "acme", (char[]){*key, '\0'}, "1");
    cr_expect_eq(store_scan(store, see, &seen), ERR_BUSY);
    cr_expect_str_eq(seen.text, "acme/a@1=1 acme/b@1=1 ");

    seen = (struct seen){.text = "", .limit = 1};
    cr_expect_eq(store_list(store, "acme", see, &seen), ERR_BUSY);
    cr_expect_str_eq(seen.text, "acme/a@1=1 ");

    stored(store, "acme", "a", "2");
    seen = (struct seen){.text = "", .limit = 1};
    cr_expect_eq(store_history(store, "acme", "a", 0, 9, see_version, &seen),
                 ERR_BUSY);
    cr_expect_str_eq(seen.text, "2=2(alice,r-1) ");
}

/* One thread commits, one reads: neither sees a version without its value. */
enum { ROUNDS = 300 };

static void *
write_rounds(void *ctx)
{
    for (int i = 1; i <= ROUNDS; i++) {
        char text[16];
        struct store_write write;

        snprintf(text, sizeof(text), "%d", i);
        write = write_of("acme", "timer", text);
        if (store_commit_one(ctx, &write) != ERR_OK)
            return ctx; /* anything but NULL */
    }
    return NULL;
}

STORE_TEST(one_reads_while_one_commits)
{
    pthread_t writer;
    uint64_t last = 0;
    void *failed;

    cr_assert_eq(pthread_create(&writer, NULL, write_rounds, store), 0);
    while (last < ROUNDS) {
        struct record record;

        cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
        cr_assert_geq(record.version, last);
        if (record.version > 0)
            cr_assert_eq(strtoull(record.value, NULL, 10), record.version);
        last = record.version;
        record_clear(&record);
    }
    pthread_join(writer, &failed);
    cr_expect_null(failed);
}

/* Both keys are written by the same commits, and so are never seen apart. */
static void *
write_pairs(void *ctx)
{
    for (int i = 1; i <= ROUNDS; i++) {
        struct store_write writes[] = {write_of("acme", "a", "x"),
                                       write_of("acme", "b", "x")};

        if (commit_all(ctx, writes, 2) != ERR_OK)
            return ctx;
    }
    return NULL;
}

static enum err
note_version(void *ctx, const char *tenant, const char *key,
             const struct record *record)
{
    uint64_t *versions = ctx;

    (void)tenant;
    versions[*key == 'b'] = record->version;
    return ERR_OK;
}

STORE_TEST(list_is_one_snapshot)
{
    uint64_t versions[2] = {0, 0};
    pthread_t writer;
    void *failed;

    cr_assert_eq(pthread_create(&writer, NULL, write_pairs, store), 0);
    while (versions[0] < ROUNDS) {
        cr_assert_eq(store_list(store, "acme", note_version, versions), ERR_OK);
        cr_assert_eq(versions[0], versions[1]);
    }
    pthread_join(writer, &failed);
    cr_expect_null(failed);
}
