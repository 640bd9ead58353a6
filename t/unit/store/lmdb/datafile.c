// SPDX-License-Identifier: MIT
/* Files gone wrong: refused at open and left as they are, or an error of the
 * one record that is damaged. */
#include "store/store.h"

#include "base/util.h"
#include "lib/on_disk.h"
#include "store/open.h"

#include <criterion/criterion.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(store_file, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 60);

/* A store of a hundred tenants with values of some pages among them. */
static void
fill_store(void)
{
    static char text[6000];
    struct store *store = open_store();
    struct store_write writes[100];
    char tenants[100][8];

    memset(text, 'x', sizeof(text) - 1);
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
        snprintf(tenants[i], sizeof(tenants[i]), "t%zu", i);
        writes[i] = write_of(tenants[i], "timer", text + 60 * i);
        cr_assert_eq(store_commit_one(store, &writes[i]), ERR_OK);
    }
    store_close(store);
}

Test(store_file, a_file_cut_at_any_page_is_refused_or_whole)
{
    struct store_options options = {.path = db, .map_size = MAP_SIZE};
    struct bytes whole;
    size_t refused = 0, opened = 0;

    fill_store();
    whole = slurp(data);
    for (size_t len = 0; len < whole.len; len += 4096) {
        struct store *store = NULL;
        char why[512] = "";
        size_t count = 0;

        spit(data, whole.bytes, len);
        if (store_open(&options, &store, why, sizeof(why)) != ERR_OK) {
            refused++;
            cr_expect_not_null(strstr(why, data), "%s", why);
            assert_untouched(data, whole.bytes, len);
            continue;
        }
        /* Only free pages were cut, so nothing is missing. */
        opened++;
        cr_expect_eq(store_scan(store, count_record, &count), ERR_OK);
        cr_expect_eq(count, 100);
        for (int i = 0; i < 100; i++) {
            char tenant[8];

            snprintf(tenant, sizeof(tenant), "t%d", i);
            assert_whole_history(store, tenant, 1);
            cr_expect_eq(put(store, tenant, "new"), ERR_OK);
        }
        store_close(store);
    }
    cr_expect_gt(refused, whole.len / 4096 / 2);
    cr_log_info("%zu refused, %zu opened", refused, opened);
    free(whole.bytes);
}

/* A store, and a transaction that gives back the last pages it took. */
static void
end_in_free_pages(void)
{
    static char text[60000];
    struct store *store = open_store();
    MDB_val key = {1, text};
    MDB_val content = {sizeof(text), text};
    struct raw raw;
    MDB_dbi dbi;

    /* Some more, to leave LMDB a list of free pages to put them on. */
    for (int i = 0; i < 5; i++)
        cr_assert_eq(put(store, "acme", "text"), ERR_OK);
    store_close(store);
    raw = raw_open(0);
    cr_assert_eq(mdb_dbi_open(raw.txn, "config", 0, &dbi), 0);
    cr_assert_eq(mdb_put(raw.txn, dbi, &key, &content, 0), 0);
    cr_assert_eq(mdb_del(raw.txn, dbi, &key, NULL), 0);
    raw_commit(&raw);
}

static bool
is_short(void)
{
    struct raw raw = raw_open(MDB_RDONLY);
    MDB_envinfo info;
    struct stat status;

    cr_assert_eq(mdb_env_info(raw.env, &info), 0);
    cr_assert_eq(stat(data, &status), 0);
    raw_commit(&raw);
    return (size_t)status.st_size < (info.me_last_pgno + 1) * 4096;
}

Test(store_file, a_file_that_ends_in_pages_never_written_is_whole)
{
    struct store *store;

    signal(SIGCHLD, SIG_IGN); /* as some parents leave it */
    end_in_free_pages();
    cr_assert(is_short());
    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "text@5");
    cr_expect_eq(put(store, "acme", "new"), ERR_OK);
    assert_whole_history(store, "acme", 6);
    store_close(store);
    cr_expect_not(is_short()); /* the next one need not look again */
}

/* Each turns the bytes of a sound file into those of a bad one. */
static void
to_nothing(struct bytes *file)
{
    file->len = 0;
}

static void
to_one_byte(struct bytes *file)
{
    file->len = 1;
}

static void
to_a_piece_of_a_page(struct bytes *file)
{
    file->len = 100;
}

static void
to_one_page_and_a_half(struct bytes *file)
{
    file->len = 6000;
}

static void
to_noise(struct bytes *file, size_t from, size_t to)
{
    unsigned int state = 1;

    for (size_t i = from; i < to; i++) {
        state = state * 1103515245 + 12345;
        file->bytes[i] = (char)(state >> 16);
    }
}

static void
to_noise_all_over(struct bytes *file)
{
    to_noise(file, 0, file->len);
}

static void
to_noise_in_the_first_page(struct bytes *file)
{
    to_noise(file, 0, 4096);
}

static void
to_noise_in_the_second_page(struct bytes *file)
{
    to_noise(file, 4096, 8192);
}

static void
to_noise_behind_the_meta_pages(struct bytes *file)
{
    to_noise(file, 8192, file->len);
}

static void
to_zeros_behind_the_meta_pages(struct bytes *file)
{
    memset(file->bytes + 8192, 0, file->len - 8192);
}

static void
to_zeros(struct bytes *file)
{
    memset(file->bytes, 0, file->len);
}

static void
to_text(struct bytes *file)
{
    static const char text[] = "{\"not\": \"a database\"}\n";

    memcpy(file->bytes, text, sizeof(text) - 1);
    file->len = sizeof(text) - 1;
}

static void
to_another_byte_order(struct bytes *file)
{
    /* the magic number, which is behind the page's header of 16 bytes */
    memcpy(file->bytes + 16, (char[]){'\xbe', '\xef', '\xc0', '\xde'}, 4);
}

