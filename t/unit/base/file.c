// SPDX-License-Identifier: MIT
#include "base/file.h"

#include "base/util.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *dir;

static void
set_up(void)
{
    dir = scratch_make();
}

static void
tear_down(void)
{
    scratch_remove(dir);
}

TestSuite(file, .init = set_up, .fini = tear_down, .timeout = 20);

static void
assert_content(const char *path, const char *expected, mode_t mode)
{
    char text[100] = {0};
    struct file_id id;
    struct stat file;
    size_t len = 0;

    cr_assert_null(file_read(path, text, sizeof(text) - 1, &len, &id));
    cr_assert_eq(len, strlen(expected));
    cr_assert_str_eq(text, expected);
    cr_assert_eq(stat(path, &file), 0);
    cr_assert_eq(file.st_mode & 07777, mode, "%o", file.st_mode);
}

/* No temporary file is left behind. */
static void
assert_names(size_t expected)
{
    DIR *stream = opendir(dir);
    size_t count = 0;

    cr_assert_not_null(stream);
    for (const struct dirent *item; (item = readdir(stream)) != NULL;)
        count += item->d_name[0] != '.';
    closedir(stream);
    cr_assert_eq(count, expected, "%zu", count);
}

Test(file, reads_at_most_what_there_is_room_for)
{
    auto_char *path = scratch_path(dir, "a");
    char text[16];
    struct file_id id, again;
    size_t len = 0;

    cr_assert_null(file_create(path, "0123456789", 0600));
    cr_assert_null(file_read(path, text, 10, &len, &id));
    cr_assert_eq(len, 10);
    cr_assert_null(file_read(path, text, 4, &len, &again));
    cr_assert_eq(len, 4);
    cr_assert_eq(memcmp(text, "0123", 4), 0);
    cr_assert(file_id_equals(&id, &again));
    again = file_id_read(path);
    cr_assert(file_id_equals(&id, &again));
}

Test(file, what_is_no_file_is_said)
{
    auto_char *none = scratch_path(dir, "none");
    auto_char *fifo = scratch_path(dir, "fifo");
    char text[4];
    struct file_id id;
    size_t len = 7;

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    cr_assert_str_eq(file_read(none, text, 4, &len, &id),
                     "No such file or directory");
    cr_assert_str_eq(file_read(dir, text, 4, &len, &id),
                     "is not a regular file");
    cr_assert_str_eq(file_read(fifo, text, 4, &len, &id),
                     "is not a regular file");
    cr_assert_eq(len, 7);
}

Test(file, makes_only_new_ones)
{
    auto_char *path = scratch_path(dir, "a");
    auto_char *link = scratch_path(dir, "link");
    auto_char *deep = scratch_path(dir, "none/a");

    umask(0777);
    cr_assert_null(file_create(path, "first", 0600));
    assert_content(path, "first", 0600);
    cr_assert_str_eq(file_create(path, "second", 0600), "File exists");
    assert_content(path, "first", 0600);
    cr_assert_eq(symlink("nowhere", link), 0);
    cr_assert_str_eq(file_create(link, "third", 0600), "File exists");
    cr_assert_not_null(file_create(deep, "fourth", 0600));
    assert_names(2);
}

Test(file, replaces_whole_or_makes)
{
    auto_char *path = scratch_path(dir, "a");
    auto_char *deep = scratch_path(dir, "none/a");
    struct file_id before, after;

    umask(077);
    cr_assert_null(file_replace(path, "first", 0644));
    assert_content(path, "first", 0644);
    before = file_id_read(path);
    cr_assert_null(file_replace(path, "second", 0640));
    assert_content(path, "second", 0640);
    after = file_id_read(path);
    cr_assert_neq(before.inode, after.inode);
    cr_assert_not_null(file_replace(deep, "third", 0644));
    cr_assert_not_null(file_replace(dir, "fourth", 0644));
    assert_names(1);
}

