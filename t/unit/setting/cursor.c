// SPDX-License-Identifier: MIT
#include "setting/cursor.h"

#include "base/util.h"
#include "lib/store_both.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>

static const struct record newer = {
    .version = 3,
    .updated_at = 1795757981,
    .seq = 77,
    .write_id = {0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 0xff},
    .has_write_id = true,
};
static const struct record older = {.version = 3, .updated_at = 1795757981};

Test(cursor, is_the_place_and_the_id_of_a_version)
{
    char text[CURSOR_SIZE];
    struct cursor cursor;

    cursor_text("timer", &newer, text);
    cr_expect_str_eq(text, "77-deadbeef00010203");
    cr_assert(cursor_read(text, &cursor));
    cr_expect_eq(cursor.place.seq, 77);
    cr_expect_str_eq(cursor.id, "deadbeef00010203");

    cursor_text("timer", &older, text);
    cr_expect_str_eq(text, "0-1795757981-3-timer");
    cr_assert(cursor_read(text, &cursor));
    cr_expect_eq(cursor.place.seq, 0);
    cr_expect_eq(cursor.place.time, 1795757981);
    cr_expect_eq(cursor.place.version, 3);
    cr_expect_str_eq(cursor.place.key, "timer");
    cr_expect_str_empty(cursor.id);
}

Test(cursor, the_longest_has_room)
{
    const struct record longest = {.version = UINT64_MAX - 1,
                                   .updated_at = INT64_MAX};
    char key[STORE_KEY_MAX + 1] = "", text[CURSOR_SIZE];
    struct cursor cursor;

    memset(key, 'k', STORE_KEY_MAX);
    cursor_text(key, &longest, text);
    cr_assert(cursor_read(text, &cursor));
    cr_expect_str_eq(cursor.place.key, key);
    cr_expect_eq(cursor.place.version, UINT64_MAX - 1);
}

Test(cursor, what_is_none_is_refused)
{
    static const char *const texts[] = {
        "",
        "77",
        "77-",
        "-deadbeef00010203",
        "77-deadbeef0001020",
        "77-deadbeef000102030",
        "77-DEADBEEF00010203",
        "77-deadbeef0001020g",
        "+77-deadbeef00010203",
        "18446744073709551616-deadbeef00010203",
        "0-",
        "0-5",
        "0-5-3",
        "0-5-3-",
        "0-5--timer",
        "0-5-3-"
        "0123456789012345678901234567890123456789012345678901234567890123",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct cursor cursor;

        cr_expect_not(cursor_read(texts[i], &cursor), "%s", texts[i]);
    }
}

/* The cursor of acme's newest version. */
static enum err
take_first(void *ctx, const char *key, const struct record *record,
           const struct record_origin *origin)
{
    (void)origin;
    cursor_text(key, record, ctx);
    return ERR_ENDED;
}

static struct cursor
newest(struct store *store)
{
    char text[CURSOR_SIZE];
    struct cursor cursor;

    cr_assert_eq(
        store_timeline(store, "acme", STORE_OLDER, NULL, take_first, text),
        ERR_ENDED);
    cr_assert(cursor_read(text, &cursor));
    return cursor;
}

static void
assert_found(struct store *store, const struct cursor *cursor, enum err err,
             bool is_other)
{
    bool found_other = !is_other;

    cr_expect_eq(cursor_find(store, "acme", cursor, &found_other), err);
    cr_expect_eq(found_other, is_other);
}

STORE_TEST_KEEPING(2, it_is_found_while_its_version_is_kept)
{
    struct cursor cursor, other;

    stored(store, "acme", "a", "1");
    cursor = newest(store);
    stored(store, "acme", "b", "1");
    stored(store, "acme", "a", "2");
    assert_found(store, &cursor, ERR_OK, false);
    other = cursor;
    other.id[0] = other.id[0] == '0' ? '1' : '0';
    assert_found(store, &other, ERR_NOTFOUND, true);
    other.place.seq = 1000;
    assert_found(store, &other, ERR_NOTFOUND, false);
    stored(store, "acme", "a", "3");
    assert_found(store, &cursor, ERR_NOTFOUND, false);
}

STORE_TEST(that_of_another_tenants_version_is_not_found)
{
    struct cursor cursor;

    stored(store, "acme", "a", "1");
    cursor = newest(store);
    stored(store, "brio", "a", "1");
    stored(store, "acme", "a", "2");
    cursor.place.seq++;
    assert_found(store, &cursor, ERR_NOTFOUND, false);
}

Test(memory, one_that_is_older_than_format_2_is_found_by_its_time)
{
    struct store *store = store_mem_new();
    struct cursor cursor;

    stored(store, "acme", "a", "1");
    stored(store, "acme", "a", "2");
    store_mem_age(store);
    cursor = newest(store);
    cr_expect_eq(cursor.place.seq, 0);
    assert_found(store, &cursor, ERR_OK, false);
    cursor.place.time++;
    assert_found(store, &cursor, ERR_NOTFOUND, false);
    store_close(store);
}
