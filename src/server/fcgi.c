// SPDX-License-Identifier: MIT
#include "server/fcgi.h"

#include "base/util.h"
#include "http/http.h"

#include <string.h>

/* FastCGI Specification 1.0, section 8. */
enum {
    VERSION_1 = 1,
    HEADER_LEN = 8,
    CONTENT_MAX = 65535,

    BEGIN_REQUEST = 1,
    ABORT_REQUEST = 2,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    STDERR = 7,
    GET_VALUES = 9,
    GET_VALUES_RESULT = 10,
    UNKNOWN_TYPE = 11,

    ROLE_RESPONDER = 1,
    FLAG_KEEP_CONN = 1,

    REQUEST_COMPLETE = 0,
    CANT_MPX_CONN = 1,
    UNKNOWN_ROLE = 3,
};

/* Management records hold a few names; more is not FastCGI. */
#define MANAGEMENT_MAX 1024

#define PARAMS_COUNT_MAX 256

static uint16_t
read_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool
add_record(struct buf *out, uint8_t type, uint16_t id, const void *content,
           size_t len)
{
    uint8_t padding = (uint8_t)(-len & 7);
    uint8_t header[HEADER_LEN] = {VERSION_1,
                                  type,
                                  (uint8_t)(id >> 8),
                                  (uint8_t)id,
                                  (uint8_t)(len >> 8),
                                  (uint8_t)len,
                                  padding};

    return buf_add(out, header, sizeof(header)) && buf_add(out, content, len) &&
           buf_add(out, (char[8]){0}, padding);
}

static bool
add_end(struct buf *out, uint16_t id, uint8_t protocol_status)
{
    uint8_t body[8] = {[4] = protocol_status};

    return add_record(out, END_REQUEST, id, body, sizeof(body));
}

static bool
add_stream(struct buf *out, uint16_t id, const char *bytes, size_t len)
{
    /* A multiple of eight, so that only the last record is padded. */
    const size_t chunk_max = CONTENT_MAX & ~(size_t)7;

    while (len > 0) {
        size_t chunk = len < chunk_max ? len : chunk_max;

        if (!add_record(out, STDOUT, id, bytes, chunk))
            return false;
        bytes += chunk;
        len -= chunk;
    }
    return true;
}

struct pair {
    const char *name;
    const char *value;
};

/* Takes one length of a name-value pair (section 3.4). */
static bool
read_length(const uint8_t **at, const uint8_t *end, size_t *len_out)
{
    const uint8_t *p = *at;

    if (p < end && p[0] < 0x80) {
        *len_out = p[0];
        *at = p + 1;
        return true;
    }
    if (end - p < 4)
        return false;
    *len_out = (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 |
               (size_t)p[2] << 8 | p[3];
    *at = p + 4;
    return true;
}

/*
 * Rewrites the pairs in place as NUL-terminated strings: a pair's two lengths
 * take at least the two bytes that its terminators need. Returns the count, or
 * -1 if the pairs are malformed, hold a NUL, or are more than max.
 */
static int
read_pairs(char *bytes, size_t len, struct pair *pairs, int max)
{
    const uint8_t *at = (const uint8_t *)bytes;
    const uint8_t *end = len > 0 ? at + len : at;
    char *to = bytes;
    int count = 0;

    while (at < end) {
        size_t name_len, value_len;

        if (count == max || !read_length(&at, end, &name_len) ||
            !read_length(&at, end, &value_len) ||
            name_len > (size_t)(end - at) ||
            value_len > (size_t)(end - at) - name_len ||
            memchr(at, '\0', name_len + value_len) != NULL)
            return -1;
        pairs[count].name = to;
        memmove(to, at, name_len);
        to += name_len;
        at += name_len;
        *to++ = '\0';
        pairs[count].value = to;
        memmove(to, at, value_len);
        to += value_len;
        at += value_len;
        *to++ = '\0';
        count++;
    }
    return count;
}

/* Answers FCGI_GET_VALUES (section 4.1) with what we are asked for. */
static bool
reply_values(struct fcgi *fcgi)
{
    static const struct pair known[] = {
        {"FCGI_MAX_CONNS", "1024"},
        {"FCGI_MAX_REQS", "1024"},
        {"FCGI_MPXS_CONNS", "0"},
    };
    struct buf *asked = &fcgi->record.content;
    struct pair params[16];
    struct buf values = {0};
    int count = read_pairs(asked->data, asked->len, params, 16);
    bool is_done = count >= 0;

    for (int i = 0; i < count; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(known); k++) {
            uint8_t lens[2] = {(uint8_t)strlen(known[k].name),
                               (uint8_t)strlen(known[k].value)};

            if (strcmp(params[i].name, known[k].name) == 0)
                is_done = is_done && buf_add(&values, lens, 2) &&
                          buf_add(&values, known[k].name, lens[0]) &&
                          buf_add(&values, known[k].value, lens[1]);
        }
    }
    is_done = is_done && add_record(&fcgi->replies, GET_VALUES_RESULT, 0,
                                    values.data, values.len);
    buf_clear(&values);
    return is_done;
}

