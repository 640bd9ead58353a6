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
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char copy[TENANT_MAX + 1] = "before";

        cr_expect_not(tenant_read(bad[i], strlen(bad[i]), copy));
        cr_expect_str_eq(copy, "before");
    }
}

Test(tenant, slots_are_counted)
{
    struct tenant_template template = {.prefix = NULL};

    cr_expect_eq(tenant_template_parse("", &template), TENANT_SLOT_NONE);
    cr_expect_eq(tenant_template_parse("{tenan}", &template), TENANT_SLOT_NONE);
    cr_expect_eq(tenant_template_parse("{{tenant}}", &template),
                 TENANT_SLOT_ONE);
    template.prefix = NULL;
    cr_expect_eq(tenant_template_parse("{tenant}{tenant}", &template),
                 TENANT_SLOT_MORE);
    cr_expect_eq(tenant_template_parse("{tenant}/{tenant}/{tenant}", &template),
                 TENANT_SLOT_MORE);
    cr_expect_null(template.prefix);
}

/* What it makes of a tenant, it finds again. */
Test(tenant, templates_are_expanded_and_matched)
{
    static const struct {
        const char *text, *expanded;
    } cases[] = {
        {"{tenant}", "acme"},
        {"k/{tenant}", "k/acme"},
        {"{tenant}.json", "acme.json"},
        {"https://id.example/{tenant}/x{}", "https://id.example/acme/x{}"},
        {"no slot", "no slot"},
        {"", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct tenant_template template;
        char tenant[TENANT_MAX + 1] = "";
        bool has_slot =
            tenant_template_parse(cases[i].text, &template) == TENANT_SLOT_ONE;
        auto_char *text = tenant_template_expand(&template, "acme");

        cr_expect_str_eq(text, cases[i].expanded);
        cr_expect_lt(strlen(text), tenant_template_size(&template));
        cr_expect_eq(tenant_template_match(&template, text, tenant), has_slot);
        cr_expect_str_eq(tenant, has_slot ? "acme" : "");
    }
}

Test(tenant, the_longest_name_has_room)
{
    char name[TENANT_MAX + 1] = "", found[TENANT_MAX + 1];
    struct tenant_template template;

    memset(name, 'a', TENANT_MAX);
    cr_assert_eq(tenant_template_parse("k/{tenant}.json", &template),
                 TENANT_SLOT_ONE);
    auto_char *text = tenant_template_expand(&template, name);
    cr_expect_eq(strlen(text) + 1, tenant_template_size(&template));
    cr_expect(tenant_template_match(&template, text, found));
    cr_expect_str_eq(found, name);
}

Test(tenant, only_a_valid_tenant_matches)
{
    static const char *const others[] = {
        "",          "a-",      "a--b",  "a-B-b",  "a-acme",
        "acme-b",    "a-b",     "b-b-b", "a-b-c",  "a-acme-b\n",
        "xa-acme-b", "a-a/b-b", "a---b", "a-x--b", "a--x-b",
    };
    struct tenant_template template;
    char tenant[TENANT_MAX + 1] = "";

    cr_assert_eq(tenant_template_parse("a-{tenant}-b", &template),
                 TENANT_SLOT_ONE);
    cr_expect(tenant_template_match(&template, "a-acme-b", tenant));
    cr_expect_str_eq(tenant, "acme");
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        cr_expect_not(tenant_template_match(&template, others[i], tenant), "%s",
                      others[i]);
        cr_expect_str_eq(tenant, "acme");
    }
}