static void
to_an_impossible_page_size(struct bytes *file)
{
    memset(file->bytes + 16 + 24, 0xff, 4);
}

static void (*const damages[])(struct bytes *file) = {
    to_nothing,
    to_one_byte,
    to_a_piece_of_a_page,
    to_one_page_and_a_half,
    to_noise_all_over,
    to_noise_in_the_first_page,
    to_noise_in_the_second_page,
    to_noise_behind_the_meta_pages,
    to_zeros_behind_the_meta_pages,
    to_zeros,
    to_text,
    to_another_byte_order,
    to_an_impossible_page_size,
};

Test(store_file, a_damaged_file_is_refused_and_left_as_it_is)
{
    struct bytes whole;

    fill_store();
    whole = slurp(data);
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        struct bytes file = {malloc(whole.len), whole.len};

        memcpy(file.bytes, whole.bytes, whole.len);
        damages[i](&file);
        spit(data, file.bytes, file.len);
        assert_refused(data, "damaged");
        assert_untouched(data, file.bytes, file.len);
        free(file.bytes);
    }
    free(whole.bytes);
}

/* The roots of five trees: free pages, names, meta, config and history. */
Test(store_file, a_root_page_that_is_noise_is_refused)
{
    struct bytes whole;
    size_t refused = 0;

    end_in_free_pages();
    store_close(open_store());
    whole = slurp(data);
    for (size_t page = 2; page < whole.len / 4096; page++) {
        struct bytes file = {malloc(whole.len), whole.len};
        struct store *store = NULL;
        char why[512] = "";

        memcpy(file.bytes, whole.bytes, whole.len);
        to_noise(&file, page * 4096, page * 4096 + 4096);
        spit(data, file.bytes, file.len);
        if (store_open(
                &(struct store_options){.path = db, .map_size = MAP_SIZE},
                &store, why, sizeof(why)) == ERR_OK) {
            store_close(store);
        } else {
            refused++;
            cr_expect_not_null(strstr(why, "damaged"), "%s", why);
            assert_untouched(data, file.bytes, file.len);
        }
        free(file.bytes);
    }
    cr_expect_eq(refused, 5);
    free(whole.bytes);
}

static void
set_format(const char *bytes, size_t len)
{
    struct raw raw = raw_open(0);

    raw_put(&raw, "meta", "format", 6, bytes, len);
    raw_commit(&raw);
}

static void
assert_format_refused(const char *bytes, size_t len, const char *because)
{
    struct bytes before;

    store_close(open_store());
    set_format(bytes, len);
    before = slurp(data);
    assert_refused(data, because);
    assert_untouched(data, before.bytes, before.len);
    free(before.bytes);
}

Test(store_file, a_newer_format_is_refused)
{
    assert_format_refused("\0\0\0\0\0\0\0\3", 8,
                          "newer version: it has format "
                          "3, and this one reads format 2");
}

Test(store_file, a_format_of_the_wrong_length_is_refused)
{
    assert_format_refused("\0\0\0\1", 4, "damaged: it has no format");
}

Test(store_file, somebody_elses_database_is_refused)
{
    struct bytes before;
    struct raw raw;

    cr_assert_eq(mkdir(db, 0750), 0);
    raw = raw_open(0);
    raw_put(&raw, "phones", "alice", 5, "123", 3);
    raw_commit(&raw);
    before = slurp(data);
    assert_refused(data, "no store of orderconf");
    assert_untouched(data, before.bytes, before.len);
    free(before.bytes);
}

Test(store_file, a_damaged_record_fails_alone)
{
    struct store *store = open_store();
    struct store_write writes[2];
    uint64_t version = 1;
    size_t count = 0;
    struct record record;
    struct raw raw;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_assert_eq(put(store, "brio", "1"), ERR_OK);
    store_close(store);
    raw = raw_open(0);
    raw_put(&raw, "config", "acme\0timer", 10, "\1short", 6);
    raw_put(&raw, "history", "acme\0timer\0\0\0\0\0\0\0\0\1", 19, "", 0);
    raw_commit(&raw);

    store = open_store();
    cr_expect_eq(store_get(store, "acme", "timer", &record), ERR_STORE);
    cr_expect_str_eq(value(store, "brio"), "1@1");
    cr_expect_eq(store_list(store, "acme", count_record, &count), ERR_STORE);
    cr_expect_eq(store_list(store, "brio", count_record, &count), ERR_OK);
    cr_expect_eq(count, 1);
    cr_expect_eq(store_scan(store, count_record, &count), ERR_STORE);
    cr_expect_eq(
        store_history(store, "acme", "timer", 0, 9, count_version, &version),
        ERR_STORE);
    writes[0] = write_of("acme", "timer", "2");
    writes[1] = write_of("brio", "timer", "2");
    writes[0].next = &writes[1];
    cr_expect_eq(store_commit(store, take_list, writes), ERR_OK);
    cr_expect_eq(writes[0].result, ERR_STORE);
    cr_expect_eq(writes[0].version, 0);
    cr_expect_eq(writes[1].result, ERR_OK);
    cr_expect_str_eq(value(store, "brio"), "2@2");
    store_close(store);
}

Test(store_file, a_damaged_name_ends_a_scan)
{
    size_t count = 0;
    struct store *store;
    struct raw raw;

    store_close(open_store());
    raw = raw_open(0);
    raw_put(&raw, "config", "nonul", 5, "x", 1);
    raw_commit(&raw);
    store = open_store();
    cr_expect_eq(store_scan(store, count_record, &count), ERR_STORE);
    cr_expect_eq(count, 0);
    store_close(store);
}
