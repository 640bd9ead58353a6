// SPDX-License-Identifier: MIT
/* Running out of room, and disks that fail: nothing is lost, and the store
 * goes on when it can. */
#include "store/store.h"

#include "base/util.h"
#include "lib/bad_disk.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

TestSuite(store_lmdb_env, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 60);

/* Else a power cut may take the whole store, after writes were answered. */
Test(store_lmdb_env, what_was_created_is_flushed_with_its_directories)
{
    store_close(open_store());
    cr_expect_eq(disk.directory_syncs, 2); /* db, and its parent */
    store_close(open_store());
    cr_expect_eq(disk.directory_syncs, 2);
}

Test(store_lmdb_env, a_full_disk_while_creating_leaves_nothing)
{
    disk.data_error = ENOSPC;
    assert_refused(db, "No space left on device");
    cr_expect_not(exists(data));
    disk.data_error = 0;
    store_close(open_store());
}

/* Running out of address space */

/* No free part of it is large enough then. */
static void
take_address_space(void)
{
    for (size_t size = (size_t)1 << 46; size >= (size_t)MAP_SIZE;)
        if (mmap(NULL, size, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                 0) == MAP_FAILED)
            size /= 2;
}

Test(store_lmdb_env, a_map_that_does_not_fit_says_what_to_do)
{
    static const char what_to_do[] =
        "for a map of 67108864 bytes; set a smaller --map-size";
    struct store *store = open_with(MAP_SIZE);
    struct store_copied copied;
    char why[512];

    take_address_space();
    cr_expect_eq(
        store_copy(store, scratch, NULL, NULL, &copied, why, sizeof(why)),
        ERR_STORE);
    cr_expect_not_null(strstr(why, what_to_do), "%s", why);
    store_close(store);

    take_address_space();
    assert_refused(db, what_to_do);
    cr_assert_eq(unlink(data), 0);
    assert_refused(db, what_to_do);
}

/* Running out of room */

static char big[60001]; /* text of 60,000 bytes */

static const char *
big_text(size_t len)
{
    memset(big, 'x', sizeof(big) - 1);
    big[len] = '\0';
    return big;
}

/* Writes to new tenants until one does not fit. How many did. */
static int
fill_up(struct store *store, const char *text)
{
    char tenant[16];

    for (int i = 0; i < 10000; i++) {
        enum err err;

        snprintf(tenant, sizeof(tenant), "f%d", i);
        err = put(store, tenant, text);
        if (err == ERR_OK)
            continue;
        cr_expect_eq(err, ERR_FULL, "got %s", err_name(err));
        cr_expect_str_eq(value(store, tenant), "@0");
        return i;
    }
    cr_assert_fail("never full");
    return 0;
}

static void
assert_filled(struct store *store, int count)
{
    char tenant[16];

    for (int i = 0; i < count; i++) {
        snprintf(tenant, sizeof(tenant), "f%d", i);
        cr_expect_eq(strcmp(strrchr(value(store, tenant), '@'), "@1"), 0);
        assert_whole_history(store, tenant, 1);
    }
}

Test(store_lmdb_env, a_full_map_refuses_writes_and_loses_nothing)
{
    struct store *store = open_with(SMALL_MAP);
    int count = fill_up(store, big_text(10000));

    cr_expect_geq(count, 10);
    assert_filled(store, count);
    store_close(store);

    store = open_with(SMALL_MAP); /* still full */
    cr_expect_eq(put(store, "acme", big), ERR_FULL);
    store_close(store);

    store = open_with(4 * SMALL_MAP);
    cr_expect_eq(put(store, "acme", big), ERR_OK);
    assert_filled(store, count);
    store_close(store);
}

Test(store_lmdb_env, of_a_batch_that_does_not_fit_the_small_are_stored)
{
    struct store *store = open_with(SMALL_MAP);
    int count = fill_up(store, big_text(10000));
    struct store_write writes[] = {
        write_of("a", "timer", "1"), write_of("b", "timer", big),
        write_of("a", "timer", "2"), write_of("a", "timer", "3"),
        write_of("a", "timer", big),
    };

    writes[0].base = 0;
    writes[2].base = 1;
    writes[3].base = 1;
    for (size_t i = 0; i + 1 < ARRAY_SIZE(writes); i++)
        writes[i].next = &writes[i + 1];
    cr_expect_eq(store_commit(store, take_list, writes), ERR_FULL);
    cr_expect_eq(writes[0].result, ERR_OK);
    cr_expect_eq(writes[0].version, 1);
    cr_expect_eq(writes[1].result, ERR_FULL);
    cr_expect_eq(writes[1].version, 0);
    cr_expect_eq(writes[2].result, ERR_OK);
    cr_expect_eq(writes[2].version, 2);
    cr_expect_eq(writes[3].result, ERR_CONFLICT);
    cr_expect_eq(writes[3].version, 2);
    cr_expect_eq(writes[4].result, ERR_FULL);
    cr_expect_str_eq(value(store, "a"), "2@2");
    cr_expect_str_eq(value(store, "b"), "@0");
    assert_filled(store, count);
    store_close(store);
}

