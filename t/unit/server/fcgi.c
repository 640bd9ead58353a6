// SPDX-License-Identifier: MIT
#include "server/fcgi.h"

#include "base/util.h"
#include "http/http.h"
#include "lib/no_memory.h"
#include "lib/records.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fcgi, .timeout = 60);

/* A whole POST, its parameters and body cut into records of at most step. */
static void
add_post(struct buf *to, int id, const char *path, const char *body,
         size_t step)
{
    struct buf pairs = {0};
    char length[32];
    size_t body_len = strlen(body);

    snprintf(length, sizeof(length), "%zu", body_len);
    records_add_pair(&pairs, "REQUEST_METHOD", "POST");
    records_add_pair(&pairs, "PATH_INFO", path);
    records_add_pair(&pairs, "CONTENT_LENGTH", length);
    records_add_pair(&pairs, "REQUEST_ID", "r1");
    records_add_pair(&pairs, "EMPTY", "");
    records_add_begin(to, id, 1, 1);
    for (size_t at = 0; at < pairs.len; at += step)
        records_add(to, PARAMS, id, pairs.data + at,
                    pairs.len - at < step ? pairs.len - at : step, 3);
    records_add(to, PARAMS, id, NULL, 0, 0);
    for (size_t at = 0; at < body_len; at += step)
        records_add(to, STDIN, id, body + at,
                    body_len - at < step ? body_len - at : step, 5);
    records_add(to, STDIN, id, NULL, 0, 7);
    buf_clear(&pairs);
}

static void
assert_post(struct fcgi *fcgi, const char *path, const char *body)
{
    struct request request = {0};

    cr_assert_eq(fcgi_request(fcgi, &request), ERR_OK);
    cr_assert_eq(request.method, HTTP_POST);
    cr_assert_str_eq(request.path, path);
    cr_assert_str_eq(request.id, "r1");
    cr_assert_eq(request.body_len, strlen(body));
    cr_assert_eq(memcmp(request.body, body, strlen(body)), 0);
}

/* Feeds the bytes of one whole request. */
static void
feed_all(struct fcgi *fcgi, const struct buf *bytes)
{
    size_t used;

    cr_assert_eq(fcgi_scan_feed(&fcgi->scan, bytes->data, bytes->len, &used),
                 FCGI_COMPLETE);
    cr_assert_eq(used, bytes->len);
}

/* A request to answer. */
static void
ask(struct fcgi *fcgi, int id, struct request *request)
{
    struct buf bytes = {0};

    add_post(&bytes, id, "/a", "{}", 60000);
    feed_all(fcgi, &bytes);
    cr_assert_eq(fcgi_request(fcgi, request), ERR_OK);
    buf_clear(&bytes);
}

Test(fcgi, records_of_any_size_and_any_split_give_the_same_request)
{
    const char *body = "{\"value\":{\"enabled\":true}}";

    for (size_t step = 1; step < 200; step += 13) {
        struct buf bytes = {0};

        add_post(&bytes, 258, "/a", body, step);
        for (size_t split = 1; split <= bytes.len; split += 7) {
            struct fcgi fcgi = {0};
            enum fcgi_progress progress = FCGI_MORE;
            size_t at = 0, used;

            cr_assert(fcgi_scan_is_idle(&fcgi.scan));
            while (at < bytes.len) {
                size_t len = bytes.len - at < split ? bytes.len - at : split;

                cr_assert_eq(progress, FCGI_MORE);
                progress =
                    fcgi_scan_feed(&fcgi.scan, bytes.data + at, len, &used);
                cr_assert_eq(used, len);
                at += used;
                cr_assert(!fcgi_scan_is_idle(&fcgi.scan));
            }
            cr_assert_eq(progress, FCGI_COMPLETE);
            assert_post(&fcgi, "/a", body);
            fcgi_clear(&fcgi);
        }
        buf_clear(&bytes);
    }
}

