// SPDX-License-Identifier: MIT
#include "server/fcgi.h"

#include "http/http.h"
#include "lib/records.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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

    cr_assert(fcgi_request(fcgi, &request));
    cr_assert_eq(request.method, HTTP_POST);
    cr_assert_str_eq(request.path, path);
    cr_assert_str_eq(request.id, "r1");
    cr_assert_eq(request.body_len, strlen(body));
    cr_assert_eq(memcmp(request.body, body, strlen(body)), 0);
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

            cr_assert(fcgi_is_idle(&fcgi));
            while (at < bytes.len) {
                size_t len = bytes.len - at < split ? bytes.len - at : split;

                cr_assert_eq(progress, FCGI_MORE);
                progress = fcgi_feed(&fcgi, bytes.data + at, len, &used);
                cr_assert_eq(used, len);
                at += used;
                cr_assert(!fcgi_is_idle(&fcgi));
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
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data, bytes.len, &used), FCGI_COMPLETE);
    cr_assert_eq(used, first);
    assert_post(&fcgi, "/first", "1");
    fcgi_next(&fcgi);
    cr_assert(fcgi_is_idle(&fcgi));
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data + used, bytes.len - used, &used),
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
    size_t used;

    memset(body, 'x', 3 * HTTP_BODY_MAX);
    body[3 * HTTP_BODY_MAX] = '\0';
    add_post(&bytes, 1, "/", body, 60000);
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data, bytes.len, &used), FCGI_COMPLETE);
    cr_assert(fcgi_request(&fcgi, &request));
    cr_assert_eq(request.body_len, HTTP_BODY_MAX + 1);
    cr_assert_eq(request.content_length, 3 * HTTP_BODY_MAX);
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
    free(body);
}

Test(fcgi, an_abort_ends_the_request)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0}, out = {0};
    size_t used, at = 0;

    records_add_begin(&bytes, 5, 1, 1);
    records_add(&bytes, ABORT, 5, NULL, 0, 0);
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data, bytes.len, &used), FCGI_ABORTED);
    cr_assert(fcgi_end(&fcgi, &out));
    cr_assert_eq(records_next_type(&out, &at), END);
    fcgi_next(&fcgi);
    cr_assert(fcgi_is_idle(&fcgi));
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
    buf_clear(&out);
}

Test(fcgi, multiplexing_and_unknown_roles_are_refused_by_protocol)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0};
    size_t used, at = 0;

    records_add_begin(&bytes, 1, 2, 1); /* authorizer */
    records_add(&bytes, PARAMS, 1, "junk", 4, 0);
    records_add_begin(&bytes, 2, 1, 1);
    records_add_begin(&bytes, 3, 1, 1);
    records_add(&bytes, STDIN, 3, "junk", 4, 0);
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data, bytes.len, &used), FCGI_MORE);
    cr_assert_eq(records_next_type(&fcgi.replies, &at), END);
    cr_assert_eq(fcgi.replies.data[8 + 4], 3, "FCGI_UNKNOWN_ROLE");
    cr_assert_eq(records_next_type(&fcgi.replies, &at), END);
    cr_assert_eq(fcgi.replies.data[24 - 8 + 8 + 4], 1, "FCGI_CANT_MPX_CONN");
    cr_assert_eq(at, fcgi.replies.len);
    cr_assert_eq(fcgi.id, 2);
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
}

Test(fcgi, management_records_are_answered)
{
    struct fcgi fcgi = {0};
    struct buf bytes = {0}, pairs = {0};
    size_t used, at = 0;

    records_add_pair(&pairs, "FCGI_MPXS_CONNS", "");
    records_add_pair(&pairs, "OTHER", "");
    records_add(&bytes, GET_VALUES, 0, pairs.data, pairs.len, 2);
    records_add(&bytes, 77, 0, NULL, 0, 0);
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data, bytes.len, &used), FCGI_MORE);
    cr_assert_eq(records_next_type(&fcgi.replies, &at), GET_VALUES_RESULT);
    cr_assert_eq(memcmp(fcgi.replies.data + 8,
                        "\x0f\x01"
                        "FCGI_MPXS_CONNS0",
                        18),
                 0);
    cr_assert_eq(records_next_type(&fcgi.replies, &at), UNKNOWN_TYPE);
    cr_assert_eq(fcgi.replies.data[at - 8], 77);
    cr_assert_eq(at, fcgi.replies.len);
    cr_assert(fcgi_is_idle(&fcgi));
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
    buf_clear(&pairs);
}

