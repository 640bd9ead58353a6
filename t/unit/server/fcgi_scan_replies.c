// SPDX-License-Identifier: MIT
/* What the scanner answers itself: management records, and roles that are not
 * ours. */
#include "server/fcgi_scan.h"

#include "base/util.h"
#include "http/http.h"
#include "lib/records.h"
#include "lib/scanned.h"
#include "server/fcgi_record.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(fcgi_scan_replies, .fini = scanned_tear_down, .timeout = 60);

Test(fcgi_scan_replies, multiplexing_and_unknown_roles_are_refused_by_protocol)
{
    size_t at = 0;

    records_add_begin(&fed, 1, 2, 1); /* authorizer */
    records_add(&fed, PARAMS, 1, "junk", 4, 0);
    records_add_begin(&fed, 2, 1, 1);
    records_add_begin(&fed, 3, 1, 1);
    records_add(&fed, STDIN, 3, "junk", 4, 0);
    cr_assert_eq(feed(), FCGI_MORE);
    cr_assert_eq(assert_reply(&at, END)[4], 3, "FCGI_UNKNOWN_ROLE");
    cr_assert_eq(assert_reply(&at, END)[4], 1, "FCGI_CANT_MPX_CONN");
    cr_assert_eq(at, scan.replies.len);
    cr_assert_eq(scan.id, 2);
}

/* A filter's data, which may be long, is dropped like its other streams. */
Test(fcgi_scan_replies,
     a_role_that_is_not_ours_leaves_a_kept_connection_as_it_was)
{
    static char data[5000];
    size_t at = 0;

    records_add_begin(&fed, 1, 3, 1); /* filter */
    records_add(&fed, PARAMS, 1, "junk", 4, 0);
    records_add(&fed, PARAMS, 1, NULL, 0, 0);
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    for (int i = 0; i < 20; i++)
        records_add(&fed, DATA, 1, data, sizeof(data), 8);
    records_add(&fed, DATA, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_MORE);
    cr_assert_eq(assert_reply(&at, END)[4], 3, "FCGI_UNKNOWN_ROLE");
    cr_assert_eq(at, scan.replies.len);
    cr_assert(!scan.is_over);
    cr_assert(fcgi_scan_is_idle(&scan));

    add_request(1, "/a");
    records_add(&fed, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_COMPLETE);
}

Test(fcgi_scan_replies,
     a_role_that_is_not_ours_ends_a_connection_that_is_not_kept)
{
    for (int role = 2; role < 300; role += 99) {
        size_t at = 0;

        records_add_begin(&fed, 1, role, 0);
        cr_assert_eq(feed(), FCGI_MORE);
        cr_assert_eq(assert_reply(&at, END)[4], 3, "FCGI_UNKNOWN_ROLE");
        cr_assert(scan.is_over);
        cr_assert(!fcgi_scan_is_idle(&scan));
        add_request(1, "/a");
        records_add(&fed, STDIN, 1, NULL, 0, 0);
        records_add(&fed, GET_VALUES, 0, NULL, 0, 0);
        cr_assert_eq(feed(), FCGI_MORE);
        cr_assert_eq(at, scan.replies.len, "what follows is dropped");
        fcgi_scan_clear(&scan);
        scan = (struct fcgi_scan){0};
    }
}

static const char known[] = "\x0e\x04"
                            "FCGI_MAX_CONNS1024"
                            "\x0d\x04"
                            "FCGI_MAX_REQS1024"
                            "\x0f\x01"
                            "FCGI_MPXS_CONNS0";

/* The only reply is these values, which as text are. */
static void
assert_values(const char *values, size_t len)
{
    const char *content;
    size_t at = 0;

    cr_assert_eq(feed(), FCGI_MORE);
    content = assert_reply(&at, GET_VALUES_RESULT);
    cr_assert_eq(fcgi_record_u16((const uint8_t *)content - 4), len);
    cr_assert_arr_eq(content, values, len);
    cr_assert_eq(at, scan.replies.len);
    cr_assert(fcgi_scan_is_idle(&scan));
    scan.replies.len = 0;
}

Test(fcgi_scan_replies, management_records_are_answered)
{
    struct buf pairs = {0};
    size_t at = 0;

    records_add_pair(&pairs, "FCGI_MPXS_CONNS", "");
    records_add_pair(&pairs, "OTHER", "");
    records_add(&fed, GET_VALUES, 0, pairs.data, pairs.len, 2);
    records_add(&fed, 77, 0, NULL, 0, 0);
    cr_assert_eq(feed(), FCGI_MORE);
    cr_assert_arr_eq(assert_reply(&at, GET_VALUES_RESULT),
                     "\x0f\x01"
                     "FCGI_MPXS_CONNS0",
                     18);
    cr_assert_eq(*assert_reply(&at, UNKNOWN_TYPE), 77);
    cr_assert_eq(at, scan.replies.len);
    cr_assert(fcgi_scan_is_idle(&scan));
    buf_clear(&pairs);
}

/* libfcgi writes four answers into the room of three. */
Test(fcgi_scan_replies, a_value_is_told_once_however_often_it_is_asked_for)
{
    struct buf pairs = {0};

    for (int i = 0; i < 4; i++) {
        records_add_pair(&pairs, "FCGI_MPXS_CONNS", "");
        records_add_pair(&pairs, "FCGI_MAX_REQS", "");
        records_add_pair(&pairs, "FCGI_MAX_CONNS", "");
    }
    records_add(&fed, GET_VALUES, 0, pairs.data, pairs.len, 0);
    assert_values(known, sizeof(known) - 1);
    buf_clear(&pairs);
}

Test(fcgi_scan_replies, any_number_of_values_may_be_asked_for)
{
    struct buf pairs = {0};

    records_add(&fed, GET_VALUES, 0, NULL, 0, 0);
    assert_values("", 0);
    for (int i = 0; pairs.len < 65400; i++)
        records_add_pair(&pairs, i % 2 == 0 ? "X=\n" : "FCGI_MAX_CONNS_", "");
    records_add_pair(&pairs, "FCGI_MAX_CONNS", "");
    records_add_pair(&pairs, "FCGI_MAX_REQS", "a value");
    records_add_pair(&pairs, "FCGI_MPXS_CONNS", "");
    records_add(&fed, GET_VALUES, 0, pairs.data, pairs.len, 0);
    assert_values(known, sizeof(known) - 1);
    cr_assert_null(scan.record.values.data, "an idle connection holds them");
    buf_clear(&pairs);
}

Test(fcgi_scan_replies, replies_to_what_came_before_are_kept_for_sending)
{
    size_t at = 0;

    records_add(&fed, GET_VALUES, 0, NULL, 0, 0);
    cr_assert(buf_add(&fed, "GET / HTTP/1.1\r\n\r\n", 18));
    cr_assert_eq(feed(), FCGI_BROKEN);
    assert_reply(&at, GET_VALUES_RESULT);
}
