// SPDX-License-Identifier: MIT
/*
 * The bytes of a connection, fed to the scanner at once and in pieces, which
 * must make no difference, and each request that is whole to libfcgi, which
 * must read what was sent. The second byte seeds where the pieces end. If the
 * first is odd, what follows is the connection as it is; else it is a list of
 * records (type, flags, length, content) that get their headers here.
 */
#include "fuzz.h"

#include "server/fcgi.h"
#include "server/fcgi_pairs.h"
#include "server/fcgi_record.h"
#include "http/http.h"
#include "base/util.h"

#include <fcgiapp.h>
#include <string.h>

enum { FLAG_LONG = 0x80, FLAG_PADDED = 0x40, FLAG_ID = 0x03 };

static void
add(struct buf *buf, const void *bytes, size_t len)
{
    FUZZ_CHECK(buf_add(buf, bytes, len));
}

static void
add_text(struct buf *buf, const char *text)
{
    add(buf, text != NULL ? text : "(none)",
        strlen(text != NULL ? text : "(none)") + 1);
}

/* Puts headers before the records of a list. */
static void
build(const uint8_t *data, size_t size, struct buf *bytes)
{
    static const char filler[256 * 256];

    while (size >= 3) {
        size_t given = data[2] < size - 3 ? data[2] : size - 3;
        size_t len = data[1] & FLAG_LONG ? data[2] * (size_t)256 : given;
        uint8_t padding = data[1] & FLAG_PADDED ? 5 : 0;
        uint8_t header[8] = {1,
                             data[0],
                             0,
                             data[1] & FLAG_ID,
                             (uint8_t)(len >> 8),
                             (uint8_t)len,
                             padding};

        add(bytes, header, sizeof(header));
        add(bytes, data + 3, len < given ? len : given);
        add(bytes, filler, len < given ? 0 : len - given);
        add(bytes, "padding", padding);
        data += 3 + given;
        size -= 3 + given;
    }
}

/* What was sent is whole records, of which the last one ends the request. */
static void
check_sent(const struct buf *out, size_t from, uint16_t id)
{
    const uint8_t *header = NULL;
    size_t at = from;

    while (at + 8 <= out->len) {
        header = (const uint8_t *)out->data + at;
        FUZZ_CHECK(header[0] == 1 && (header[2] << 8 | header[3]) == id);
        at += 8u + (size_t)(header[4] << 8 | header[5]) + header[6];
    }
    FUZZ_CHECK(at == out->len && header != NULL && header[1] == 3);
}

/* The contents of a stream, from what is kept for libfcgi. */
static void
add_stream(const struct buf *records, uint8_t type, struct buf *to)
{
    const uint8_t *at = (const uint8_t *)records->data;
    const uint8_t *end = at + records->len;

    while (at < end) {
        size_t len = fcgi_record_u16(at + 4);

        if (at[1] == type)
            add(to, at + FCGI_HEADER_LEN, len);
        at += FCGI_HEADER_LEN + len + at[6];
    }
    FUZZ_CHECK(at == end);
}

/* libfcgi puts its role before the parameters. */
static void
check_params(char **envp, const struct buf *params)
{
    const uint8_t *bytes = (const uint8_t *)params->data;
    struct fcgi_pairs pairs = {bytes,
                               params->len > 0 ? bytes + params->len : bytes};
    struct fcgi_pair pair;

    FUZZ_CHECK(*envp != NULL && strcmp(*envp, "FCGI_ROLE=RESPONDER") == 0);
    while (fcgi_pairs_next(&pairs, &pair)) {
        const char *text = *++envp;

        FUZZ_CHECK(text != NULL &&
                   strlen(text) == pair.name_len + 1 + pair.value_len);
        FUZZ_CHECK(
            memcmp(text, pair.name, pair.name_len) == 0 &&
            strchr(text, '=') == text + pair.name_len &&
            memcmp(text + pair.name_len + 1, pair.value, pair.value_len) == 0);
    }
    FUZZ_CHECK(pairs.at == pairs.end && envp[1] == NULL);
}