static void
assert_broken(const struct buf *bytes)
{
    struct fcgi fcgi = {0};
    size_t used;

    cr_assert_eq(fcgi_feed(&fcgi, bytes->data, bytes->len, &used), FCGI_BROKEN);
    fcgi_clear(&fcgi);
}

Test(fcgi, what_is_not_fastcgi_is_broken)
{
    struct buf http = {0}, early = {0}, begin = {0}, params = {0};
    static char big[60000];

    cr_assert(buf_add(&http, "GET / HTTP/1.1\r\n\r\n", 18));
    assert_broken(&http);

    records_add_begin(&early, 1, 1, 1);
    records_add(&early, STDIN, 1, NULL, 0, 0); /* before the parameters end */
    assert_broken(&early);

    records_add(&begin, BEGIN, 0, "12345678", 8, 0);
    assert_broken(&begin);

    records_add_begin(&params, 1, 1, 1);
    records_add(&params, PARAMS, 1, big, sizeof(big), 0);
    records_add(&params, PARAMS, 1, big, sizeof(big), 0);
    assert_broken(&params);

    buf_clear(&http);
    buf_clear(&early);
    buf_clear(&begin);
    buf_clear(&params);
}

static void
assert_bad_params(const char *content, size_t len)
{
    struct fcgi fcgi = {0};
    struct request request = {0};
    struct buf bytes = {0};
    size_t used;

    records_add_begin(&bytes, 1, 1, 1);
    records_add(&bytes, PARAMS, 1, content, len, 0);
    records_add(&bytes, PARAMS, 1, NULL, 0, 0);
    records_add(&bytes, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(fcgi_feed(&fcgi, bytes.data, bytes.len, &used), FCGI_COMPLETE);
    cr_assert(!fcgi_request(&fcgi, &request), "%.*s", (int)len, content);
    fcgi_clear(&fcgi);
    buf_clear(&bytes);
}

Test(fcgi, malformed_parameters_make_no_request)
{
    assert_bad_params("\x05", 1);
    assert_bad_params("\x05\x05"
                      "abc",
                      5);
    assert_bad_params("\x01\x7f"
                      "ab",
                      4);
    assert_bad_params("\x80\x00\x00", 3);
    assert_bad_params("\xff\xff\xff\xff\xff\xff\xff\xff"
                      "ab",
                      10);
    assert_bad_params("\x01\x02"
                      "Ab\0",
                      5);
    assert_bad_params("\x02\x01"
                      "A\0b",
                      5);
}

Test(fcgi, an_answer_of_any_size_is_records_and_an_end)
{
    static char body[200001];
    struct fcgi fcgi = {.id = 9};
    struct request request = {.method = HTTP_GET, .id = "r"};
    struct response response = {
        .status = 200, .body = body, .body_len = sizeof(body)};
    struct buf out = {0};
    size_t at = 0, content = 0, start;
    int type;

    cr_assert(fcgi_respond(&fcgi, &request, &response, &out));
    do {
        const unsigned char *header;

        start = at;
        type = records_next_type(&out, &at);
        header = (const unsigned char *)out.data + start;
        cr_assert_eq(header[3], 9);
        if (type == STDOUT)
            content += (size_t)(header[4] << 8 | header[5]);
    } while (type == STDOUT);
    cr_assert_eq(type, END);
    cr_assert_eq(at, out.len);
    cr_assert_gt(content, sizeof(body));
    cr_assert_lt(content, sizeof(body) + RESPONSE_HEAD_MAX);
    buf_clear(&out);
}

Test(fcgi, an_empty_record_of_the_last_request_says_goodbye)
{
    struct fcgi fcgi = {.id = 0x102};
    struct buf out = {0};

    fcgi_next(&fcgi);
    cr_assert(fcgi_bye(&fcgi, &out));
    cr_assert_eq(out.len, 8);
    cr_expect_arr_eq(out.data, ((char[8]){1, STDERR, 1, 2}), 8);
    buf_clear(&out);
    fcgi_clear(&fcgi);
}

Test(fcgi, head_has_no_body)
{
    struct fcgi fcgi = {.id = 9};
    struct request request = {.method = HTTP_HEAD, .id = "r"};
    struct response response = {.status = 200, .body = "secret", .body_len = 6};
    struct buf out = {0};

    cr_assert(fcgi_respond(&fcgi, &request, &response, &out));
    cr_assert_null(memmem(out.data, out.len, "secret", 6));
    cr_assert_not_null(memmem(out.data, out.len, "Content-Length: 6", 17));
    buf_clear(&out);
}
