// SPDX-License-Identifier: MIT
#include "base/util.h"
#include "http/http.h"

#include <criterion/criterion.h>

#define KEY "/config/sales_order/external_oms"

struct target_case {
    const char *target;
    const char *prefix;
    const char *path;
};

Test(http_target, equivalent_targets_are_the_path)
{
    static const struct target_case cases[] = {
        {"/v0" KEY, "/v0", KEY},
        {"/metrics", "", "/metrics"},
        {"/v0", "/v0", ""},
        {"/v0/", "/v0", "/"},
        {"/", "", "/"},
        {"/~me/v0" KEY, "/~me/v0", KEY},
        {"/%7eme/v0" KEY, "/~me/v0", KEY},

        /* A query is not of the path, whatever is in it. */
        {"/v0" KEY "?", "/v0", KEY},
        {"/v0" KEY "?a=b", "/v0", KEY},
        {"/v0/%6detrics?/../x", "/v0", "/metrics"},
        {"/v0/x/..?/y", "/v0", "/"},

        /* Absolute-form. */
        {"http://a.example/v0" KEY, "/v0", KEY},
        {"HTTPS://a.example:443/v0" KEY "?a", "/v0", KEY},
        {"http://[::1]:80/v0/./metrics", "/v0", "/metrics"},
        {"http:///metrics", "", "/metrics"},
        {"http://a.example", "", ""},
        {"http://a.example?/metrics", "", ""},

        /* Escapes of unreserved characters, in either case. */
        {"/v0/%6D%65trics", "/v0", "/metrics"},
        {"/v0/%6d%65trics", "/v0", "/metrics"},
        {"/%76%30/metrics", "/v0", "/metrics"},
        {"/v0/openapi%2Ejson", "/v0", "/openapi.json"},
        {"/v0/a%2db%5Fc%7ed", "/v0", "/a-b_c~d"},

        /* Dot segments. */
        {"/v0/./metrics", "/v0", "/metrics"},
        {"/./v0/metrics", "/v0", "/metrics"},
        {"/../../v0/metrics", "/v0", "/metrics"},
        {"/x/y/../../v0/metrics", "/v0", "/metrics"},
        {"/v0/x/../metrics", "/v0", "/metrics"},
        {"/v0/metrics/../metrics", "/v0", "/metrics"},
        {"/v0/metrics/x/y/../../../metrics", "/v0", "/metrics"},
        {"/v0/../v0/metrics", "/v0", "/metrics"},
        {"/v0x/../v0/metrics", "/v0", "/metrics"},
        {"/v0/%2e/metrics", "/v0", "/metrics"},
        {"/v0/x/%2e%2E/metrics", "/v0", "/metrics"},
        {"/v0/x/.%2e/metrics", "/v0", "/metrics"},
        {"/v0/x/..", "/v0", "/"},
        {"/v0/.", "/v0", "/"},
        {"/v0/..", "", "/"},
        {"/v0//../metrics", "/v0", "/metrics"},

        /* A path that front ends would not make; equal, and no route's. */
        {"/v0//metrics", "/v0", "//metrics"},
        {"/v0/metrics/", "/v0", "/metrics/"},
        {"/v0/.../metrics", "/v0", "/.../metrics"},
        {"/v0/.x/metrics", "/v0", "/.x/metrics"},
        {"/v0/metrics;x", "/v0", "/metrics;x"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cr_expect(
            http_target_is(cases[i].target, cases[i].prefix, cases[i].path),
            "%s: %s%s", cases[i].target, cases[i].prefix, cases[i].path);
}

/* Whatever a front end makes of them. */
Test(http_target, another_target_is_not_the_path)
{
    static const struct target_case cases[] = {
        /* Cut off, or taken for nothing. */
        {"/v0/metrics%0a", "/v0", "/metrics"},
        {"/v0/metrics%0A?x", "/v0", "/metrics"},
        {"/v0/metrics%0d", "/v0", "/metrics"},
        {"/v0/metrics%00", "/v0", "/metrics"},
        {"/v0/metrics%00x", "/v0", "/metrics"},
        {"/v0/metrics;x", "/v0", "/metrics"},
        {"/v0/metrics%3bx", "/v0", "/metrics"},
        {"/v0/metrics%20", "/v0", "/metrics"},
        {"/v0/metrics%09", "/v0", "/metrics"},
        {"/v0/metrics%25", "/v0", "/metrics"},
        {"/v0/metrics%", "/v0", "/metrics"},
        {"/v0/metrics%6", "/v0", "/metrics"},
        {"/v0/metrics#x", "/v0", "/metrics"},
        {"/v0/metrics%3fx", "/v0", "/metrics"},
        {"/v0/metrics%23x", "/v0", "/metrics"},
        {"/v0/metrics/", "/v0", "/metrics"},
        {"/v0/metrics/.", "/v0", "/metrics"},
        {"/v0/metrics/x/..", "/v0", "/metrics"},
        {"/v0/metrics", "/v0", "/metrics/"},
        {"/v0/metrics", "/v0", "/metric"},
        {"/v0/metric", "/v0", "/metrics"},

        /* Decoded. */
        {"/v0/metrics%0a", "/v0", "/metrics\n"},
        {"/v0/metrics%20", "/v0", "/metrics "},
        {"/v0%2fmetrics", "/v0", "/metrics"},
        {"/v0/%2fmetrics", "/v0", "//metrics"},
        {"/v0/x%2f../metrics", "/v0", "/metrics"},
        {"/v0/x/..%2fmetrics", "/v0", "/metrics"},
        {"/v0/x\\..\\metrics", "/v0", "/metrics"},
        {"/v0/x%5c..%5cmetrics", "/v0", "/metrics"},
        {"/v0/%256detrics", "/v0", "/metrics"},
        {"/v0/%256detrics", "/v0", "/%6detrics"},
        {"/v0/%256detrics", "/v0", "/%metrics"},
        {"/v0/%%36detrics", "/v0", "/metrics"},
        {"/v0/%+6detrics", "/v0", "/metrics"},
        {"/v0/metric\xc5\xbf", "/v0", "/metrics"},
        {"/v0/METRICS", "/v0", "/metrics"},
        {"/V0/metrics", "/v0", "/metrics"},

        /* Merged. */
        {"/v0//metrics", "/v0", "/metrics"},
        {"//v0/metrics", "/v0", "/metrics"},
        {"//metrics", "", "/metrics"},
        {"/metrics//", "", "/metrics/"},
        {"/v0/x//../metrics", "/v0", "/metrics"},
        {"/v0/.//metrics", "/v0", "/metrics"},
        {"/v0/...//metrics", "/v0", "/metrics"},

        /* Taken back too far, or not far enough. */
        {"/v0/../metrics", "/v0", "/metrics"},
        {"/v0/x/y/../metrics", "/v0", "/metrics"},
        {"/v0/metrics/../x", "/v0", "/metrics"},
        {"/v0/metrics/..", "/v0", "/metrics"},
        {"/x/v0/../metrics", "/v0", "/metrics"},

        /* Another prefix. */
        {"/v0/metrics", "", "/metrics"},
        {"/metrics", "/v0", "/metrics"},
        {"/v1/metrics", "/v0", "/metrics"},
        {"/v0/v0/metrics", "/v0", "/metrics"},
        {"/v0x/metrics", "/v0", "/metrics"},
        {"/v0/metrics", "/v0/metrics", "/metrics"},
        {"/v0/metrics", "v0", "/metrics"},

        /* No path, or not of this form. */
        {"*", "", "/metrics"},
        {"*", "", ""},
        {"metrics", "", "/metrics"},
        {"a.example:443", "", "/metrics"},
        {"http://a.example", "", "/"},
        {"http:/metrics", "", "/metrics"},
        {"http:metrics", "", "/metrics"},
        {"//a.example/metrics", "", "/metrics"},
        {"/x://a.example/metrics", "", "/metrics"},
        {"?://a.example/metrics", "", "/metrics"},
        {"http://a.example//metrics", "", "/metrics"},
        {"http://a.example/v0/metrics%0a", "/v0", "/metrics"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cr_expect_not(
            http_target_is(cases[i].target, cases[i].prefix, cases[i].path),
            "%s: %s%s", cases[i].target, cases[i].prefix, cases[i].path);
}
