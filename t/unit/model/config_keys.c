// SPDX-License-Identifier: MIT
/* The table of the keys. */
#include "model/config_keys.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <string.h>

Test(config_keys, find_knows_the_names_and_no_others)
{
    static const char *const others[] = {
        "",
        "external",
        "external_oms ",
        "External_Oms",
        "value",
        "on_hold_timer_durations",
    };

    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        cr_expect_eq(config_key_find(config_keys[i].name), &config_keys[i]);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        cr_expect_null(config_key_find(others[i]), "%s", others[i]);
}

Test(config_keys, only_the_webhook_has_no_unset_value_and_a_secret)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        const struct config_key *key = &config_keys[i];
        bool is_webhook = strcmp(key->name, "external_order_webhook") == 0;

        cr_expect_eq(key->unset == NULL, is_webhook, "%s", key->name);
        cr_expect_eq(key->secret != NULL, is_webhook, "%s", key->name);
        cr_expect_eq(key->is_once,
                     strcmp(key->name, "sales_order_generator_sequence") == 0,
                     "%s", key->name);
        cr_expect_eq(key->is_flat, strcmp(key->name, "external_oms") == 0, "%s",
                     key->name);
    }
}

Test(config_keys, a_misspelt_name_is_guessed)
{
    static const struct {
        const char *name, *guess; /* NULL: none */
    } cases[] = {
        {"big_sale_order", "big_sales_order"},
        {"big-sales-order", "big_sales_order"},
        {"bigsalesorder", "big_sales_order"},
        {"Big_Sales_Order", "big_sales_order"},
        {"on_hold_timer", NULL},
        {"on_hold_timer_durations", "on_hold_timer_duration"},
        {"cancelation_allowed_form", "cancellation_allowed_from"},
        {"external_omss", "external_oms"},
        {"external_webhook_order", NULL},
        {"", NULL},
        {"x", NULL},
        {"oms", NULL},
        {"metrics", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct config_key *guess = config_key_guess(cases[i].name);

        if (cases[i].guess == NULL)
            cr_expect_null(guess, "%s", cases[i].name);
        else
            cr_expect(guess != NULL && !strcmp(guess->name, cases[i].guess),
                      "%s", cases[i].name);
    }
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        cr_expect_eq(config_key_guess(config_keys[i].name), &config_keys[i]);
}

/* What stands beside the keys in a path. */
Test(config_keys, no_key_has_the_name_of_something_else)
{
    cr_expect_null(config_key_find("history"));
    cr_expect_null(config_key_find("events"));
}
