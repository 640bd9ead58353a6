// SPDX-License-Identifier: MIT
/* What each version has from its commit: an id, a place in the store's order,
 * its author and a note. */
#include "lib/store_both.h"

#include "base/util.h"

#include <stdio.h>

static struct record
got(struct store *store, const char *tenant, const char *key)
{
    struct record record = {.version = 99};

    cr_assert_eq(store_get(store, tenant, key, &record), ERR_OK);
    return record;
}

static bool
is_same_id(const unsigned char *one, const unsigned char *other)
{
    return memcmp(one, other, STORE_WRITE_ID_SIZE) == 0;
}

STORE_TEST(a_version_has_what_its_write_was_told)
{
    struct store_write write = write_of("acme", "timer", "1");
    struct record record;

    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(write.seq, 1);
    cr_expect(write.has_write_id);
    record = got(store, "acme", "timer");
    cr_expect_eq(record.seq, 1);
    cr_expect(record.has_write_id);
    cr_expect(is_same_id(record.write_id, write.write_id));
    cr_expect_str_eq(record.author, "alice");
    record_clear(&record);

    cr_assert_eq(store_get_version(store, "acme", "timer", 1, &record), ERR_OK);
    cr_expect_eq(record.seq, 1);
    cr_expect(is_same_id(record.write_id, write.write_id));
    cr_expect_str_eq(record.author, "alice");
    record_clear(&record);
}

static enum err
see_stamp(void *ctx, const char *tenant, const char *key,
          const struct record *record)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%s/%s@%ju#%ju by %s ",
             tenant, key, (uintmax_t)record->version, (uintmax_t)record->seq,
             record->author);
    return record->has_write_id ? ERR_OK : ERR_STORE;
}

STORE_TEST(a_list_and_a_scan_show_it)
{
    struct seen seen = {.text = ""};
    struct store_write write = write_of("acme", "timer", "3");

    stored(store, "acme", "oms", "1");
    stored(store, "globex", "oms", "2");
    write.author = NULL;
    assert_write(store, write, ERR_OK, 1);
    cr_expect_eq(store_list(store, "acme", see_stamp, &seen), ERR_OK);
    cr_expect_str_eq(seen.text, "acme/oms@1#1 by alice acme/timer@1#3 by  ");
    seen.text[0] = '\0';
    cr_expect_eq(store_scan(store, see_stamp, &seen), ERR_OK);
    cr_expect_str_eq(seen.text, "acme/oms@1#1 by alice acme/timer@1#3 by  "
                                "globex/oms@1#2 by alice ");
}

/* One after the other also where a batch has writes that make none. */
STORE_TEST(seq_is_the_order_of_all_versions)
{
    struct store_write writes[] = {
        write_of("acme", "a", "1"), write_of("acme", "b", "1"),
        write_of("acme", "a", "2"), write_of("acme", "b", "2"),
        write_of("acme", "c", "1"),
    };
    const uint64_t expected[] = {1, 0, 2, 3, 4};

    writes[1].base = 7; /* refused */
    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        cr_expect_eq(writes[i].seq, expected[i], "write %zu: %ju", i,
                     (uintmax_t)writes[i].seq);
    for (size_t i = 1; i < ARRAY_SIZE(writes); i++)
        cr_expect_not(is_same_id(writes[0].write_id, writes[i].write_id));
}

/* More than are drawn at once. */
STORE_TEST(each_version_of_a_large_batch_has_an_id_of_its_own)
{
    enum { COUNT = 100 };
    struct store_write writes[COUNT];

    for (size_t i = 0; i < COUNT; i++)
        writes[i] = write_of("acme", "timer", "1");
    cr_assert_eq(commit_all(store, writes, COUNT), ERR_OK);
    for (size_t i = 0; i < COUNT; i++) {
        cr_expect_eq(writes[i].seq, i + 1);
        for (size_t j = 0; j < i; j++)
            cr_expect_not(is_same_id(writes[i].write_id, writes[j].write_id));
    }
}