Test(fcgi, what_follows_a_request_is_left_for_the_next)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0};
    size_t first, used;

    add_post(&bytes, 1, "/first", "1", 100);
    first = bytes.len;
    add_post(&bytes, 2, "/second", "22", 100);
    cr_assert_eq(fcgi_scan_feed(&fcgi.scan, bytes.data, bytes.len, &used),
                 FCGI_COMPLETE);
    cr_assert_eq(used, first);
    assert_post(&fcgi, "/first", "1");
    fcgi_next(&fcgi);
    cr_assert(fcgi_scan_is_idle(&fcgi.scan));
    cr_assert_eq(
        fcgi_scan_feed(&fcgi.scan, bytes.data + used, bytes.len - used, &used),
        FCGI_COMPLETE);
    assert_post(&fcgi, "/second", "22");
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
}

Test(fcgi, a_body_over_the_limit_is_cut_one_byte_behind_it)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0};
    struct request request = {0};
    char *body = malloc(3 * HTTP_BODY_MAX + 1);

    for (size_t i = 0; i < 3 * HTTP_BODY_MAX; i++)
        body[i] = (char)('a' + i % 23);
    body[3 * HTTP_BODY_MAX] = '\0';
    add_post(&bytes, 1, "/", body, 60000);
    feed_all(&fcgi, &bytes);
    cr_assert_eq(fcgi_request(&fcgi, &request), ERR_OK);
    cr_assert_eq(request.body_len, HTTP_BODY_MAX + 1);
    cr_assert_eq(memcmp(request.body, body, HTTP_BODY_MAX + 1), 0);
    cr_assert_eq(request.content_length, 3 * HTTP_BODY_MAX);
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
    free(body);
}

/* A front end that passes a client's fields on may have very many. */
Test(fcgi, three_hundred_parameters_are_a_request)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0}, pairs = {0};
    struct request request;

    for (int i = 0; i < 300; i++) {
        char name[32];

        snprintf(name, sizeof(name), "HTTP_X_%d", i);
        records_add_pair(&pairs, name, "v");
    }
    records_add_pair(&pairs, "PATH_INFO", "/a");
    records_add_begin(&bytes, 1, 1, 1);
    records_add(&bytes, PARAMS, 1, pairs.data, pairs.len, 0);
    records_add(&bytes, PARAMS, 1, NULL, 0, 0);
    records_add(&bytes, STDIN, 1, NULL, 0, 0);
    feed_all(&fcgi, &bytes);
    cr_assert_eq(fcgi_request(&fcgi, &request), ERR_OK);
    cr_assert_str_eq(request.path, "/a");
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
    buf_clear(&pairs);
}

/* An empty record of another id makes libfcgi drop the content behind it. */
Test(fcgi, records_of_other_requests_take_nothing_away)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0}, pairs = {0};
    struct request request;

    records_add_pair(&pairs, "PATH_INFO", "/a");
    records_add_begin(&bytes, 1, 1, 1);
    records_add(&bytes, STDIN, 77, NULL, 0, 0);
    records_add(&bytes, PARAMS, 1, pairs.data, pairs.len, 0);
    records_add(&bytes, PARAMS, 77, NULL, 0, 0);
    records_add(&bytes, PARAMS, 1, NULL, 0, 0);
    records_add(&bytes, STDIN, 77, NULL, 0, 0);
    records_add(&bytes, STDIN, 1, "12", 2, 0);
    records_add(&bytes, STDIN, 77, NULL, 0, 8);
    records_add(&bytes, STDIN, 1, "3", 1, 0);
    records_add(&bytes, STDIN, 1, NULL, 0, 0);
    feed_all(&fcgi, &bytes);
    cr_assert_eq(fcgi_request(&fcgi, &request), ERR_OK);
    cr_assert_str_eq(request.path, "/a");
    cr_assert_eq(request.body_len, 3);
    cr_assert_arr_eq(request.body, "123", 3);
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
    buf_clear(&pairs);
}

