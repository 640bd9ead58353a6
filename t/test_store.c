// SPDX-License-Identifier: MIT
/* One body, every store: each test runs over LMDB and over the double. */
#include "store.h"

#include "lib/scratch.h"
#include "lib/store_mem.h"
#include "util.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char *scratch;

static struct store *
open_lmdb(void)
{
    struct store *store = NULL;
    auto_char *path = NULL;
    char why[512] = "";

    scratch = scratch_make();
    path = scratch_path(scratch, "db");
    cr_assert_eq(store_open(&(struct store_options){path, 64 << 20}, &store,
                            why, sizeof(why)), ERR_OK, "%s", why);
    return store;
}

static void
run_over_lmdb(void (*body)(struct store *store))
{
    struct store *store = open_lmdb();

    body(store);
    store_close(store);
    scratch_remove(scratch);
}

static void
run_over_memory(void (*body)(struct store *store))
{
    struct store *store = store_mem_new();

    body(store);
    store_close(store);
}

#define STORE_TEST(name)                                                      \
    static void name(struct store *store);                                    \
    Test(lmdb, name)                                                          \
    {                                                                         \
        run_over_lmdb(name);                                                  \
    }                                                                         \
    Test(memory, name)                                                        \
    {                                                                         \
        run_over_memory(name);                                                \
    }                                                                         \
    static void name(struct store *store)

/* A write of text over whatever is there. */
static struct store_write
write_of(const char *tenant, const char *key, const char *text)
{
    return (struct store_write){
        .tenant = tenant,
        .key = key,
        .value = text,
        .value_len = strlen(text),
        .subject = "alice",
        .request_id = "r-1",
        .base = STORE_ANY_VERSION,
        .lost = ERR_CONFLICT,
        .result = ERR_MAX,
        .version = 77,
    };
}

static uint64_t
stored(struct store *store, const char *tenant, const char *key,
       const char *text)
{
    struct store_write write = write_of(tenant, key, text);

    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    return write.version;
}

static void
assert_write(struct store *store, struct store_write write, enum err result,
             uint64_t version)
{
    cr_expect_eq(store_commit_one(store, &write), result, "got %s",
                 err_name(write.result));
    cr_expect_eq(write.result, result);
    cr_expect_eq(write.version, version, "got %ju",
                 (uintmax_t)write.version);
}

static void
assert_value(struct store *store, const char *tenant, const char *key,
             uint64_t version, const char *text)
{
    struct record record = {.version = 99};

    cr_assert_eq(store_get(store, tenant, key, &record), ERR_OK);
    cr_expect_eq(record.version, version, "got %ju",
                 (uintmax_t)record.version);
    cr_expect_eq(record.value_len, strlen(text));
    if (version > 0)
        cr_expect_str_eq(record.value, text);
    else
        cr_expect_null(record.value);
    record_clear(&record);
}

/* What a scan, list or history visited, as text. */
struct seen {
    char text[4096];
    size_t limit; /* visits until one fails; 0: none does */
};

static enum err
see(void *ctx, const char *tenant, const char *key,
    const struct record *record)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s@%ju=%.*s ",
             tenant, key, (uintmax_t)record->version, (int)record->value_len,
             record->value);
    return seen->limit > 0 && --seen->limit == 0 ? ERR_BUSY : ERR_OK;
}

static enum err
see_version(void *ctx, const struct record *record,
            const struct record_origin *origin)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%ju=%.*s(%s,%s) ",
             (uintmax_t)record->version, (int)record->value_len,
             record->value, origin->subject, origin->request_id);
    return seen->limit > 0 && --seen->limit == 0 ? ERR_BUSY : ERR_OK;
}

static void
assert_history(struct store *store, const char *key, uint64_t before,
               size_t limit, const char *expected)
{
    struct seen seen = {.text = ""};

    cr_expect_eq(store_history(store, "acme", key, before, limit, see_version,
                               &seen), ERR_OK);
    cr_expect_str_eq(seen.text, expected);
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

STORE_TEST(the_time_is_now_and_never_goes_back)
{
    struct store_write write = write_of("acme", "timer", "1");
    struct record record;
    int64_t before = time(NULL);

    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect(write.updated_at >= before && write.updated_at <= time(NULL));
    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    cr_expect_eq(record.updated_at, write.updated_at);
    record_clear(&record);
}

STORE_TEST(values_are_bytes_of_any_length)
{
    static char big[200000];
    struct store_write write = write_of("acme", "timer", "");
    struct record record;

    assert_write(store, write, ERR_OK, 1);
    assert_value(store, "acme", "timer", 1, "");
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
        assert_write(store, write, rule->result, rule->version);
        assert_value(store, "acme", key,
                     rule->after[0] != '\0' ? rule->version : 0, rule->after);

        /* The history holds each version that was stored, no more. */
        cr_assert_eq(store_history(store, "acme", key, 0, 10, see_version,
                                   &seen), ERR_OK);
        for (const char *at = seen.text; (at = strchr(at, ' ')); at++)
            versions++;
        cr_expect_eq(versions, rule->after[0] != '\0' ? rule->version : 0,
                     "rule %zu: %s", i, seen.text);
    }
}

STORE_TEST(what_changed_nothing_keeps_its_time)
{
    struct store_write first = write_of("acme", "sequence", "a");
    struct store_write again = write_of("acme", "sequence", "a");

    first.once = again.once = true;
    cr_assert_eq(store_commit_one(store, &first), ERR_OK);
    cr_assert_eq(store_commit_one(store, &again), ERR_OK);
    cr_expect_eq(again.version, 1);
    cr_expect_eq(again.updated_at, first.updated_at);
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

STORE_TEST(history_is_newest_first_and_paged)
{
    struct store_write write = write_of("acme", "timer", "3");

    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "2");
    stored(store, "acme", "time", "x");
    stored(store, "acme", "timers", "y");
    write.subject = "bob";
    write.request_id = "r-2";
    assert_write(store, write, ERR_OK, 3);
    write.subject = write.request_id = NULL;
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

/* Links the writes of an array into a list, and commits that. */
static struct store_write *
take_list(void *ctx)
{
    return ctx;
}

static enum err
commit_all(struct store *store, struct store_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        writes[i].next = i + 1 < count ? &writes[i + 1] : NULL;
    return store_commit(store, take_list, writes);
}

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
    cr_expect_eq(writes[1].result, ERR_CONFLICT);
    cr_expect_eq(writes[1].version, 1);
    cr_expect_eq(writes[2].result, ERR_OK);
    cr_expect_eq(writes[2].version, 2);
    cr_expect_eq(writes[3].result, ERR_OK);
    cr_expect_eq(writes[3].version, 1);
    cr_expect_eq(writes[4].version, 1);
    cr_expect_eq(writes[5].result, ERR_OK);
    cr_expect_eq(writes[5].version, 1);
    cr_expect_eq(writes[6].result, ERR_INVALID);
    cr_expect_eq(writes[6].version, 1);
    assert_value(store, "acme", "timer", 2, "3");
    assert_value(store, "acme", "seq", 1, "a");
    assert_history(store, "timer", 0, 9, "2=3(alice,r-1) 1=1(alice,r-1) ");
    assert_history(store, "seq", 0, 9, "1=a(alice,r-1) ");
}

STORE_TEST(a_batch_without_writes_is_fine)
{
    cr_expect_eq(store_commit(store, take_list, NULL), ERR_OK);
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
