// SPDX-License-Identifier: MIT
#include "model/tenant.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <string.h>

Test(tenant, names)
{
    static const char *const good[] = {
        "a",
        "7",
        "a-b",
        "a--b",
        "0-0",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    static const char *const bad[] = {
        "",
        "-",
        "-a",
        "a-",
        "A",
        "a.b",
        "a/b",
        "..",
        "a_b",
        "a b",
        "\xc3\xa9",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_expect(tenant_is_valid(good[i], strlen(good[i])), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_expect_not(tenant_is_valid(bad[i], strlen(bad[i])), "%s", bad[i]);
    cr_expect_not(tenant_is_valid("a\0b", 3));
}
