// SPDX-License-Identifier: MIT
/* Requests as the scanner keeps them for libfcgi, and those that it refuses. */
#include "server/fcgi_scan.h"

#include "base/util.h"
#include "http/http.h"
#include "lib/records.h"
#include "lib/scanned.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(fcgi_scan, .fini = scanned_tear_down, .timeout = 60);

Test(fcgi_scan, a_request_is_kept_as_few_records_without_padding)
{
    struct buf pairs = {0};
    size_t at = 0;

    records_add_pair(&pairs, "TENANT", "b");
    records_add_begin(&fed, 258, 1, 1);
    for (size_t i = 0; i < pairs.len; i++)
        records_add(&fed, PARAMS, 258, pairs.data + i, 1, (int)i);
    records_add(&fed, PARAMS, 258, NULL, 0, 200);
    records_add(&fed, STDIN, 258, "12", 2, 9);
    records_add(&fed, STDIN, 258, "3", 1, 255);
    records_add(&fed, STDIN, 258, NULL, 0, 7);
    cr_assert_eq(feed(), FCGI_COMPLETE);
    cr_expect_arr_eq(assert_kept(&at, BEGIN, 8), ((char[8]){0, 1, 1}), 8);
    cr_expect_arr_eq(assert_kept(&at, PARAMS, pairs.len), pairs.data,
                     pairs.len);
    assert_kept(&at, PARAMS, 0);
    cr_expect_arr_eq(assert_kept(&at, STDIN, 3), "123", 3);
    assert_kept(&at, STDIN, 0);
    cr_assert_eq(at, scan.request.len);
    buf_clear(&pairs);
}

Test(fcgi_scan, a_request_of_nothing_is_one)
{
    size_t at = 0;

    records_add_begin(&fed, 1, 1, 0);
    records_add(&fed, PARAMS, 1, NULL, 0, 0);
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_COMPLETE);
    assert_kept(&at, BEGIN, 8);
    assert_kept(&at, PARAMS, 0);
    assert_kept(&at, STDIN, 0);
    cr_assert_eq(at, scan.request.len);
    cr_assert(!scan.keeps_connection);
}

Test(fcgi_scan, parameters_that_nobody_reads_are_left_out)
{
    static const char *const lists[][6] = {
        {""}, {"1"}, {"", ""}, {"1", "", "2"}, {"", "1", "", "", "2", ""}};

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        struct buf given = {0}, left = {0};
        size_t at = 0;

        for (size_t k = 0; k < 6 && lists[i][k] != NULL; k++) {
            records_add_pair(&given, "TENANT", lists[i][k]);
            records_add_pair(&given, "HTTP_COOKIE", lists[i][k]);
            if (*lists[i][k] != '\0')
                records_add_pair(&left, "TENANT", lists[i][k]);
        }
        records_add_begin(&fed, 1, 1, 1);
        records_add(&fed, PARAMS, 1, given.data, given.len, 0);
        records_add(&fed, PARAMS, 1, NULL, 0, 0);
        records_add(&fed, STDIN, 1, NULL, 0, 0);
        cr_assert_eq(feed(), FCGI_COMPLETE);
        assert_kept(&at, BEGIN, 8);
        if (left.len > 0)
            cr_expect_arr_eq(assert_kept(&at, PARAMS, left.len), left.data,
                             left.len);
        assert_kept(&at, PARAMS, 0);
        assert_kept(&at, STDIN, 0);
        cr_assert_eq(at, scan.request.len);
        fcgi_scan_next(&scan);
        buf_clear(&given);
        buf_clear(&left);
    }
}

Test(fcgi_scan, parameters_fill_one_record_and_no_more)
{
    static char value[FCGI_PARAMS_MAX];
    struct buf pairs = {0};
    size_t at = 0, after = 0;

    memset(value, 'v', FCGI_PARAMS_MAX - 11 - 8);
    records_add_pair(&pairs, "TENANT", value);
    records_add_pair(&pairs, "BBB", "");
    cr_assert_eq(pairs.len, FCGI_PARAMS_MAX);

    records_add_begin(&fed, 1, 1, 1);
    records_add(&fed, PARAMS, 1, pairs.data, 30000, 0);
    records_add(&fed, PARAMS, 1, pairs.data + 30000, pairs.len - 30000, 0);
    cr_assert_eq(feed(), FCGI_MORE);
    records_add(&fed, PARAMS, 1, NULL, 0, 0);
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_COMPLETE);
    assert_kept(&at, BEGIN, 8);
    assert_kept(&at, PARAMS, FCGI_PARAMS_MAX - 8);
    fcgi_scan_next(&scan);

    records_add_begin(&fed, 1, 1, 1);
    records_add(&fed, PARAMS, 1, pairs.data, pairs.len, 0);
    cr_assert_eq(feed(), FCGI_MORE);
    records_add(&fed, PARAMS, 1, "x", 1, 0);
    cr_assert_eq(feed(), FCGI_MORE);
    cr_assert(scan.is_oversized);
    records_add(&fed, PARAMS, 1, pairs.data, pairs.len, 0);
    records_add(&fed, PARAMS, 1, NULL, 0, 0);
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_COMPLETE);
    assert_kept(&after, BEGIN, 8);
    assert_kept(&after, PARAMS, 0);
    fcgi_scan_next(&scan);
    cr_assert(!scan.is_oversized);
    buf_clear(&pairs);
}