static bool
begin_request(struct fcgi *fcgi, uint16_t id)
{
    const uint8_t *body = (const uint8_t *)fcgi->record.content.data;

    if (id == 0 || fcgi->record.content.len != 8)
        return false;
    if (fcgi->id != 0)
        return add_end(&fcgi->replies, id, CANT_MPX_CONN);
    if (read_u16(body) != ROLE_RESPONDER)
        return add_end(&fcgi->replies, id, UNKNOWN_ROLE);
    fcgi->id = id;
    fcgi->keeps_connection = (body[2] & FLAG_KEEP_CONN) != 0;
    return true;
}

/* True if the record's content belongs to one of the request's streams. */
static bool
is_stream(const struct fcgi *fcgi)
{
    const uint8_t *header = fcgi->record.header;

    return (header[1] == PARAMS || header[1] == STDIN) && fcgi->id != 0 &&
           read_u16(header + 2) == fcgi->id;
}

static bool
keep(struct fcgi *fcgi, struct buf *buf, const char *bytes, size_t len)
{
    fcgi->is_starved = !buf_add(buf, bytes, len);
    return !fcgi->is_starved;
}

/* Takes a piece of the current record's content. False: FCGI_BROKEN, or
 * FCGI_STARVED. */
static bool
take_content(struct fcgi *fcgi, const char *bytes, size_t len)
{
    uint8_t type = fcgi->record.header[1];

    if (is_stream(fcgi) && type == PARAMS) {
        return !fcgi->has_params && fcgi->params.len + len <= FCGI_PARAMS_MAX &&
               keep(fcgi, &fcgi->params, bytes, len);
    }
    if (is_stream(fcgi)) {
        size_t room = HTTP_BODY_MAX + 1 - fcgi->body.len;

        return fcgi->has_params &&
               keep(fcgi, &fcgi->body, bytes, len < room ? len : room);
    }
    /* Streams of requests that we refused are read and dropped. */
    if (type == PARAMS || type == STDIN)
        return true;
    return fcgi->record.content.len + len <= MANAGEMENT_MAX &&
           keep(fcgi, &fcgi->record.content, bytes, len);
}

/* Acts on a record whose last byte has arrived. */
static enum fcgi_progress
end_record(struct fcgi *fcgi)
{
    const uint8_t *header = fcgi->record.header;
    uint16_t id = read_u16(header + 2);
    bool is_empty = read_u16(header + 4) == 0;
    bool is_done = true;

    switch (header[1]) {
    case BEGIN_REQUEST:
        is_done = begin_request(fcgi, id);
        break;
    case ABORT_REQUEST:
        if (id == fcgi->id && id != 0)
            return FCGI_ABORTED;
        break;
    case PARAMS:
        if (is_stream(fcgi) && is_empty)
            fcgi->has_params = true;
        break;
    case STDIN:
        if (is_stream(fcgi) && is_empty)
            return fcgi->has_params ? FCGI_COMPLETE : FCGI_BROKEN;
        break;
    case GET_VALUES:
        is_done = id == 0 && reply_values(fcgi);
        break;
    default:
        is_done = add_record(&fcgi->replies, UNKNOWN_TYPE, 0,
                             (uint8_t[8]){header[1]}, 8);
    }
    return is_done ? FCGI_MORE : FCGI_BROKEN;
}

