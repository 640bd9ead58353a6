// SPDX-License-Identifier: MIT
/* What the LMDB store says of itself: how full, how busy, whether it would
 * take a write. */
#include "store/store.h"

#include "base/util.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"
#include "metrics/metrics.h"
#include "store/lmdb/datafile.h"
#include "store/open.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

TestSuite(store_lmdb_stat, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 60);

static struct store_stat
stat_of(struct store *store)
{
    struct store_stat stat;

    cr_assert_eq(store_stat(store, &stat), ERR_OK);
    return stat;
}

static char text[60001];

static const char *
text_of(size_t len)
{
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

/* Writes of this size to new tenants until one does not fit. */
static void
fill_up(struct store *store, char series, size_t len)
{
    char tenant[16];
    enum err err = ERR_OK;

    for (int i = 0; err == ERR_OK && i < 10000; i++) {
        snprintf(tenant, sizeof(tenant), "%c%d", series, i);
        err = put(store, tenant, text_of(len));
    }
    cr_assert_eq(err, ERR_FULL);
}

Test(store_lmdb_stat, use_grows_with_what_is_stored_and_shrinks_again)
{
    struct store *store = open_with(SMALL_MAP);
    struct store_stat empty = stat_of(store), full;

    cr_expect_eq(empty.map_bytes, SMALL_MAP);
    cr_expect_gt(empty.used_bytes, 0);
    cr_expect_lt(empty.used_bytes, 64 * 4096); /* half of it for notes */
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(put(store, "acme", text_of(40000)), ERR_OK);
        cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    }
    /* Four versions in the history; the values that were replaced are free. */
    full = stat_of(store);
    cr_expect_gt(full.used_bytes, empty.used_bytes + 4 * 40000);
    cr_expect_lt(full.used_bytes, empty.used_bytes + 5 * 40000);
    cr_expect_leq(full.used_bytes, SMALL_MAP);
    store_close(store);
}

static void
open_and_count(void)
{
    struct store *store = open_store();

    cr_assert_eq(stat_of(store).readers, 2);
    store_close(store);
}

Test(store_lmdb_stat, every_process_that_has_it_open_is_a_reader)
{
    struct store *store = open_store();
    struct store_stat stat = stat_of(store);

    cr_expect_eq(stat.readers, 1);
    cr_expect_geq(stat.readers_max, 1024);
    in_child(open_and_count);
    cr_expect_eq(stat_of(store).readers, 1);
    store_close(store);
}

Test(store_lmdb_stat, a_probe_stores_nothing)
{
    struct store *store = open_store();
    uint64_t used = stat_of(store).used_bytes;
    size_t count = 0;

    cr_expect_eq(store_probe(store), ERR_OK);
    cr_expect_eq(store_scan(store, count_record, &count), ERR_OK);
    cr_expect_eq(count, 0);
    cr_expect_eq(stat_of(store).used_bytes, used);
    cr_expect_eq(metrics_sum(METRIC_COMMIT_WRITES), 0);
    store_close(store);
}

Test(store_lmdb_stat, where_small_writes_do_not_fit_a_probe_does_not)
{
    struct store *store = open_with(SMALL_MAP);

    fill_up(store, 'a', 10000);
    fill_up(store, 'b', 1);
    cr_expect_eq(store_probe(store), ERR_FULL);
    store_close(store);
    /* Nor in another process, which has not failed at it. */
    store = open_with(SMALL_MAP);
    cr_expect_eq(store_probe(store), ERR_FULL);
    store_close(store);

    store = open_with(2 * SMALL_MAP);
    cr_expect_eq(store_probe(store), ERR_OK);
    store_close(store);
}

static void
raise_map(void)
{
    struct store *store = open_with(2 * SMALL_MAP);

    cr_assert_eq(put(store, "other", "x"), ERR_OK);
    store_close(store);
}

Test(store_lmdb_stat, a_probe_finds_room_as_a_write_does)
{
    struct store *store = open_with(SMALL_MAP);

    fill_up(store, 'a', 10000);
    fill_up(store, 'b', 1);
    cr_expect_eq(store_probe(store), ERR_FULL);
    in_child(raise_map);
    cr_expect_eq(store_probe(store), ERR_OK);
    store_close(store);
}