/* A refused group gives back what it would have got. */
STORE_TEST(a_refused_group_leaves_no_gap)
{
    struct store_write writes[] = {
        write_of("acme", "a", "1"),
        write_of("acme", "b", "1"),
        write_of("acme", "c", "1"),
    };

    writes[0].group = writes[1].group = 1;
    writes[1].base = 7;
    cr_assert_eq(commit_all(store, writes, ARRAY_SIZE(writes)), ERR_OK);
    cr_expect_eq(writes[0].result, ERR_CONFLICT);
    cr_expect_eq(writes[2].seq, 1);
}

/* Whoever lost a race learns which version is there, and so does who wrote the
 * same value once more. */
STORE_TEST(a_write_that_makes_no_version_has_the_stamp_of_the_one_there)
{
    struct store_write first = write_of("acme", "sequence", "a");
    struct store_write late = write_of("acme", "sequence", "b");
    struct store_write again = write_of("acme", "sequence", "a");

    cr_assert_eq(store_commit_one(store, &first), ERR_OK);
    late.base = 0;
    cr_expect_eq(store_commit_one(store, &late), ERR_CONFLICT);
    again.once = true;
    cr_expect_eq(store_commit_one(store, &again), ERR_OK);
    cr_expect_not(again.is_new);
    for (int i = 0; i < 2; i++) {
        const struct store_write *write = i == 0 ? &late : &again;

        cr_expect_eq(write->version, 1);
        cr_expect_eq(write->seq, 1);
        cr_expect(write->has_write_id);
        cr_expect(is_same_id(write->write_id, first.write_id));
    }
}

STORE_TEST(a_replacement_leaves_the_stamp_as_it_is)
{
    struct store_write first = write_of("acme", "hook", "old");
    struct store_write other = {
        .op = STORE_REPLACE,
        .tenant = "acme",
        .key = "hook",
        .value = "new",
        .value_len = 3,
        .base = 1,
        .replaces = "old",
        .replaces_len = 3,
    };
    struct record record;

    cr_assert_eq(store_commit_one(store, &first), ERR_OK);
    cr_assert_eq(store_commit_one(store, &other), ERR_OK);
    cr_expect(other.is_new);
    record = got(store, "acme", "hook");
    cr_expect_str_eq(record.value, "new");
    cr_expect_eq(record.seq, 1);
    cr_expect(is_same_id(record.write_id, first.write_id));
    cr_expect_str_eq(record.author, "alice");
    record_clear(&record);
    other = write_of("acme", "hook", "next");
    cr_assert_eq(store_commit_one(store, &other), ERR_OK);
    cr_expect_eq(other.seq, 2);
}

static enum err
see_note(void *ctx, const struct record *record,
         const struct record_origin *origin)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%ju:%s ",
             (uintmax_t)record->version,
             origin->note != NULL ? origin->note : "(null)");
    return ERR_OK;
}

STORE_TEST(a_note_is_in_the_history)
{
    struct store_write write = write_of("acme", "timer", "1");
    struct seen seen = {.text = ""};

    assert_write(store, write, ERR_OK, 1);
    write.note = "";
    assert_write(store, write, ERR_OK, 2);
    write.note = "black friday";
    assert_write(store, write, ERR_OK, 3);
    cr_expect_eq(store_history(store, "acme", "timer", 0, 9, see_note, &seen),
                 ERR_OK);
    cr_expect_str_eq(seen.text, "3:black friday 2:(null) 1:(null) ");
}

/* In characters, each of up to 4 bytes. */
STORE_TEST(a_note_is_no_longer_than_it_may_be)
{
    struct store_write write = write_of("acme", "timer", "1");
    char note[(STORE_NOTE_MAX + 1) * 4 + 1] = "";

    for (size_t i = 0; i < STORE_NOTE_MAX; i++)
        memcpy(note + i * 4, "\xf0\x9f\x9a\x80", 5);
    write.note = note;
    assert_write(store, write, ERR_OK, 1);
    memcpy(note + (size_t)STORE_NOTE_MAX * 4, "!", 2);
    assert_write(store, write, ERR_INVALID, 0);
    memset(note, '\x80', sizeof(note) - 1); /* no character's first byte */
    assert_write(store, write, ERR_INVALID, 0);
}
