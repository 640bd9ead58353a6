// SPDX-License-Identifier: MIT
/* What is asked of a store that is not open. */
#include "store/open.h"

#include "base/util.h"
#include "lib/scratch.h"
#include "store/store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>

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

TestSuite(open, .init = set_up, .fini = tear_down);

static void
make_store(const char *path)
{
    const struct store_options options = {.path = path, .map_size = 1 << 20};
    struct store *store;
    char why[512];

    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_OK, "%s",
                 why);
    store_close(store);
}

Test(open, a_directory_is_no_store)
{
    auto_char *path = scratch_path(dir, "db");
    auto_char *below = scratch_path(dir, "db/db");

    cr_expect_not(store_exists(path));
    cr_assert_eq(mkdir(path, 0750), 0);
    cr_expect_not(store_exists(path));
    make_store(path);
    cr_expect(store_exists(path));
    cr_expect_not(store_exists(below));
}

Test(open, what_cannot_be_looked_at_may_be_a_store)
{
    auto_char *path = scratch_path(dir, "db");
    auto_char *loop = scratch_path(dir, "loop");

    cr_assert_eq(symlink("loop", loop), 0);
    cr_expect(store_exists(loop));
    make_store(path);
    cr_expect(store_exists(path));
}

Test(open, only_what_is_there_is_given)
{
    auto_char *path = scratch_path(dir, "db");
    auto_char *copy = scratch_path(dir, "copy");

    make_store(copy);
    cr_expect_not(store_copy_give(copy, path));
    cr_expect_eq(errno, ENOENT);
    make_store(path);
    cr_expect(store_copy_give(copy, path));
}

Test(open, a_copy_goes_with_its_directory)
{
    auto_char *copy = scratch_path(dir, "copy");
    auto_char *lock = scratch_path(dir, "copy/lock.mdb");

    make_store(copy);
    cr_assert_eq(unlink(lock), 0); /* a copy has none */
    store_copy_remove(copy);
    cr_expect_neq(access(copy, F_OK), 0);
    store_copy_remove(copy); /* as harmless as the first time */
}
