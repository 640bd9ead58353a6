// SPDX-License-Identifier: MIT
#include "auth/jwks_scan.h"

#include "lib/auth_world.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(jwks_scan, .init = world_set_up, .fini = world_tear_down);

/* Adds the name to a text, and goes on. */
static bool
collect(void *ctx, const char *tenant)
{
    char *names = ctx;
    size_t len = strlen(names);

    snprintf(names + len, 4096 - len, "%s ", tenant);
    return false;
}

static bool
is_brio(void *ctx, const char *tenant)
{
    ++*(int *)ctx;
    return strcmp(tenant, "brio") == 0;
}

static bool
scan(const char *path, jwks_scan_fn *fn, void *ctx)
{
    struct tenant_template template;

    cr_assert_eq(tenant_template_parse(path, &template), TENANT_SLOT_ONE);
    return jwks_scan(&template, fn, ctx);
}

/* Makes files (or, with a slash at the end, directories) in a fresh one, and
 * looks there with the template. */
static void
assert_found(const char *template, const char *const *names,
             const char *expected)
{
    char *dir = scratch_make();
    auto_char *path = scratch_path(dir, template);
    char found[4096] = "";

    for (; *names != NULL; names++) {
        auto_char *name = scratch_path(dir, *names);
        size_t len = strlen(name);

        if (name[len - 1] == '/')
            cr_assert_eq(mkdir(name, 0700), 0);
        else
            tokens_write(dir, *names, "{}");
    }
    cr_expect_not(scan(path, collect, found));
    cr_expect_str_eq(found, expected, "%s: %s", template, found);
    scratch_remove(dir);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

Test(jwks_scan, only_names_of_the_template_and_of_tenants)
{
    assert_found("{tenant}.json",
                 NAMES("acme.json", "ACME.json", "-x.json", ".json", "x.jso",
                       "y.json~", "a_b.json", "README"),
                 "acme ");
    assert_found("{tenant}", NAMES("a1-2", "a.b"), "a1-2 ");
    assert_found("k-{tenant}-v1.json",
                 NAMES("k-x-v1.json", "k--v1.json", "k-v1.json", "x-v1.json"),
                 "x ");
    assert_found("{tenant}/jwks.json", NAMES("acme/", "B/"), "acme ");
    assert_found("r-{tenant}.d/keys/set", NAMES("r-acme.d/", "acme/"), "acme ");
    assert_found("gone/{tenant}.json", NAMES("acme.json"), "");
}

Test(jwks_scan, a_name_that_is_too_long_is_no_tenant)
{
    char name[80];

    memset(name, 'a', sizeof(name));
    snprintf(name + 64, sizeof(name) - 64, ".json");
    assert_found("{tenant}.json", NAMES(name), "");
}

Test(jwks_scan, it_ends_with_the_one_that_is_looked_for)
{
    auto_char *template = scratch_path(world.dir, "{tenant}.json");
    int calls = 0;

    tokens_write(world.dir, "brio.json", "{}");
    cr_expect(scan(template, is_brio, &calls));
    cr_expect_leq(calls, 3);
    tokens_remove(world.dir, "brio.json");
    calls = 0;
    cr_expect_not(scan(template, is_brio, &calls));
    cr_expect_eq(calls, 2);
}

Test(jwks_scan, a_directory_that_is_relative)
{
    int calls = 0;

    cr_assert_eq(chdir(world.dir), 0);
    tokens_write(world.dir, "brio.json", "{}");
    cr_expect(scan("{tenant}.json", is_brio, &calls));
    cr_expect(scan("./{tenant}.json", is_brio, &calls));
}

/* auth_is_ready */

Test(jwks_scan, ready_with_a_key_and_not_without)
{
    auto_char *key = tokens_jwk(world.ec, "ec", NULL, "");

    cr_expect(auth_is_ready(world.auth));
    tokens_remove(world.dir, "acme.json");
    cr_expect(auth_is_ready(world.auth)); /* other's */
    tokens_remove(world.dir, "other.json");
    cr_expect_not(auth_is_ready(world.auth));

    tokens_write(world.dir, "brio.json", "{\"keys\":[]}");
    cr_expect_not(auth_is_ready(world.auth));
    tokens_write(world.dir, "carl.json", "{\"keys\":");
    cr_expect_not(auth_is_ready(world.auth));
    tokens_write(world.dir, "UPPER.json", key);
    cr_expect_not(auth_is_ready(world.auth));
    world_write_set("brio.json", key, "");
    cr_expect(auth_is_ready(world.auth));
}

Test(jwks_scan, a_set_that_turned_bad_still_counts_with_its_old_keys)
{
    tokens_remove(world.dir, "other.json");
    cr_expect(auth_is_ready(world.auth));
    tokens_replace(world.dir, "acme.json", "no JSON");
    cr_expect(auth_is_ready(world.auth));
    world_restart((struct auth_options){0});
    cr_expect_not(auth_is_ready(world.auth));
}
