// SPDX-License-Identifier: MIT
/* One flush for a commit, and nothing lost by it: whatever a power loss leaves
 * of the meta page, what was answered is there. */
#include "store/store.h"

#include "base/util.h"
#include "lib/bad_disk.h"
#include "lib/on_disk.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>

TestSuite(store_lmdb_redo, .init = on_disk_set_up, .fini = on_disk_tear_down,
          .timeout = 60);

enum { META_PAGES = 2 * 4096 };

/* The data file, with the meta pages that it had earlier: those of the commits
 * since then were still in the cache when the power went. */
static void
lose_meta_pages(const struct bytes *earlier)
{
    struct bytes now = slurp(data);

    memcpy(now.bytes, earlier->bytes, META_PAGES);
    spit(data, now.bytes, now.len);
    free(now.bytes);
}

static const char *
text_of(size_t len)
{
    static char text[70001];

    memset(text, '7', len);
    text[len] = '\0';
    return text;
}

Test(store_lmdb_redo, a_commit_flushes_once)
{
    struct store *store = open_store();
    int before = disk.data_syncs;

    disk.synchronous_writes = 0;
    for (int i = 0; i < 5; i++)
        cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_expect_eq(disk.data_syncs - before, 5);
    cr_expect_eq(disk.synchronous_writes, 0);
    store_close(store);
}

Test(store_lmdb_redo, a_commit_that_is_too_large_to_be_noted_flushes_twice)
{
    struct store *store = open_store();

    disk.synchronous_writes = 0;
    cr_assert_eq(put(store, "acme", text_of(65000)), ERR_OK);
    cr_expect_eq(disk.synchronous_writes, 0);
    cr_assert_eq(put(store, "acme", text_of(66000)), ERR_OK);
    cr_expect_eq(disk.synchronous_writes, 1);
    store_close(store);
}

Test(store_lmdb_redo, the_last_commit_survives_its_meta_page)
{
    struct store *store = open_store();
    struct bytes earlier;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    for (int round = 2; round < 10; round++) {
        char text[2] = {(char)('0' + round), '\0'};

        earlier = slurp(data);
        cr_assert_eq(put(store, "acme", text), ERR_OK);
        store_close(store);
        lose_meta_pages(&earlier);
        free(earlier.bytes);

        store = open_store();
        cr_expect_eq(value(store, "acme")[0], text[0]);
        assert_whole_history(store, "acme", (uint64_t)round);
    }
    store_close(store);
}

Test(store_lmdb_redo, all_writes_of_a_commit_are_repeated)
{
    struct store_write first = write_of("first", "timer", "1");
    struct store_write second = write_of("second", "timer", "2");
    struct store *store = open_store();
    struct bytes earlier = slurp(data);

    first.next = &second;
    cr_assert_eq(store_commit(store, take_list, &first), ERR_OK);
    store_close(store);
    lose_meta_pages(&earlier);
    free(earlier.bytes);

    store = open_store();
    cr_expect_str_eq(value(store, "first"), "1@1");
    cr_expect_str_eq(value(store, "second"), "2@1");
    store_close(store);
}

static enum err
keep_note(void *ctx, const struct record *record,
          const struct record_origin *origin)
{
    (void)record;
    snprintf(ctx, 64, "%s %s", origin->request_id, origin->note);
    return ERR_OK;
}

/* With all that it has beside the value, and the order goes on behind it. */
Test(store_lmdb_redo, a_repeated_commit_is_the_same)
{
    struct store_write write = write_of("acme", "timer", "1");
    struct store *store = open_store();
    struct bytes earlier = slurp(data);
    struct record record;
    char text[64] = "";

    write.note = "why";
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    store_close(store);
    lose_meta_pages(&earlier);
    free(earlier.bytes);

    store = open_store();
    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    cr_expect_eq(record.seq, write.seq);
    cr_expect_arr_eq(record.write_id, write.write_id, STORE_WRITE_ID_SIZE);
    cr_expect_eq(record.updated_at, write.updated_at);
    cr_expect_str_eq(record.author, "alice");
    record_clear(&record);
    cr_expect_eq(store_history(store, "acme", "timer", 0, 1, keep_note, text),
                 ERR_OK);
    cr_expect_str_eq(text, "r-1 why");
    write = write_of("acme", "timer", "2");
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(write.seq, 2);
    store_close(store);
}

/* True if a compacting copy of the data file has the text anywhere: in what is
 * stored, or in the notes. */
static bool
copy_holds(const char *text)
{
    struct raw raw = raw_open(MDB_RDONLY);
    auto_char *dir = scratch_path(scratch, "copy");
    auto_char *path = scratch_path(dir, "data.mdb");
    struct bytes copy;
    bool is_there;

    mdb_txn_abort(raw.txn);
    cr_assert_eq(mkdir(dir, 0700), 0);
    cr_assert_eq(mdb_env_copy2(raw.env, dir, MDB_CP_COMPACT), 0);
    mdb_env_close(raw.env);
    copy = slurp(path);
    is_there = memmem(copy.bytes, copy.len, text, strlen(text)) != NULL;
    free(copy.bytes);
    cr_assert(unlink(path) == 0 && rmdir(dir) == 0);
    return is_there;
}