static const struct response hello = {
    .status = 200, .body = "hello", .body_len = 5};

Test(fcgi, an_answer_of_any_size_is_records_and_an_end)
{
    static char body[200001];
    struct response response = {
        .status = 200, .body = body, .body_len = sizeof(body)};

    for (size_t len = 0; len <= sizeof(body); len += 1 + len / 3) {
        struct fcgi fcgi = {0};
        struct request request;
        struct buf out = {0};
        size_t at = 0, content = 0;
        int type;

        ask(&fcgi, 0x109, &request);
        response.body_len = len;
        cr_assert(fcgi_respond(&fcgi, &request, &response, &out));
        do {
            const unsigned char *header = (unsigned char *)out.data + at;

            type = records_next_type(&out, &at);
            cr_assert_eq(header[2] << 8 | header[3], 0x109);
            if (type == STDOUT)
                content += (size_t)(header[4] << 8 | header[5]);
        } while (type == STDOUT);
        cr_assert_eq(type, END);
        cr_assert_eq(at, out.len);
        cr_assert_gt(content, len);
        cr_assert_lt(content, len + RESPONSE_HEAD_MAX);
        buf_clear(&out);
        fcgi_clear(&fcgi);
    }
}

Test(fcgi, head_has_no_body)
{
    struct fcgi fcgi = {0};
    struct request request;
    struct response response = {.status = 200, .body = "secret", .body_len = 6};
    struct buf out = {0};

    ask(&fcgi, 9, &request);
    request.method = HTTP_HEAD;
    cr_assert(fcgi_respond(&fcgi, &request, &response, &out));
    cr_assert_null(memmem(out.data, out.len, "secret", 6));
    cr_assert_not_null(memmem(out.data, out.len, "Content-Length: 6", 17));
    buf_clear(&out);
    fcgi_clear(&fcgi);
}

/* libfcgi closes a connection that its peer does not keep, and reads the next
 * request from it all the same. */
Test(fcgi, one_request_follows_the_other_whatever_becomes_of_them)
{
    struct fcgi fcgi = {0};

    for (int i = 1; i < 20; i++) {
        struct request request;
        struct buf bytes = {0}, out = {0};
        size_t used;

        if (i % 3 == 0) { /* given up */
            records_add_begin(&bytes, i, 1, 1);
            records_add(&bytes, ABORT, i, NULL, 0, 0);
            cr_assert_eq(
                fcgi_scan_feed(&fcgi.scan, bytes.data, bytes.len, &used),
                FCGI_ABORTED);
        } else {
            add_post(&bytes, i, "/a", "{}", 100);
            bytes.data[10] = i % 2; /* FCGI_KEEP_CONN */
            feed_all(&fcgi, &bytes);
            cr_assert_eq(fcgi.scan.keeps_connection, i % 2);
            cr_assert_eq(fcgi_request(&fcgi, &request), ERR_OK);
            cr_assert_str_eq(request.path, "/a");
            if (i % 5 > 0)
                cr_assert(fcgi_respond(&fcgi, &request, &hello, &out));
        }
        used = out.len;
        fcgi_next(&fcgi);
        cr_assert_eq(out.len, used, "something was written behind the end");
        cr_assert(fcgi_scan_is_idle(&fcgi.scan));
        buf_clear(&bytes);
        buf_clear(&out);
    }
    fcgi_clear(&fcgi);
}

/* While its write is in flight. libfcgi's streams point to its request. */
Test(fcgi, the_connection_may_move_while_a_request_waits)
{
    struct fcgi fcgi = {0}, moved;
    struct request request;
    struct buf out = {0};
    size_t at = 0;

    ask(&fcgi, 9, &request);
    moved = fcgi;
    memset(&fcgi, 0xa5, sizeof(fcgi));
    cr_assert(fcgi_respond(&moved, &request, &hello, &out));
    cr_assert_eq(records_next_type(&out, &at), STDOUT);
    cr_assert_not_null(memmem(out.data, at, "hello", 5));
    buf_clear(&out);
    fcgi_clear(&moved);
}