Test(file, follows_a_link_to_what_it_replaces)
{
    auto_char *path = scratch_path(dir, "a");
    auto_char *link = scratch_path(dir, "link");
    struct stat file;

    cr_assert_null(file_create(path, "first", 0600));
    cr_assert_eq(symlink("a", link), 0);
    cr_assert_null(file_replace(link, "second", 0600));
    assert_content(path, "second", 0600);
    cr_assert_eq(lstat(link, &file), 0);
    cr_assert(S_ISLNK(file.st_mode));
    assert_names(2);
}

Test(file, a_fresh_one_shows_when_it_is_finished)
{
    auto_char *path = scratch_path(dir, "a");
    struct file_fresh file;

    umask(077);
    cr_assert_null(file_create(path, "first", 0600));
    cr_assert_null(file_fresh_open(&file, path, 0644));
    cr_assert(write_bytes(file.fd, "second", 6));
    assert_content(path, "first", 0600);
    assert_names(2);
    file_fresh_drop(&file);
    file_fresh_drop(&file);
    assert_content(path, "first", 0600);
    assert_names(1);

    cr_assert_null(file_fresh_open(&file, path, 0644));
    cr_assert(write_bytes(file.fd, "third", 5));
    cr_assert_null(file_fresh_finish(&file));
    assert_content(path, "third", 0644);
    assert_names(1);
    file_fresh_drop(&file);
    assert_content(path, "third", 0644);
}

/* Its directory went away, or something else stands there now. */
Test(file, a_fresh_one_that_finds_no_place_is_removed)
{
    auto_char *path = scratch_path(dir, "a");
    struct file_fresh file;

    cr_assert_null(file_fresh_open(&file, path, 0600));
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_assert_str_eq(file_fresh_finish(&file), "Is a directory");
    assert_names(1);
    cr_assert_null(file.path);
}

Test(file, what_is_no_file_is_not_replaced)
{
    auto_char *fifo = scratch_path(dir, "fifo");
    struct file_fresh file;

    cr_assert_eq(mkfifo(fifo, 0600), 0);
    cr_assert_str_eq(file_replace(fifo, "x", 0600), "is not a regular file");
    cr_assert_str_eq(file_fresh_open(&file, "/dev/null", 0600),
                     "is not a regular file");
    assert_names(1);
}

/* A disk that takes only the first bytes. */
Test(file, half_of_one_never_shows)
{
    auto_char *old = scratch_path(dir, "old");
    auto_char *fresh = scratch_path(dir, "fresh");
    static const char text[] = "more than there is room for";

    cr_assert_null(file_create(old, "first", 0600));
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10}), 0);
    cr_assert_str_eq(file_create(fresh, text, 0600), "File too large");
    cr_assert_str_eq(file_replace(old, text, 0600), "File too large");
    assert_content(old, "first", 0600);
    assert_names(1);
}

/* Many processes that add a byte each, one after the other. */
Test(file, lock_keeps_others_out)
{
    enum { PROCESSES = 20 };
    auto_char *path = scratch_path(dir, "a");
    char text[100] = {0};
    struct file_id id;
    size_t len = 0;

    cr_assert_null(file_create(path, "", 0600));
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            int lock = -1;

            if (file_lock(path, &lock) != NULL ||
                file_read(path, text, sizeof(text) - 2, &len, &id) != NULL)
                _exit(1);
            usleep(1000);
            memcpy(text + len, "x", 2);
            _exit(file_replace(path, text, 0600) != NULL);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;

        cr_assert_gt(wait(&status), 0);
        cr_assert_eq(status, 0);
    }
    assert_content(path, "xxxxxxxxxxxxxxxxxxxx", 0600);
}

Test(file, lock_needs_a_directory)
{
    auto_char *deep = scratch_path(dir, "none/a");
    int lock = -1;

    cr_assert_str_eq(file_lock(deep, &lock), "No such file or directory");
    cr_assert_eq(lock, -1);
}