Test(store_lmdb_env, a_group_that_does_not_fit_is_not_stored_in_part)
{
    static char large[SMALL_MAP];
    struct store *store = open_with(SMALL_MAP);
    struct store_write writes[] = {
        write_of("acme", "timer", "1"),
        write_of("acme", "other", large),
        write_of("brio", "timer", "2"),
        write_of("brio", "other", "2"),
    };

    memset(large, 'x', sizeof(large) - 1);
    writes[1].op = STORE_PUT;
    writes[1].value_len = sizeof(large) - 1;
    writes[0].group = writes[1].group = 1;
    writes[2].group = writes[3].group = 2;
    for (size_t i = 0; i + 1 < ARRAY_SIZE(writes); i++)
        writes[i].next = &writes[i + 1];
    cr_expect_eq(store_commit(store, take_list, writes), ERR_FULL);
    cr_expect_eq(writes[0].result, ERR_FULL);
    cr_expect_eq(writes[1].result, ERR_FULL);
    cr_expect_eq(writes[2].result, ERR_OK);
    cr_expect_eq(writes[3].result, ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "@0");
    cr_expect_str_eq(value(store, "brio"), "2@1");
    store_close(store);
}

Test(store_lmdb_env, a_map_that_a_dead_reader_keeps_full_is_freed)
{
    struct store *store = open_with(SMALL_MAP);

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    in_child(die_reading);
    /* About 20 KiB each if no page is ever used again. */
    for (int i = 0; i < 100; i++)
        cr_assert_eq(put(store, "acme", "1"), ERR_OK, "commit %d", i);
    store_close(store);
}

static void
raise_map_a_little(void)
{
    struct store *store = open_with(4 * SMALL_MAP);

    /* Fits in free pages: the file does not outgrow the small map. */
    cr_assert_eq(put(store, "other", "x"), ERR_OK);
    store_close(store);
}

Test(store_lmdb_env, a_larger_map_of_another_process_is_adopted_when_full)
{
    struct store *store = open_with(SMALL_MAP);
    int count = fill_up(store, big_text(10000));

    cr_expect_eq(put(store, "acme", big), ERR_FULL);
    in_child(raise_map_a_little);
    cr_expect_eq(put(store, "acme", big), ERR_OK);
    assert_filled(store, count);
    store_close(store);
}

static void
outgrow(void)
{
    struct store *store = open_with(16 * SMALL_MAP);
    char tenant[16];

    for (int i = 0; i < 20; i++) {
        snprintf(tenant, sizeof(tenant), "o%d", i);
        cr_assert_eq(put(store, tenant, big_text(60000)), ERR_OK);
    }
    store_close(store);
}

Test(store_lmdb_env, a_store_outgrown_by_another_process_is_read_and_written)
{
    struct store *store = open_with(SMALL_MAP);
    size_t count = 0;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    in_child(outgrow);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    cr_expect_eq(strlen(value(store, "o19")), 202);
    cr_expect_eq(put(store, "acme", "2"), ERR_OK);
    cr_expect_eq(store_scan(store, count_record, &count), ERR_OK);
    cr_expect_eq(count, 21);
    store_close(store);
}

Test(store_lmdb_env, a_store_outgrown_by_another_process_is_written_first)
{
    struct store *store = open_with(SMALL_MAP);

    in_child(outgrow);
    cr_expect_eq(put(store, "acme", "1"), ERR_OK);
    cr_expect_eq(strlen(value(store, "o0")), 202);
    store_close(store);
}

Test(store_lmdb_env, a_lowered_map_size_is_a_bound)
{
    struct store *store = open_with(16 * SMALL_MAP);

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
    store = open_with(SMALL_MAP);
    cr_expect_leq(fill_up(store, big_text(10000)), SMALL_MAP / 20000);
    store_close(store);
}

