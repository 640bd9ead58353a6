// SPDX-License-Identifier: MIT
#include "base/args.h"

#include "base/util.h"

#include <criterion/criterion.h>

struct values {
    const char *text;
    int64_t count, size;
    bool flag;
};

static const struct args_row text = {
    .name = "text", .kind = ARGS_TEXT, .offset = offsetof(struct values, text)};
static const struct args_row count = {.name = "count",
                                      .kind = ARGS_COUNT,
                                      .offset = offsetof(struct values, count),
                                      .min = 1,
                                      .max = 100000};
static const struct args_row size = {.name = "size",
                                     .kind = ARGS_SIZE,
                                     .offset = offsetof(struct values, size),
                                     .min = 1 << 20,
                                     .max = INT64_C(64) << 40};
static const struct args_row flag = {
    .name = "flag", .kind = ARGS_FLAG, .offset = offsetof(struct values, flag)};

Test(args, a_value_goes_where_its_row_says)
{
    struct values values = {0};
    char why[ARGS_WHY_SIZE];

    cr_assert(args_set(&values, &text, "a b", why));
    cr_assert(args_set(&values, &count, "100000", why));
    cr_assert(args_set(&values, &size, "64T", why));
    cr_assert(args_set(&values, &flag, "yes", why));
    cr_expect_str_eq(values.text, "a b");
    cr_expect_eq(values.count, 100000);
    cr_expect_eq(values.size, INT64_C(64) << 40);
    cr_expect(values.flag);
    cr_assert(args_set(&values, &size, "1048576", why));
    cr_expect_eq(values.size, 1048576);
    cr_assert(args_set(&values, &flag, "no", why));
    cr_expect_not(values.flag);
}

Test(args, another_value_changes_nothing)
{
    static const struct {
        const struct args_row *row;
        const char *text;
        const char *why;
    } cases[] = {
        {&text, "", "must not be empty"},
        {&count, "0", "must be a number from 1 to 100000, not \"0\""},
        {&count, "1K", "must be a number from 1 to 100000, not \"1K\""},
        {&count, "-1", "must be a number from 1 to 100000, not \"-1\""},
        {&count, " 1", "must be a number from 1 to 100000, not \" 1\""},
        {&count, "99999999999999999999", NULL},
        {&size, "1023K", NULL},
        {&size, "65T", NULL},
        {&size, "2MB", NULL},
        {&size, "9223372036854775807T", NULL},
        {&flag, "true", "must be yes or no, not \"true\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct values values = {.text = "t", .count = 2, .size = 3};
        char why[ARGS_WHY_SIZE] = "";

        cr_expect_not(args_set(&values, cases[i].row, cases[i].text, why), "%s",
                      cases[i].text);
        cr_expect_str_not_empty(why);
        if (cases[i].why != NULL)
            cr_expect_str_eq(why, cases[i].why);
        cr_expect_str_eq(values.text, "t");
        cr_expect_eq(values.count, 2);
        cr_expect_eq(values.size, 3);
    }
}
