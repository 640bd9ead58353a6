// SPDX-License-Identifier: MIT
#include "scanned.h"

#include "http/http.h"
#include "records.h"
#include "server/fcgi_record.h"

#include <criterion/criterion.h>
#include <string.h>

struct fcgi_scan scan;
struct buf fed;

void
scanned_tear_down(void)
{
    fcgi_scan_clear(&scan);
    buf_clear(&fed);
}

enum fcgi_progress
feed(void)
{
    size_t used = SIZE_MAX;
    enum fcgi_progress progress =
        fcgi_scan_feed(&scan, fed.data, fed.len, &used);

    cr_assert_eq(used, fed.len);
    fed.len = 0;
    return progress;
}

void
add_request(int id, const char *path)
{
    struct buf pairs = {0};

    records_add_pair(&pairs, "PATH_INFO", path);
    records_add_begin(&fed, id, 1, 1);
    records_add(&fed, PARAMS, id, pairs.data, pairs.len, 0);
    records_add(&fed, PARAMS, id, NULL, 0, 0);
    buf_clear(&pairs);
}

const char *
assert_kept(size_t *at, int type, size_t len)
{
    const unsigned char *header =
        (const unsigned char *)scan.request.data + *at;

    cr_assert_eq(records_next_type(&scan.request, at), type);
    cr_assert_eq(fcgi_record_u16(header + 2), scan.id);
    cr_assert_eq(fcgi_record_u16(header + 4), len);
    cr_assert_eq(header[6], 0, "padding");
    return (const char *)header + 8;
}

const char *
assert_reply(size_t *at, int type)
{
    size_t start = *at;

    cr_assert_eq(records_next_type(&scan.replies, at), type);
    return scan.replies.data + start + 8;
}