/* How often the word is in what was logged. */
static int
count_logged(const char *word)
{
    char log[16384];
    const char *at = log;
    int count = 0;

    log[fread(log, 1, sizeof(log) - 1, cr_get_redirected_stderr())] = '\0';
    for (; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

static void
fill_and_probe(void)
{
    struct store *store = open_with(SMALL_MAP);

    fill_up(store, 'a', 10000);
    fill_up(store, 'b', 1);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(store_probe(store), ERR_FULL);
    store_close(store);
}

Test(store_lmdb_stat, a_full_store_is_logged_once)
{
    cr_redirect_stderr();
    fill_and_probe();
    /* By the first series; the second began with a write that fitted. */
    cr_expect_eq(count_logged("\"store_full\""), 2);
}

Test(store_lmdb_stat, what_keeps_writes_away_is_logged_once)
{
    struct store *store = open_store();

    cr_redirect_stderr();
    cr_assert_eq(remove(data), 0);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(store_probe(store), ERR_STORE);
    cr_expect_eq(count_logged("the data file was removed"), 1);
    store_close(store);
}

static struct store_write *
take_all(void *ctx)
{
    return ctx;
}

Test(store_lmdb_stat, a_write_that_does_not_fit_does_not_speak_for_small_ones)
{
    struct store *store = open_with(SMALL_MAP);
    enum err before;

    cr_expect_eq(store_probe(store), ERR_OK);
    fill_up(store, 'a', 10000);
    before = store_probe(store);
    cr_expect_eq(put(store, "acme", text_of(60000)), ERR_FULL);
    cr_expect_eq(store_probe(store), before);
    cr_expect_eq(put(store, "brio", "2"), ERR_OK);
    store_close(store);
}

Test(store_lmdb_stat, a_removed_file_takes_no_writes)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_assert_eq(remove(data), 0);
    cr_expect_eq(store_probe(store), ERR_STORE);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
}

Test(store_lmdb_stat, a_file_system_that_became_read_only_takes_no_writes)
{
    auto_fd fd = -1;

    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(0, NULL);
    spit(data, "x", 1);
    fd = open(data, O_RDONLY); /* one for writing would not let it change */
    cr_expect_null(store_file_find_fault(fd));
    cr_assert_eq(mount("none", db, "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
    cr_expect_str_eq(store_file_find_fault(fd),
                     "the file system is mounted read-only");
    close_fd(&fd);
    fd = -1;
    umount(db);
}

Test(store_lmdb_stat, a_disk_without_room_takes_no_writes)
{
    auto_char *ballast = NULL;
    struct store *store;

    cr_assert_eq(mkdir(db, 0750), 0);
    mount_or_skip(0, "size=4m");
    ballast = scratch_path(db, "ballast");
    store = open_store();
    cr_expect_eq(store_probe(store), ERR_OK);
    for (int i = 0; i < 60; i++) {
        FILE *file = fopen(ballast, "a");

        fwrite(text_of(60000), 1, 60000, file);
        fclose(file); /* fails in the end, as it should */
    }
    cr_expect_eq(store_probe(store), ERR_FULL);
    cr_assert_eq(remove(ballast), 0);
    cr_expect_eq(store_probe(store), ERR_OK);
    store_close(store);
    umount(db);
}

/* Counts of the metrics are of this process: there is no file. */
Test(store_lmdb_stat, commits_are_counted_and_timed)
{
    struct store *store = open_store();
    struct store_write writes[] = {
        write_of("a", "timer", "1"),
        write_of("b", "timer", "1"),
        write_of("c", "timer", "1"),
        write_of("a", "timer", "lost"),
    };

    writes[3].base = 0;
    for (size_t i = 0; i + 1 < ARRAY_SIZE(writes); i++)
        writes[i].next = &writes[i + 1];
    cr_expect_eq(store_commit(store, take_all, writes), ERR_OK);
    cr_expect_eq(writes[3].result, ERR_CONFLICT);
    cr_expect_eq(put(store, "a", "2"), ERR_OK);
    writes[3].next = NULL;
    cr_expect_eq(store_commit(store, take_all, &writes[3]), ERR_OK);

    /* Two commits, of three writes and of one. What lost took no flush. */
    cr_expect_eq(metrics_sum(METRIC_COMMIT_WRITES), 1);
    cr_expect_eq(metrics_sum(METRIC_COMMIT_WRITES + 2), 1);
    cr_expect_eq(metrics_sum(METRIC_COMMIT_WRITES + METRICS_BUCKETS_MAX), 4);
    cr_expect_gt(metrics_sum(METRIC_FLUSH_TIMES + METRICS_BUCKETS_MAX), 2000);
    store_close(store);
}

Test(store_lmdb_stat, counts_records_and_versions)
{
    struct store *store = open_store();
    struct store_stat stat;

    cr_expect_eq(put(store, "a", "1"), ERR_OK);
    cr_expect_eq(put(store, "a", "2"), ERR_OK);
    cr_expect_eq(put(store, "b", "1"), ERR_OK);
    cr_assert_eq(store_stat(store, &stat), ERR_OK);
    cr_expect_eq(stat.records, 2);
    cr_expect_eq(stat.versions, 3);
    cr_expect_eq(stat.format, 2);
    store_close(store);
}

/* For a program that writes beside the service, and does not know its
 * settings. */
Test(store_lmdb_stat, a_store_that_must_exist_keeps_its_size)
{
    struct store_options options = {.path = db, .must_exist = true};
    struct store *store = NULL;
    struct store_stat stat;
    char why[512] = "";

    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_STORE);
    cr_expect_neq(access(db, F_OK), 0, "nothing was made");
    cr_expect(strstr(why, "No such file") != NULL, "%s", why);

    store = open_with(SMALL_MAP);
    cr_expect_eq(put(store, "a", "1"), ERR_OK);
    store_close(store);
    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_OK);
    cr_assert_eq(store_stat(store, &stat), ERR_OK);
    cr_expect_eq(stat.map_bytes, SMALL_MAP);
    cr_expect_eq(put(store, "a", "2"), ERR_OK);
    store_close(store);
}
