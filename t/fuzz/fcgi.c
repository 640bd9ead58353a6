// SPDX-License-Identifier: MIT
/*
 * The bytes of a connection, fed at once and in pieces, which must make no
 * difference. The second byte seeds where the pieces end. If the first is
 * odd, what follows is the connection as it is; else it is a list of records
 * (type, flags, length, content) that get their headers here.
 */
#include "fuzz.h"

#include "base/util.h"
#include "http/http.h"
#include "server/fcgi.h"

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

static void
tell_request(struct fcgi *fcgi, struct buf *story)
{
    static const char body[] = "{}";
    const struct response response = {
        .status = 200, .body = body, .body_len = 2};
    struct request request;
    size_t before;

    if (!fcgi_request(fcgi, &request)) {
        add_text(story, "malformed parameters");
        return;
    }
    FUZZ_CHECK(request.body_len <= HTTP_BODY_MAX + 1);
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
    check_sent(story, before, fcgi->id);
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
        progress = fcgi_feed(&fcgi, bytes->data + at, len, &used);
        FUZZ_CHECK(progress == FCGI_BROKEN || (used > 0 && used <= len));
        FUZZ_CHECK(progress != FCGI_MORE || used == len);
        FUZZ_CHECK(fcgi.params.len <= FCGI_PARAMS_MAX);
        FUZZ_CHECK(fcgi.body.len <= HTTP_BODY_MAX + 1);
        add(story, fcgi.replies.data, fcgi.replies.len);
        buf_clear(&fcgi.replies);
        if (progress == FCGI_COMPLETE) {
            tell_request(&fcgi, story);
        } else if (progress == FCGI_ABORTED) {
            add_text(story, "aborted");
            FUZZ_CHECK(fcgi_end(&fcgi, story));
        } else {
            continue;
        }
        fcgi_next(&fcgi);
        FUZZ_CHECK(fcgi_is_idle(&fcgi));
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