Test(store_lmdb_env, a_full_disk_refuses_writes_until_there_is_room)
{
    auto_char *ballast = NULL;
    struct store *store;
    int count;

    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(0, "size=2m");
    ballast = scratch_path(db, "ballast");
    spit(ballast, big_text(60000), 60000);
    store = open_store();
    count = fill_up(store, big_text(10000));
    cr_expect_geq(count, 10);
    assert_filled(store, count);
    cr_assert_eq(unlink(ballast), 0);
    cr_expect_eq(put(store, "acme", big), ERR_OK);
    assert_filled(store, count);
    store_close(store);
    store = open_store();
    assert_filled(store, count);
    store_close(store);
    umount(db);
}

/* A disk that fails */

Test(store_lmdb_env, what_cannot_be_flushed_is_not_stored)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    disk.sync_error = EIO;
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    disk.sync_error = ENOSPC; /* delayed allocation */
    cr_expect_eq(put(store, "acme", "2"), ERR_FULL);
    disk.sync_error = 0;
    cr_expect_eq(put(store, "acme", "3"), ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "3@2");
    assert_whole_history(store, "acme", 2);
    store_close(store);
}

Test(store_lmdb_env, a_meta_page_that_cannot_be_written_stops_nothing)
{
    struct store *store = open_store();
    struct store_write write = write_of("acme", "timer", "2");
    size_t count = 0;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    disk.meta_error = EIO;
    cr_expect_eq(store_commit_one(store, &write), ERR_STORE);
    cr_expect_eq(write.version, 0);
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    cr_expect_eq(store_scan(store, count_record, &count), ERR_OK);
    cr_expect_eq(count, 1);
    disk.meta_error = 0;
    cr_expect_eq(put(store, "acme", "3"), ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "3@2");
    assert_whole_history(store, "acme", 2);
    store_close(store);

    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "3@2");
    store_close(store);
}

/* The page that failed may be on the disk, and names pages that are used
 * next: the old one has to be there before they are. */
Test(store_lmdb_env, what_was_put_back_is_flushed_before_the_next_write)
{
    struct store *store = open_store();
    int before;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    disk.meta_error = EIO;
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    disk.meta_error = 0;
    disk.sync_error = EIO;
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    cr_expect_str_eq(value(store, "acme"), "1@1"); /* reads need no flush */
    disk.sync_error = 0;

    before = disk.data_syncs;
    cr_expect_eq(put(store, "acme", "2"), ERR_OK);
    cr_expect_eq(disk.data_syncs - before, 2);
    before = disk.data_syncs;
    cr_expect_eq(put(store, "acme", "3"), ERR_OK);
    cr_expect_eq(disk.data_syncs - before, 1);
    store_close(store);
}

Test(store_lmdb_env, a_store_that_is_gone_for_a_while_comes_back)
{
    auto_char *away = scratch_path(db, "away");
    struct store *store = open_store();
    struct record record;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    /* It has to be opened again, and cannot be. */
    cr_assert_eq(rename(data, away), 0);
    disk.meta_error = EIO;
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    disk.meta_error = 0;
    cr_expect_eq(store_get(store, "acme", "timer", &record), ERR_STORE);
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    cr_expect_not(exists(data));
    cr_assert_eq(rename(away, data), 0);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    cr_expect_eq(put(store, "acme", "2"), ERR_OK);
    store_close(store);
}

Test(store_lmdb_env, a_write_that_is_cut_short_is_not_stored)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    disk.data_limit = 4096;
    cr_expect_eq(put(store, "acme", big_text(20000)), ERR_STORE);
    cr_expect_str_eq(value(store, "acme"), "1@1");

    /* LMDB gives the same error when that is why. */
    disk.has_no_room = true;
    cr_expect_eq(put(store, "acme", big), ERR_FULL);
    disk.has_no_room = false;
    disk.room_error = EDQUOT;
    cr_expect_eq(put(store, "acme", big), ERR_FULL);
    disk.room_error = EOPNOTSUPP;
    cr_expect_eq(put(store, "acme", big), ERR_STORE);

    disk.data_limit = 0;
    cr_expect_str_eq(value(store, "acme"), "1@1");
    cr_expect_eq(put(store, "acme", "2"), ERR_OK);
    store_close(store);
}

Test(store_lmdb_env, no_space_is_told_from_a_broken_disk)
{
    struct store *store = open_store();

    disk.data_error = ENOSPC;
    cr_expect_eq(put(store, "acme", "1"), ERR_FULL);
    disk.data_error = EDQUOT;
    cr_expect_eq(put(store, "acme", "1"), ERR_FULL);
    disk.data_error = EIO;
    cr_expect_eq(put(store, "acme", "1"), ERR_STORE);
    disk.data_error = 0;
    cr_expect_eq(put(store, "acme", "1"), ERR_OK);
    store_close(store);
}
