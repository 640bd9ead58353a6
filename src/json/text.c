// SPDX-License-Identifier: MIT
#include "json/text.h"

#include "base/number.h"
#include "base/timestamp.h"
#include "base/utf8.h"

#include <string.h>

bool
json_text_add(struct buf *buf, const char *json)
{
    return buf_add(buf, json, strlen(json));
}

/* How many characters at the start of text are themselves in a string. */
static size_t
plain_len(const char *text)
{
    const char *at = text;

    while ((unsigned char)*at >= ' ' && (unsigned char)*at < 0x80 &&
           *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - text);
}

bool
json_text_add_string(struct buf *buf, const char *text)
{
    char escaped[UTF8_JSON_MAX];
    uint32_t point;

    if (!json_text_add(buf, "\""))
        return false;
    while (*text != '\0') {
        size_t len = plain_len(text);
        bool is_added;

        if (len > 0) {
            is_added = buf_add(buf, text, len);
        } else {
            len = utf8_read(text, strnlen(text, UTF8_MAX), &point);
            is_added =
                buf_add(buf, escaped, utf8_put_json(escaped, point, false));
        }
        if (!is_added)
            return false;
        text += len;
    }
    return json_text_add(buf, "\"");
}

bool
json_text_add_number(struct buf *buf, uint64_t number)
{
    char digits[NUMBER_SIZE];

    return json_text_add(buf, number_text(digits, number));
}

bool
json_text_add_time(struct buf *buf, int64_t seconds)
{
    char quoted[TIMESTAMP_LEN + 2];
    char *at = quoted;

    *at++ = '"';
    at = timestamp_put(at, seconds);
    *at++ = '"';
    return buf_add(buf, quoted, (size_t)(at - quoted));
}