/* What replaces is on disk by two flushes; of what it replaced, no note is
 * left. */
Test(store_lmdb_redo, a_replacement_leaves_no_note)
{
    static const char secret[] = "the old value, and one that is long enough";
    struct store_write write = write_of("acme", "timer", "new");
    struct store *store = open_store();
    struct bytes earlier;

    cr_assert_eq(put(store, "acme", secret), ERR_OK);
    cr_assert_eq(put(store, "brio", secret), ERR_OK);
    write.base = 1;
    write.op = STORE_REPLACE;
    write.replaces = secret;
    write.replaces_len = strlen(secret);
    disk.synchronous_writes = 0;
    for (int i = 0; i < 2; i++) {
        write.tenant = i == 0 ? "acme" : "brio";
        cr_assert_eq(store_commit_one(store, &write), ERR_OK);
        cr_assert(write.is_new);
        cr_expect_eq(disk.synchronous_writes, i + 1);
    }
    /* One that does nothing costs nothing. */
    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    cr_expect_eq(disk.synchronous_writes, 2);
    store_close(store);
    cr_expect_not(copy_holds(secret));
    cr_expect(copy_holds("new"));

    /* And the next commit is noted again. */
    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "new@1");
    earlier = slurp(data);
    cr_assert_eq(put(store, "acme", "next"), ERR_OK);
    cr_expect_eq(disk.synchronous_writes, 2);
    store_close(store);
    lose_meta_pages(&earlier);
    free(earlier.bytes);
    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "next@2");
    store_close(store);
}

Test(store_lmdb_redo, a_key_that_was_unset_stays_so)
{
    struct store *store = open_store();
    struct record record;
    struct bytes earlier;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    earlier = slurp(data);
    cr_assert_eq(put(store, "acme", ""), ERR_OK);
    store_close(store);
    lose_meta_pages(&earlier);
    free(earlier.bytes);

    store = open_store();
    cr_assert_eq(store_get(store, "acme", "timer", &record), ERR_OK);
    cr_expect_eq(record.version, 2);
    cr_expect_null(record.value);
    record_clear(&record);
    assert_whole_history(store, "acme", 2);
    store_close(store);
}

/* It was not answered: either is right, but not half of it. */
Test(store_lmdb_redo, a_note_that_is_not_whole_is_not_read)
{
    struct store *store = open_store();
    struct bytes earlier, now;
    size_t at = 0;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    earlier = slurp(data);
    cr_assert_eq(put(store, "acme", "note of this"), ERR_OK);
    store_close(store);
    lose_meta_pages(&earlier);
    now = slurp(data);
    /* The first one is the note's: its pages are as old as the store. */
    while (memcmp(now.bytes + at, "note of this", 12) != 0)
        at++;
    now.bytes[at] = 'N';
    spit(data, now.bytes, now.len);

    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "1@1");
    cr_assert_eq(put(store, "acme", "2"), ERR_OK);
    cr_expect_str_eq(value(store, "acme"), "2@2");
    store_close(store);
    free(earlier.bytes);
    free(now.bytes);
}

/* What was answered with an error is not stored by a power loss. */
Test(store_lmdb_redo, a_commit_that_failed_is_not_repeated)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    disk.sync_error = EIO;
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    disk.sync_error = 0;
    store_close(store);

    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
}

/* The same where LMDB has to be opened again first; by this program, or by
 * another one while this one is idle. */
static void
assert_not_repeated(void)
{
    struct store *store = open_store();

    cr_expect_str_eq(value(store, "acme"), "1@1");
    assert_whole_history(store, "acme", 1);
    store_close(store);
}

Test(store_lmdb_redo, a_commit_without_its_meta_page_is_not_repeated)
{
    struct store *store = open_store();

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    disk.meta_error = EIO;
    cr_expect_eq(put(store, "acme", "2"), ERR_STORE);
    disk.meta_error = 0;
    in_child(assert_not_repeated);
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
    assert_not_repeated();
}

/* A copy of the data file may be older than its notes, and be written since. */
Test(store_lmdb_redo, a_note_that_does_not_follow_is_not_read)
{
    struct store *store = open_store();
    struct bytes earlier;

    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    earlier = slurp(data);
    cr_assert_eq(put(store, "acme", "2"), ERR_OK);
    cr_assert_eq(put(store, "acme", "3"), ERR_OK);
    cr_assert_eq(put(store, "acme", "4"), ERR_OK);
    store_close(store);
    spit(data, earlier.bytes, earlier.len);
    free(earlier.bytes);

    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
}

/* Made by a version that did not know of it. */
Test(store_lmdb_redo, a_store_without_room_for_notes_flushes_twice)
{
    struct store *store;
    struct raw raw;

    store_close(open_store());
    raw = raw_open(0);
    raw_put(&raw, "meta", "redo", 4, "", 0);
    raw_commit(&raw);

    store = open_store();
    disk.synchronous_writes = 0;
    cr_assert_eq(put(store, "acme", "1"), ERR_OK);
    cr_expect_eq(disk.synchronous_writes, 1);
    store_close(store);
    store = open_store();
    cr_expect_str_eq(value(store, "acme"), "1@1");
    store_close(store);
}
