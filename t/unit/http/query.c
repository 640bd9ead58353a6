// SPDX-License-Identifier: MIT
#include "base/util.h"
#include "http/http.h"

#include "lib/no_memory.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LEFT = 77 }; /* what stands there before */

#define RANGE "limit: must be an integer from 1 to 100"
#define TWICE "limit: must be there only once"

Test(http_query, numbers)
{
    static const struct {
        const char *query;
        uint64_t number;
        const char *message; /* NULL: none */
    } cases[] = {
        {"", LEFT, NULL},
        {"limit=1", 1, NULL},
        {"limit=100", 100, NULL},
        {"limit=007", 7, NULL},
        {"a=b&limit=5&c=d", 5, NULL},
        {"&&limit=5&", 5, NULL},
        {"%6cimit=%35", 5, NULL},
        {"%6Cimit=%35%30", 50, NULL},

        /* Not ours. */
        {"Limit=5", LEFT, NULL},
        {"limit2=5", LEFT, NULL},
        {"xlimit=5", LEFT, NULL},
        {"limi=5", LEFT, NULL},
        {"limit%00=5", LEFT, NULL},
        {"limit%=5", LEFT, NULL},
        {"limit%2=5", LEFT, NULL},
        {"limit+=5", LEFT, NULL},
        {"x=limit=5", LEFT, NULL},
        {"a=%zz&b=%&%f", LEFT, NULL},
        {"=5", LEFT, NULL},
        {"a-name-that-is-longer-than-every-one-of-ours=5", LEFT, NULL},
        {"limit-and-then-some-more-to-be-longer-than-any=5", LEFT, NULL},

        {"limit", LEFT, RANGE},
        {"limit=", LEFT, RANGE},
        {"limit=0", LEFT, RANGE},
        {"limit=101", LEFT, RANGE},
        {"limit=-1", LEFT, RANGE},
        {"limit=+1", LEFT, RANGE},
        {"limit=1+", LEFT, RANGE},
        {"limit=%201", LEFT, RANGE},
        {"limit=1.0", LEFT, RANGE},
        {"limit=1e1", LEFT, RANGE},
        {"limit=0x1", LEFT, RANGE},
        {"limit=x", LEFT, RANGE},
        {"limit=1=1", LEFT, RANGE},
        {"limit=%3", LEFT, RANGE},
        {"limit=%", LEFT, RANGE},
        {"limit=5%", LEFT, RANGE},
        {"limit=5%g0", LEFT, RANGE},
        {"limit=5%0g", LEFT, RANGE},
        {"limit=5%00", LEFT, RANGE},
        {"limit=18446744073709551617", LEFT, RANGE},
        {"limit=18446744073709551616", LEFT, RANGE},
        {"limit=340282366920938463463374607431768211457", LEFT, RANGE},
        {"limit=\xc3\xa9", LEFT, RANGE},

        {"limit=5&limit=5", LEFT, TWICE},
        {"limit=5&limit=x", LEFT, TWICE},
        {"limit=&limit", LEFT, TWICE},
        {"limit=5&b=1&%6cimit=6&limit=7", LEFT, TWICE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *messages = json_array();
        uint64_t number = LEFT;
        enum err err = http_query_number(cases[i].query, "limit", 1, 100,
                                         messages, &number);

        cr_expect_eq(err, cases[i].message != NULL ? ERR_BADREQ : ERR_OK, "%s",
                     cases[i].query);
        cr_expect_eq(number, cases[i].number, "%s", cases[i].query);
        cr_expect_eq(json_array_size(messages), cases[i].message != NULL);
        if (cases[i].message != NULL)
            cr_expect_str_eq(json_string_value(json_array_get(messages, 0)),
                             cases[i].message, "%s", cases[i].query);
    }
}

Test(http_query, the_largest_numbers)
{
    json_auto_t *messages = json_array();
    uint64_t number = 0;

    cr_expect_eq(http_query_number("n=18446744073709551615", "n", 0, UINT64_MAX,
                                   messages, &number),
                 ERR_OK);
    cr_expect_eq(number, UINT64_MAX);
    cr_expect_eq(http_query_number("n=9223372036854775808", "n", 1, INT64_MAX,
                                   messages, &number),
                 ERR_BADREQ);
    cr_expect_str_eq(json_string_value(json_array_get(messages, 0)),
                     "n: must be an integer from 1 to 9223372036854775807");
}

Test(http_query, flags)
{
    static const char not_so[] = "dry: must be true or false";
    static const char twice[] = "dry: must be there only once";
    static const struct {
        const char *query;
        bool before, flag;
        const char *message;
    } cases[] = {
        {"", false, false, NULL},
        {"", true, true, NULL},
        {"dry=true", false, true, NULL},
        {"dry=false", true, false, NULL},
        {"dry=%74rue", false, true, NULL},
        {"dry", false, false, not_so},
        {"dry=", false, false, not_so},
        {"dry=1", false, false, not_so},
        {"dry=True", false, false, not_so},
        {"dry=TRUE", false, false, not_so},
        {"dry=true+", false, false, not_so},
        {"dry=truetruetruetruetruetrue", false, false, not_so},
        {"dry=yes", true, true, not_so},
        {"dry=true&dry=true", false, false, twice},
        {"dry=false&dry=true", true, true, twice},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *messages = json_array();
        bool flag = cases[i].before;
        enum err err = http_query_flag(cases[i].query, "dry", messages, &flag);

        cr_expect_eq(err, cases[i].message != NULL ? ERR_BADREQ : ERR_OK, "%s",
                     cases[i].query);
        cr_expect_eq(flag, cases[i].flag, "%s", cases[i].query);
        if (cases[i].message != NULL)
            cr_expect_str_eq(json_string_value(json_array_get(messages, 0)),
                             cases[i].message, "%s", cases[i].query);
    }
}

Test(http_query, messages_add_up)
{
    json_auto_t *messages = json_array();
    uint64_t number = 0;
    bool flag = false;

    (void)http_query_number("a=x&b=y", "a", 1, 2, messages, &number);
    (void)http_query_flag("a=x&b=y", "b", messages, &flag);
    cr_expect_eq(json_array_size(messages), 2);
}

Test(http_query, no_memory_for_a_message)
{
    json_auto_t *messages = json_array();
    uint64_t number = LEFT;
    enum err err;

    no_memory_after(0);
    err = http_query_number("a=x", "a", 1, 2, messages, &number);
    cr_assert(no_memory_end());
    cr_expect_eq(err, ERR_NOMEM);
    cr_expect_eq(number, LEFT);
}

Test(http_query, hostile_queries_cost_linear_time, .timeout = 5)
{
    static const char *const pieces[] = {"&", "=", "%", "%4", "a=", "a=&a"};
    enum { LENGTH = 1 << 20 };
    char *query = malloc(LENGTH + 1);

    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        json_auto_t *messages = json_array();
        size_t size = strlen(pieces[i]);
        uint64_t number = LEFT;

        for (size_t at = 0; at < LENGTH; at++)
            query[at] = pieces[i][at % size];
        query[LENGTH] = '\0';
        (void)http_query_number(query, "b", 1, 2, messages, &number);
        cr_expect_eq(number, LEFT);
        cr_expect_eq(json_array_size(messages), 0);
    }
    free(query);
}
