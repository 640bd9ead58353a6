// SPDX-License-Identifier: MIT
#include "ctl/outfile.h"

#include "base/util.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char *dir, *path;

static void
set_up(void)
{
    dir = scratch_make();
    path = scratch_path(dir, "out");
}

static void
tear_down(void)
{
    free(path);
    scratch_remove(dir);
}

TestSuite(outfile, .init = set_up, .fini = tear_down);

static void
assert_content(const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "re");

    cr_assert_not_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    cr_expect_str_eq(text, expected);
}

static int
count_files(void)
{
    DIR *all = opendir(dir);
    int count = -2; /* . and .. */

    while (readdir(all) != NULL)
        count++;
    closedir(all);
    return count;
}

static void
put(const char *text, mode_t mode)
{
    struct outfile file;

    cr_assert_null(outfile_open(&file, path, mode));
    fputs(text, file.stream);
    cr_assert_null(outfile_finish(&file));
}

Test(outfile, it_appears_when_it_is_complete)
{
    struct outfile file;
    struct stat stat;

    cr_assert_null(outfile_open(&file, path, 0640));
    fputs("new", file.stream);
    cr_expect_neq(access(path, F_OK), 0);
    cr_expect_null(outfile_finish(&file));
    assert_content("new");
    cr_assert_eq(lstat(path, &stat), 0);
    cr_expect_eq(stat.st_mode & 07777, 0640);
    cr_expect_eq(count_files(), 1);
}

Test(outfile, the_old_one_stays_until_then_and_if_it_is_dropped)
{
    struct outfile file;

    put("old", 0600);
    cr_assert_null(outfile_open(&file, path, 0600));
    fputs("new", file.stream);
    fflush(file.stream);
    assert_content("old");
    outfile_drop(&file);
    assert_content("old");
    cr_expect_eq(count_files(), 1);
}

Test(outfile, a_write_that_fails_changes_nothing)
{
    struct outfile file;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    put("old", 0600);
    cr_assert_null(outfile_open(&file, path, 0600));
    cr_assert_geq(dup2(full, fileno(file.stream)), 0);
    fputs("new", file.stream);
    cr_expect_str_eq(outfile_finish(&file), "No space left on device");
    assert_content("old");
    cr_expect_eq(count_files(), 1);
    close(full);
}

Test(outfile, a_link_is_followed)
{
    char *link = scratch_path(dir, "link");
    struct outfile file;
    struct stat stat;

    put("old", 0600);
    cr_assert_eq(symlink("out", link), 0);
    cr_assert_null(outfile_open(&file, link, 0600));
    fputs("new", file.stream);
    cr_expect_null(outfile_finish(&file));
    assert_content("new");
    cr_assert_eq(lstat(link, &stat), 0);
    cr_expect(S_ISLNK(stat.st_mode));
    free(link);
}

Test(outfile, what_cannot_be_a_file_is_refused)
{
    struct outfile file;
    char *below = scratch_path(dir, "none/out");

    cr_expect_str_eq(outfile_open(&file, dir, 0600), "is not a regular file");
    cr_expect_str_eq(outfile_open(&file, "/dev/null", 0600),
                     "is not a regular file");
    cr_expect_str_eq(outfile_open(&file, below, 0600),
                     "No such file or directory");
    cr_expect_eq(count_files(), 0);
    free(below);
}