/* Lets libfcgi read the request that is whole. */
static void
read_request(struct fcgi *fcgi, struct request *request)
{
    struct buf params = {0}, body = {0};

    add_stream(&fcgi->scan.request, FCGI_PARAMS, &params);
    add_stream(&fcgi->scan.request, FCGI_STDIN, &body);
    FUZZ_CHECK(fcgi_request(fcgi, request) == ERR_OK);
    check_params(fcgi->app->envp, &params);
    FUZZ_CHECK(request->body_len == body.len && body.len <= HTTP_BODY_MAX + 1);
    FUZZ_CHECK(body.len == 0 ||
               memcmp(request->body, body.data, body.len) == 0);
    buf_clear(&params);
    buf_clear(&body);
}

static void
tell_request(struct fcgi *fcgi, struct buf *story)
{
    static const char body[] = "{}";
    const struct response response = {
        .status = 200, .body = body, .body_len = 2};
    struct request request;
    size_t before;

    read_request(fcgi, &request);
    FUZZ_CHECK(strlen(request.id) > 0);
    memcpy(request.id, "id", sizeof("id")); /* it may have been made up */
    add(story, &request.method, sizeof(request.method));
    add(story, &request.content_length, sizeof(request.content_length));
    add(story, request.body, request.body_len);
    add_text(story, request.path);
    add_text(story, request.query);
    add_text(story, request.accept);
    add_text(story, request.authorization);
    add_text(story, request.content_type);
    add_text(story, request.if_match);
    add_text(story, request.if_none_match);
    add_text(story, request.prefer);
    add_text(story, request.front_tenant);
    before = story->len;
    FUZZ_CHECK(fcgi_respond(fcgi, &request, &response, story));
    check_sent(story, before, fcgi->scan.id);
}

/* The next piece's length, from 1 to most. */
static size_t
next_step(uint32_t *seed, size_t most)
{
    *seed = *seed * 1664525 + 1013904223;
    return 1 + (*seed >> 16) % (most < 300 ? most : 300);
}

/* All that happens on the connection, in story; seed 0: fed in one piece. */
static void
tell(const struct buf *bytes, uint32_t seed, struct buf *story)
{
    struct fcgi fcgi = {0};
    enum fcgi_progress progress = FCGI_MORE;
    size_t used;

    for (size_t at = 0; at < bytes->len && progress != FCGI_BROKEN;
         at += used) {
        size_t left = bytes->len - at;
        size_t len = seed != 0 ? next_step(&seed, left) : left;

        used = 0;
        progress = fcgi_scan_feed(&fcgi.scan, bytes->data + at, len, &used);
        FUZZ_CHECK(progress == FCGI_BROKEN || (used > 0 && used <= len));
        FUZZ_CHECK(progress != FCGI_MORE || used == len);
        FUZZ_CHECK(fcgi.scan.params_len <= FCGI_PARAMS_MAX);
        FUZZ_CHECK(fcgi.scan.body_len <= HTTP_BODY_MAX + 1);
        add(story, fcgi.scan.replies.data, fcgi.scan.replies.len);
        buf_clear(&fcgi.scan.replies);
        if (progress == FCGI_COMPLETE) {
            tell_request(&fcgi, story);
        } else if (progress == FCGI_ABORTED) {
            add_text(story, "aborted");
            FUZZ_CHECK(fcgi_scan_add_end(&fcgi.scan, story));
        } else {
            continue;
        }
        fcgi_next(&fcgi);
        FUZZ_CHECK(fcgi_scan_is_idle(&fcgi.scan));
    }
    add_text(story, progress == FCGI_BROKEN ? "broken" : "end");
    fcgi_clear(&fcgi);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf bytes = {0}, whole = {0}, pieces = {0};

    if (size < 2)
        return 0;
    if (data[0] % 2 == 1)
        add(&bytes, data + 2, size - 2);
    else
        build(data + 2, size - 2, &bytes);
    tell(&bytes, 0, &whole);
    tell(&bytes, data[1] + 1u, &pieces);
    FUZZ_CHECK(whole.len == pieces.len &&
               memcmp(whole.data, pieces.data, whole.len) == 0);
    buf_clear(&bytes);
    buf_clear(&whole);
    buf_clear(&pieces);
    return 0;
}
