// SPDX-License-Identifier: MIT
#include "model/uri.h"

#include "base/util.h"

#include <criterion/criterion.h>

struct pair {
    const char *one, *other;
};

static const struct pair same[] = {
    {"https://a.example/", "https://a.example/"},
    {"https://a.example/", "https://a.example"},
    {"https://a.example/in?x=1#y", "https://a.example/out/of?it"},
    {"https://a.example/", "https://a.example/..//b.example/@c.example"},
    {"HTTPS://A.Example/", "https://a.eXample/"},
    {"https://a.example:443/", "https://a.example/"},
    {"https://a.example:/", "https://a.example/"},
    {"https://a.example:/", "https://a.example:443/"},
    {"http://a.example:80/", "http://a.example/"},
    {"http://a.example:8080/", "HTTP://a.example:8080/x"},
    {"https://%61.ex%61mple/", "https://a.example/"},
    {"https://%41.example/", "https://a.example/"},
    {"https://b%c3%bccher.example/", "https://B%C3%BCcher.example/"},
    {"https://u:p@a.example/", "https://%75:%70@a.example/x"},
    {"https://u%3a@a.example/", "https://u%3A@a.example/"},
    {"https://192.0.2.1/", "https://192.0.2.1:443/"},
    {"https://[2001:DB8::1]/", "https://[2001:db8::1]/x"},
    {"https://[::1]/", "https://[0:0:0:0:0:0:0:1]:443/"},
    {"https://[v1.A]/", "https://[v1.a]/x"},
    {"amqp://a.example:/", "amqp://a.example/queue"},
    /* Without a host: the same text, and nothing else. */
    {"mailto:a@a.example", "mailto:a@a.example"},
    {"urn:a:b", "urn:a:b"},
    {"file:///a", "file:///a"},
    {"no URI at all", "no URI at all"},
};

static const struct pair different[] = {
    {"https://a.example/", "https://b.example/"},
    {"https://a.example/", "http://a.example/"},
    {"https://a.example/", "https://a.example:8443/"},
    {"https://a.example/", "https://a.example:80/"},
    {"http://a.example:80/", "https://a.example:80/"},
    {"http://a.example/", "http://a.example:443/"},
    {"https://a.example:443/", "https://a.example:0443/"},
    {"https://a.example/", "https://a.example./"},
    {"https://a.example/", "https://a.example.b.example/"},
    {"https://a.example/", "https://a.example%2eb.example/"},
    {"https://a.example/", "https://a.example%00.b.example/"},
    {"https://a.example/", "https://a.example%2f.b.example/"},
    {"https://a.example/", "https://a.example%40b.example/"},
    {"https://a.example/", "https://xa.example/"},
    {"https://a.example/", "https:///a.example/"},
    {"https://a.example/", "https:/a.example/"},
    {"https://a.example/", "https:a.example"},
    {"https://a.example/", "https://a.example@b.example/"},
    {"https://a.example/", "https://a.example:443@b.example/"},
    {"https://a.example/", "https://b.example/@a.example/"},
    {"https://a.example/", "https://b.example?@a.example/"},
    {"https://a.example/", "https://b.example#@a.example/"},
    {"https://a.example/", "https://b.example\\@a.example/"},
    {"https://a.example/", "https://a.example\\@b.example/"},
    {"https://a.example/", "https://u@a.example/"},
    {"https://a.example/", "https://@a.example/"},
    {"https://u@a.example/", "https://U@a.example/"},
    {"https://u@a.example/", "https://u:@a.example/"},
    {"https://u:p@a.example/", "https://u%3Ap@a.example/"},
    {"https://u:p@a.example/", "https://u:q@a.example/"},
    {"https://b%C3%BCcher.example/", "https://b\xc3\xbc"
                                     "cher.example/"},
    {"https://b%C3%BCcher.example/", "https://xn--bcher-kva.example/"},
    {"https://127.0.0.1/", "https://127.1/"},
    {"https://127.0.0.1/", "https://2130706433/"},
    {"https://127.0.0.1/", "https://127.0.0.01/"},
    {"https://127.0.0.1/", "https://[::ffff:127.0.0.1]/"},
    {"https://[::1]/", "https://[::2]/"},
    {"https://[::1]/", "https://[::1]:8443/"},
    {"https://[v1.a]/", "https://v1.a/"},
    {"https://[v1.a]/", "https://[v1.b]/"},
    {"amqp://a.example:5672/", "amqp://a.example/"},
    {"mailto:a@a.example", "mailto:b@a.example"},
    {"mailto:a@a.example", "MAILTO:a@a.example"},
    {"mailto:a@a.example", "mailto:a@a.example?cc=b@b.example"},
    {"urn:a:b", "urn:a:c"},
    {"file:///a", "file:///b"},
    {"https:///a", "https:///b"},
    {"https://a.example/", ""},
    {"https://a.example/", "https://a.example/ "},
    {"https://a.example/", "https://[::1/"},
};

static void
assert_same(const char *one, const char *other, bool expected)
{
    bool is_same = !expected;

    cr_expect_eq(uri_is_same_server(one, other, &is_same), ERR_OK);
    cr_expect_eq(is_same, expected, "%s and %s", one, other);
}

Test(uri, the_same_server_in_other_words)
{
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        assert_same(same[i].one, same[i].other, true);
        assert_same(same[i].other, same[i].one, true);
    }
}

Test(uri, another_server_or_what_may_be_one)
{
    for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
        assert_same(different[i].one, different[i].other, false);
        assert_same(different[i].other, different[i].one, false);
        assert_same(different[i].one, different[i].one, true);
        assert_same(different[i].other, different[i].other, true);
    }
}

Test(uri, what_is_not_unreserved_is_escaped)
{
    char escaped[URI_ESCAPED_SIZE(32)];

    uri_escape("aZ09-._~", escaped);
    cr_expect_str_eq(escaped, "aZ09-._~");
    uri_escape("a b&c=d+e%/?#\n\xc3\xa4", escaped);
    cr_expect_str_eq(escaped, "a%20b%26c%3Dd%2Be%25%2F%3F%23%0A%C3%A4");
}

Test(uri, lists_of_schemes)
{
    static const char *const good[] = {"https", "https,http", "HTTPS,urn",
                                       "a+b-c.1,x"};
    static const char *const bad[] = {
        "",         ",",           "https,",   ",https", "https,,http",
        "https:",   "https, http", "https://", "1a",     "https\n",
        "h\303\251"};

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_expect(uri_schemes_are_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_expect_not(uri_schemes_are_valid(bad[i]), "%s", bad[i]);
}

Test(uri, the_scheme_is_one_of_a_list)
{
    static const char list[] = "https,http,a+b";
    static const char *const listed[] = {"https://a/", "http:a", "HTTP://a",
                                         "A+B:", "a+b://x"};
    static const char *const others[] = {
        "",         ":",       "https",        "httpsx:a", "htt:a", "a:b",
        "/https:a", " http:a", "https,http:a", "b:a",      "//a"};

    for (size_t i = 0; i < ARRAY_SIZE(listed); i++)
        cr_expect(uri_has_scheme(listed[i], list), "%s", listed[i]);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        cr_expect_not(uri_has_scheme(others[i], list), "%s", others[i]);
}