Test(fcgi_scan, a_body_over_the_limit_is_cut_one_byte_behind_it)
{
    static char body[60000];
    size_t at = 0;

    add_request(1, "/");
    for (int i = 0; i < 3; i++)
        records_add(&fed, STDIN, 1, body, sizeof(body), 0);
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_COMPLETE);
    cr_assert_eq(scan.body_len, HTTP_BODY_MAX + 1);
    assert_kept(&at, BEGIN, 8);
    records_next_type(&scan.request, &at);
    assert_kept(&at, PARAMS, 0);
    assert_kept(&at, STDIN, 65535);
    assert_kept(&at, STDIN, HTTP_BODY_MAX + 1 - 65535);
    assert_kept(&at, STDIN, 0);
    cr_assert_eq(at, scan.request.len);
}

/* libfcgi drops the content that follows an empty record of another id. */
Test(fcgi_scan, records_of_other_requests_are_not_kept)
{
    static const int types[] = {PARAMS, STDIN, DATA, ABORT};
    size_t at = 0;

    add_request(1, "/a");
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        records_add(&fed, types[i], 77, NULL, 0, 0);
        records_add(&fed, STDIN, 1, "x", 1, 0);
        records_add(&fed, types[i], 77, "y", 1, 8);
        records_add(&fed, types[i], 0, "z", 1, 8);
    }
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_COMPLETE);
    assert_kept(&at, BEGIN, 8);
    records_next_type(&scan.request, &at);
    assert_kept(&at, PARAMS, 0);
    cr_expect_arr_eq(assert_kept(&at, STDIN, 4), "xxxx", 4);
    cr_assert_eq(scan.replies.len, 0);
}

Test(fcgi_scan, an_abort_ends_the_request)
{
    struct buf out = {0};
    size_t at = 0;

    records_add_begin(&fed, 5, 1, 1);
    records_add(&fed, ABORT, 5, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_ABORTED);
    cr_assert(fcgi_scan_add_end(&scan, &out));
    cr_assert_eq(records_next_type(&out, &at), END);
    fcgi_scan_next(&scan);
    cr_assert(fcgi_scan_is_idle(&scan));
    buf_clear(&out);
}

static void
assert_broken(void)
{
    cr_assert_eq(feed(), FCGI_BROKEN);
    fcgi_scan_clear(&scan);
    scan = (struct fcgi_scan){0};
}

Test(fcgi_scan, what_is_not_fastcgi_is_broken)
{
    cr_assert(buf_add(&fed, "GET / HTTP/1.1\r\n\r\n", 18));
    assert_broken();

    records_add_begin(&fed, 1, 1, 1);
    records_add(&fed, STDIN, 1, NULL, 0, 0); /* before the parameters end */
    assert_broken();

    add_request(1, "/");
    records_add(&fed, PARAMS, 1, "\1\1ab", 4, 0); /* after that */
    assert_broken();

    records_add(&fed, BEGIN, 0, "12345678", 8, 0);
    assert_broken();
    records_add(&fed, BEGIN, 1, "1234567", 7, 0);
    assert_broken();

    records_add(&fed, GET_VALUES, 1, NULL, 0, 0);
    assert_broken();
    records_add(&fed, GET_VALUES, 0, "\x05", 1, 0);
    assert_broken();
}

static void
assert_bad_params(const char *content, size_t len)
{
    records_add_begin(&fed, 1, 1, 1);
    records_add(&fed, PARAMS, 1, content, len, 0);
    records_add(&fed, PARAMS, 1, NULL, 0, 0);
    assert_broken();
}

#define BAD_PARAMS(content) assert_bad_params(content, sizeof(content) - 1)

Test(fcgi_scan, malformed_parameters_make_no_request)
{
    BAD_PARAMS("\x05");
    BAD_PARAMS("\x05\x05"
               "abc");
    BAD_PARAMS("\x01\x7f"
               "ab");
    BAD_PARAMS("\x80\x00\x00");
    BAD_PARAMS("\x01\x01"
               "ab\x01");
}

/* libfcgi adds up two lengths as ints, and asserts on what it allocates. */
Test(fcgi_scan, lengths_whose_sum_overflows_make_no_request)
{
    BAD_PARAMS("\xff\xff\xff\xff\xff\xff\xff\xff"
               "ab");
    BAD_PARAMS("\xff\xff\xff\xfe\xff\xff\xff\xfe"
               "ab");
    BAD_PARAMS("\xc0\x00\x00\x00\xc0\x00\x00\x00"
               "ab");
    BAD_PARAMS("\x01\xff\xff\xff\xfe"
               "ab");
}

/* libfcgi keeps NAME=VALUE, which would be cut elsewhere. */
Test(fcgi_scan, names_and_values_that_a_c_string_cannot_hold_make_no_request)
{
    BAD_PARAMS("\x01\x02"
               "Ab\0");
    BAD_PARAMS("\x02\x01"
               "A\0b");
    BAD_PARAMS("\x03\x01"
               "A=bc");
    BAD_PARAMS("\x01\x01"
               "=c");
    BAD_PARAMS("\x02\x00"
               "A=");
}

Test(fcgi_scan, an_empty_record_of_the_last_request_says_goodbye)
{
    struct buf out = {0};

    scan.id = 0x102;
    fcgi_scan_next(&scan);
    cr_assert(fcgi_scan_add_bye(&scan, &out));
    cr_assert_eq(out.len, 8);
    cr_expect_arr_eq(out.data, ((char[8]){1, STDERR, 1, 2}), 8);
    buf_clear(&out);
}