/* Nobody frees what libfcgi has allocated but FCGX_Free. */
Test(fcgi, nothing_is_lost_of_a_request_that_gets_no_answer)
{
    struct fcgi fcgi = {0};
    struct request request;
    long before;

    ask(&fcgi, 9, &request);
    fcgi_clear(&fcgi);
    before = no_memory_used();
    for (int i = 0; i < 3; i++) {
        ask(&fcgi, 9, &request);
        fcgi_clear(&fcgi);
    }
    cr_assert_eq(no_memory_used(), before);
}

/* Also what libfcgi writes when it closes its streams, at the very end. */
Test(fcgi, an_answer_that_finds_no_memory_fails_and_ends)
{
    static char body[40000];
    size_t lens[] = {0, 100, 9000, sizeof(body)};

    for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
        const struct response response = {
            .status = 200, .body = body, .body_len = lens[i]};
        bool has_failed = true;
        unsigned n = 0;

        for (; has_failed; n++) {
            struct fcgi fcgi = {0};
            struct request request;
            struct buf out = {0};
            bool is_written;

            ask(&fcgi, 9, &request);
            no_memory_from(n);
            is_written = fcgi_respond(&fcgi, &request, &response, &out);
            has_failed = no_memory_end();
            cr_assert_eq(is_written, !has_failed);
            cr_assert_eq(request.method, HTTP_POST);
            cr_assert_str_eq(request.path, "/a", "it is needed for a refusal");
            fcgi_clear(&fcgi);
            buf_clear(&out);
        }
        cr_assert_gt(n, 1);
    }
}

Test(fcgi, our_own_memory_is_asked_for_before_libfcgis)
{
    struct fcgi fcgi = {0};
    struct request request;
    struct buf bytes = {0};

    add_post(&bytes, 9, "/a", "{}", 100);
    feed_all(&fcgi, &bytes);
    for (unsigned n = 0; n < 2; n++) {
        fcgi_clear(&fcgi);
        feed_all(&fcgi, &bytes);
        no_memory_after(n);
        cr_assert_eq(fcgi_request(&fcgi, &request), ERR_NOMEM);
        cr_assert(no_memory_end());
    }
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
}

#ifndef NO_MEMORY_WRAP
/* It does not go on with half of a request. */
Test(fcgi, libfcgi_without_memory_ends_the_process, .signal = SIGABRT)
{
    struct fcgi fcgi = {0};
    struct request request;
    struct buf bytes = {0};

    add_post(&bytes, 9, "/a", "{}", 100);
    feed_all(&fcgi, &bytes);
    no_memory_from(2);
    (void)fcgi_request(&fcgi, &request);
    no_memory_end();
}
#endif

Test(fcgi, a_refusal_needs_no_memory_and_no_request)
{
    struct fcgi fcgi = {.scan.id = 9};
    struct request request = {.method = HTTP_GET, .id = "r"};
    char room[1024];
    struct buf out = {.data = room, .size = sizeof(room)};
    size_t at = 0;

    no_memory_from(0);
    cr_assert(fcgi_refuse(&fcgi, &request, &hello, &out));
    cr_assert(!no_memory_end());
    cr_assert_eq(out.data, room);
    cr_assert_eq(records_next_type(&out, &at), STDOUT);
    cr_assert_not_null(memmem(out.data, at, "\r\n\r\nhello", 9));
    cr_assert_eq(records_next_type(&out, &at), STDOUT);
    cr_assert_eq(records_next_type(&out, &at), END);
    cr_assert_eq(at, out.len);
    fcgi_clear(&fcgi);
}
