// SPDX-License-Identifier: MIT
#include "server/fcgi_scan.h"

#include "base/util.h"
#include "http/http.h"
#include "server/fcgi_pairs.h"
#include "server/fcgi_record.h"

#include <string.h>

static const struct {
    const char *name, *value;
} values[] = {
    {"FCGI_MAX_CONNS", "1024"},
    {"FCGI_MAX_REQS", "1024"},
    {"FCGI_MPXS_CONNS", "0"},
};

/* Marks which of the values are asked for. False if these are no pairs. */
static bool
find_asked(const struct buf *names, bool is_asked[ARRAY_SIZE(values)])
{
    const uint8_t *at = (const uint8_t *)names->data;
    struct fcgi_pairs pairs = {at, names->len > 0 ? at + names->len : at};
    struct fcgi_pair pair;

    while (fcgi_pairs_next(&pairs, &pair))
        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
            if (pair.name_len == strlen(values[i].name) &&
                memcmp(pair.name, values[i].name, pair.name_len) == 0)
                is_asked[i] = true;
    return pairs.at == pairs.end;
}

/* Answers FCGI_GET_VALUES (section 4.1): each variable once, however often its
 * name is there. */
static bool
reply_values(struct fcgi_scan *scan)
{
    bool is_asked[ARRAY_SIZE(values)] = {false};
    bool is_done = find_asked(&scan->record.values, is_asked);
    struct buf content = {0};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        uint8_t lens[2] = {(uint8_t)strlen(values[i].name),
                           (uint8_t)strlen(values[i].value)};

        if (is_asked[i])
            is_done = is_done && buf_add(&content, lens, 2) &&
                      buf_add(&content, values[i].name, lens[0]) &&
                      buf_add(&content, values[i].value, lens[1]);
    }
    is_done = is_done && fcgi_record_add(&scan->replies, FCGI_GET_VALUES_RESULT,
                                         0, content.data, content.len);
    buf_clear(&content);
    buf_clear(&scan->record.values);
    return is_done;
}

static uint16_t
record_id(const struct fcgi_scan *scan)
{
    return fcgi_record_u16(scan->record.header + 2);
}

/* True if the record belongs to the request under way. */
static bool
is_ours(const struct fcgi_scan *scan)
{
    return scan->id != 0 && record_id(scan) == scan->id;
}

static bool
keep(struct fcgi_scan *scan, bool is_kept)
{
    scan->is_starved = !is_kept;
    return is_kept;
}

static bool
begin_request(struct fcgi_scan *scan)
{
    const uint8_t *body = scan->record.begin;
    uint16_t id = record_id(scan);
    bool keeps_connection = (body[2] & FCGI_KEEP_CONN) != 0;

    if (scan->id != 0)
        return fcgi_record_add_end(&scan->replies, id, FCGI_CANT_MPX_CONN);
    if (fcgi_record_u16(body) != FCGI_RESPONDER) {
        scan->is_over = !keeps_connection;
        return fcgi_record_add_end(&scan->replies, id, FCGI_UNKNOWN_ROLE);
    }
    scan->id = id;
    scan->keeps_connection = keeps_connection;
    return keep(scan, fcgi_record_add(&scan->request, FCGI_BEGIN_REQUEST, id,
                                      body, sizeof(scan->record.begin)));
}

static void
set_length(char *header, size_t len)
{
    header[4] = (char)(len >> 8);
    header[5] = (char)len;
}

/* Appends to the stream's last record, or to a new one where it is full. */
static bool
add_content(struct fcgi_scan *scan, uint8_t type, const char *bytes, size_t len)
{
    struct buf *to = &scan->request;

    while (len > 0) {
        size_t room = FCGI_CONTENT_MAX - scan->open_len;
        size_t part = len < room ? len : room;

        if ((scan->open_len == 0 &&
             !fcgi_record_add_header(to, type, scan->id, 0, 0)) ||
            !buf_add(to, bytes, part))
            return false;
        scan->open_len += part;
        set_length(to->data + to->len - scan->open_len - FCGI_HEADER_LEN,
                   scan->open_len);
        scan->open_len %= FCGI_CONTENT_MAX;
        bytes += part;
        len -= part;
    }
    return true;
}

