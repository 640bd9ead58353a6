// SPDX-License-Identifier: MIT
#include "auth/wanted.h"

#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char *dir;

static void
set_up(void)
{
    cr_redirect_stderr(); /* the log */
    dir = scratch_make();
}

static void
tear_down(void)
{
    scratch_remove(dir);
}

TestSuite(wanted, .init = set_up, .fini = tear_down);

/* When acme's set was asked for; -1: it never was. */
static int64_t
asked_at(const char *tenant)
{
    char path[4096];
    struct stat status;

    snprintf(path, sizeof(path), "%s/wanted/%s", dir, tenant);
    return stat(path, &status) == 0 ? status.st_mtime : -1;
}

Test(wanted, is_asked_once_a_minute)
{
    const int64_t now = 1800000000;

    cr_expect_eq(asked_at("acme"), -1);
    wanted_ask(dir, "acme", now);
    cr_expect_eq(asked_at("acme"), now);
    wanted_ask(dir, "acme", now + 1);
    wanted_ask(dir, "acme", now + 59);
    cr_expect_eq(asked_at("acme"), now);
    wanted_ask(dir, "acme", now + 60);
    cr_expect_eq(asked_at("acme"), now + 60);
}

Test(wanted, tenants_have_a_minute_each)
{
    wanted_ask(dir, "acme", 1800000000);
    wanted_ask(dir, "brio", 1800000001);
    cr_expect_eq(asked_at("acme"), 1800000000);
    cr_expect_eq(asked_at("brio"), 1800000001);
}

Test(wanted, a_time_to_come_is_none)
{
    wanted_ask(dir, "acme", 1800000000);
    wanted_ask(dir, "acme", 1700000000);
    cr_expect_eq(asked_at("acme"), 1700000000);
}

Test(wanted, what_cannot_be_written_is_no_error_of_the_caller)
{
    wanted_ask("/nonexistent", "acme", 1800000000);
    wanted_ask("/nonexistent", "acme", 1800000000);
}