/* Uses bytes up to the end of one step of a record. False: FCGI_BROKEN. */
static bool
feed_record(struct fcgi *fcgi, const char *bytes, size_t len, size_t *used_out)
{
    size_t want = HEADER_LEN - fcgi->record.header_len;
    size_t used;

    if (want > 0) {
        used = len < want ? len : want;
        memcpy(fcgi->record.header + fcgi->record.header_len, bytes, used);
        fcgi->record.header_len += used;
        if (used == want) {
            fcgi->record.content_left = read_u16(fcgi->record.header + 4);
            fcgi->record.padding_left = fcgi->record.header[6];
        }
        *used_out = used;
        return used < want || fcgi->record.header[0] == VERSION_1;
    }
    if (fcgi->record.content_left > 0) {
        want = fcgi->record.content_left;
        used = len < want ? len : want;
        fcgi->record.content_left -= used;
        *used_out = used;
        return take_content(fcgi, bytes, used);
    }
    want = fcgi->record.padding_left;
    used = len < want ? len : want;
    fcgi->record.padding_left -= used;
    *used_out = used;
    return true;
}

static bool
is_record_complete(const struct fcgi *fcgi)
{
    return fcgi->record.header_len == HEADER_LEN &&
           fcgi->record.content_left == 0 && fcgi->record.padding_left == 0;
}

bool
fcgi_is_idle(const struct fcgi *fcgi)
{
    return fcgi->id == 0 && fcgi->record.header_len == 0;
}

/* Why a record could not be taken. An answer needs the id of the request,
 * which may be just about to begin. */
static enum fcgi_progress
stop(struct fcgi *fcgi)
{
    if (!fcgi->is_starved)
        return FCGI_BROKEN;
    if (fcgi->id == 0)
        fcgi->id = read_u16(fcgi->record.header + 2);
    return FCGI_STARVED;
}

enum fcgi_progress
fcgi_feed(struct fcgi *fcgi, const char *bytes, size_t len, size_t *used_out)
{
    size_t at = 0;

    while (at < len) {
        enum fcgi_progress progress = FCGI_MORE;
        size_t used;

        if (!feed_record(fcgi, bytes + at, len - at, &used))
            return stop(fcgi);
        at += used;
        if (is_record_complete(fcgi)) {
            progress = end_record(fcgi);
            fcgi->record.header_len = 0;
            fcgi->record.content.len = 0;
        }
        if (progress != FCGI_MORE) {
            *used_out = at;
            return progress;
        }
    }
    *used_out = len;
    return FCGI_MORE;
}

/* The parameters of a request, for request_init to look up. */
struct param_table {
    struct pair params[PARAMS_COUNT_MAX];
    int count;
};

static const char *
find_param(void *ctx, const char *name)
{
    const struct param_table *table = ctx;

    for (int i = 0; i < table->count; i++) {
        const struct pair *param = &table->params[i];

        /* Most differ in the first letter, and a call costs more than this. */
        if (*param->name == *name && strcmp(param->name, name) == 0)
            return param->value;
    }
    return NULL;
}

bool
fcgi_request(struct fcgi *fcgi, struct request *request)
{
    struct param_table table;

    table.count = read_pairs(fcgi->params.data, fcgi->params.len, table.params,
                             PARAMS_COUNT_MAX);
    if (table.count < 0)
        return false;
    request_init(request, find_param, &table);
    request->body = fcgi->body.len > 0 ? fcgi->body.data : "";
    request->body_len = fcgi->body.len;
    return true;
}

bool
fcgi_respond(const struct fcgi *fcgi, const struct request *request,
             const struct response *response, struct buf *out)
{
    char head[RESPONSE_HEAD_MAX];
    size_t head_len = response_head(response, request, head);
    size_t body_len = request->method == HTTP_HEAD ? 0 : response->body_len;

    return add_stream(out, fcgi->id, head, head_len) &&
           add_stream(out, fcgi->id, response->body, body_len) &&
           add_record(out, STDOUT, fcgi->id, NULL, 0) && fcgi_end(fcgi, out);
}

bool
fcgi_end(const struct fcgi *fcgi, struct buf *out)
{
    return add_end(out, fcgi->id, REQUEST_COMPLETE);
}

bool
fcgi_bye(const struct fcgi *fcgi, struct buf *out)
{
    return add_record(out, STDERR, fcgi->last_id, NULL, 0);
}

void
fcgi_next(struct fcgi *fcgi)
{
    buf_clear(&fcgi->params);
    buf_clear(&fcgi->body);
    fcgi->last_id = fcgi->id;
    fcgi->id = 0;
    fcgi->has_params = false;
}

void
fcgi_clear(struct fcgi *fcgi)
{
    fcgi_next(fcgi);
    buf_clear(&fcgi->record.content);
    buf_clear(&fcgi->replies);
}