static bool
end_stream(struct fcgi_scan *scan, uint8_t type)
{
    scan->open_len = 0;
    return keep(scan, fcgi_record_add(&scan->request, type, scan->id, NULL, 0));
}

/* libfcgi reads the parameters whole: they are made to suit it now. */
static bool
end_params(struct fcgi_scan *scan)
{
    struct buf *to = &scan->request;
    size_t len = scan->params_len;
    char *pairs = to->data + to->len - len;

    if (scan->is_oversized)
        len = 0;
    else if (!fcgi_pairs_tidy(pairs, &len))
        return false;
    if (scan->params_len > 0)
        to->len = (size_t)(pairs - to->data) + len;
    if (scan->params_len > 0 && len == 0)
        to->len -= FCGI_HEADER_LEN; /* an empty record would end the stream */
    else if (len > 0)
        set_length(pairs - FCGI_HEADER_LEN, len);
    return end_stream(scan, FCGI_PARAMS);
}

static bool
take_params(struct fcgi_scan *scan, const char *bytes, size_t len)
{
    if (len > FCGI_PARAMS_MAX - scan->params_len)
        scan->is_oversized = true;
    if (scan->is_oversized)
        return true;
    scan->params_len += len;
    return keep(scan, add_content(scan, FCGI_PARAMS, bytes, len));
}

static bool
take_body(struct fcgi_scan *scan, const char *bytes, size_t len)
{
    size_t room = HTTP_BODY_MAX + 1 - scan->body_len;
    size_t part = len < room ? len : room;

    scan->body_len += part;
    return keep(scan, add_content(scan, FCGI_STDIN, bytes, part));
}

/* Takes a piece of the record's content. False: FCGI_BROKEN, or FCGI_STARVED.
 * What nobody reads, like streams of requests that we refused, is dropped. */
static bool
take_content(struct fcgi_scan *scan, const char *bytes, size_t len)
{
    size_t left = scan->record.content_left;

    switch (scan->record.header[1]) {
    case FCGI_BEGIN_REQUEST:
        memcpy(scan->record.begin + sizeof(scan->record.begin) - left, bytes,
               len);
        return true;
    case FCGI_PARAMS:
        return !is_ours(scan) || take_params(scan, bytes, len);
    case FCGI_STDIN:
        return !is_ours(scan) || take_body(scan, bytes, len);
    case FCGI_GET_VALUES:
        return keep(scan, buf_add(&scan->record.values, bytes, len));
    default:
        return true;
    }
}

/* A record's header is complete. False: FCGI_BROKEN. */
static bool
begin_record(struct fcgi_scan *scan)
{
    const uint8_t *header = scan->record.header;
    size_t len = fcgi_record_u16(header + 4);

    scan->record.content_left = len;
    scan->record.padding_left = header[6];
    if (header[0] != FCGI_VERSION_1)
        return false;
    switch (header[1]) {
    case FCGI_BEGIN_REQUEST:
        return record_id(scan) != 0 && len == sizeof(scan->record.begin);
    case FCGI_PARAMS:
        return !is_ours(scan) || !scan->has_params;
    case FCGI_STDIN:
        return !is_ours(scan) || scan->has_params;
    case FCGI_GET_VALUES:
        return record_id(scan) == 0;
    default:
        return true;
    }
}

/* Acts on a record whose last byte has arrived. False: see take_content. */
static bool
end_record(struct fcgi_scan *scan)
{
    uint8_t type = scan->record.header[1];
    bool ends = is_ours(scan) && fcgi_record_u16(scan->record.header + 4) == 0;

    switch (type) {
    case FCGI_BEGIN_REQUEST:
        return begin_request(scan);
    case FCGI_PARAMS:
        scan->has_params = scan->has_params || ends;
        return !ends || end_params(scan);
    case FCGI_STDIN:
        return !ends || end_stream(scan, FCGI_STDIN);
    case FCGI_GET_VALUES:
        return reply_values(scan);
    case FCGI_ABORT_REQUEST:
    case FCGI_DATA: /* of a filter, whose request we refused */
        return true;
    default:
        return fcgi_record_add(&scan->replies, FCGI_UNKNOWN_TYPE, 0,
                               (uint8_t[8]){type}, 8);
    }
}

/* What the record that just ended means to the request under way. */
static enum fcgi_progress
judge_record(const struct fcgi_scan *scan)
{
    const uint8_t *header = scan->record.header;

    if (is_ours(scan) && header[1] == FCGI_ABORT_REQUEST)
        return FCGI_ABORTED;
    if (is_ours(scan) && header[1] == FCGI_STDIN &&
        fcgi_record_u16(header + 4) == 0)
        return FCGI_COMPLETE;
    return FCGI_MORE;
}

/* Uses bytes up to the end of one step of a record. False: see take_content. */
static bool
feed_record(struct fcgi_scan *scan, const char *bytes, size_t len,
            size_t *used_out)
{
    size_t *left = &scan->record.content_left;
    size_t want = FCGI_HEADER_LEN - scan->record.header_len;
    size_t used;

    if (want > 0) {
        used = len < want ? len : want;
        memcpy(scan->record.header + scan->record.header_len, bytes, used);
        scan->record.header_len += used;
        *used_out = used;
        return used < want || begin_record(scan);
    }
    if (*left == 0)
        left = &scan->record.padding_left;
    used = len < *left ? len : *left;
    *used_out = used;
    if (left == &scan->record.content_left && !take_content(scan, bytes, used))
        return false;
    *left -= used;
    return true;
}

static bool
is_record_complete(const struct fcgi_scan *scan)
{
    return scan->record.header_len == FCGI_HEADER_LEN &&
           scan->record.content_left == 0 && scan->record.padding_left == 0;
}

bool
fcgi_scan_is_idle(const struct fcgi_scan *scan)
{
    return scan->id == 0 && scan->record.header_len == 0 && !scan->is_over;
}

enum fcgi_progress
fcgi_scan_feed(struct fcgi_scan *scan, const char *bytes, size_t len,
               size_t *used_out)
{
    enum fcgi_progress progress = FCGI_MORE;
    size_t at = 0, used;

    while (at < len && progress == FCGI_MORE && !scan->is_over) {
        bool is_taken = feed_record(scan, bytes + at, len - at, &used);

        if (is_taken && is_record_complete(scan)) {
            is_taken = end_record(scan);
            progress = judge_record(scan);
            scan->record.header_len = 0;
        }
        if (!is_taken)
            progress =
                scan->is_starved && scan->id != 0 ? FCGI_STARVED : FCGI_BROKEN;
        at += used;
    }
    /* The rest is of no use to anybody. */
    if (scan->is_over || progress == FCGI_STARVED || progress == FCGI_BROKEN)
        at = len;
    *used_out = at;
    return progress;
}

bool
fcgi_scan_add_end(const struct fcgi_scan *scan, struct buf *out)
{
    return fcgi_record_add_end(out, scan->id, FCGI_REQUEST_COMPLETE);
}

bool
fcgi_scan_add_bye(const struct fcgi_scan *scan, struct buf *out)
{
    return fcgi_record_add(out, FCGI_STDERR, scan->last_id, NULL, 0);
}

void
fcgi_scan_next(struct fcgi_scan *scan)
{
    buf_clear(&scan->request);
    scan->last_id = scan->id;
    scan->id = 0;
    scan->has_params = scan->is_oversized = false;
    scan->params_len = scan->body_len = scan->open_len = 0;
}

void
fcgi_scan_clear(struct fcgi_scan *scan)
{
    fcgi_scan_next(scan);
    buf_clear(&scan->record.values);
    buf_clear(&scan->replies);
}
