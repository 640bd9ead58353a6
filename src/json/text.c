// SPDX-License-Identifier: MIT
#include "json/text.h"

#include "base/number.h"
#include "base/timestamp.h"

#include <stdio.h>
#include <string.h>

bool
json_text_add(struct buf *buf, const char *json)
{
    return buf_add(buf, json, strlen(json));
}

/* How many bytes the character at the start of text has (RFC 3629, section 4),
 * which a NUL follows; 0 if they are none. */
static size_t
character_len(const char *text)
{
    /* The lengths by lead byte, and what its second byte may be. */
    static const struct {
        unsigned char lead_max, low, high;
        size_t len;
    } forms[] = {
        {0x7f, 0, 0, 1},       {0xc1, 0, 0, 0},       {0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xa0, 0xbf, 3}, {0xec, 0x80, 0xbf, 3}, {0xed, 0x80, 0x9f, 3},
        {0xef, 0x80, 0xbf, 3}, {0xf0, 0x90, 0xbf, 4}, {0xf3, 0x80, 0xbf, 4},
        {0xf4, 0x80, 0x8f, 4}, {0xff, 0, 0, 0},
    };
    unsigned char lead = (unsigned char)text[0];
    unsigned char second;
    size_t form = 0;

    while (lead > forms[form].lead_max)
        form++;
    if (forms[form].len <= 1)
        return forms[form].len;
    second = (unsigned char)text[1];
    if (second < forms[form].low || second > forms[form].high)
        return 0;
    for (size_t i = 2; i < forms[form].len; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    return forms[form].len;
}

static bool
add_character(struct buf *buf, const char *text, size_t len)
{
    char escape[sizeof("\\u0000")];

    if (len == 0)
        return json_text_add(buf, "\\ufffd");
    if (*text == '"' || *text == '\\') /* RFC 8259, section 7 */
        return json_text_add(buf, *text == '"' ? "\\\"" : "\\\\");
    if ((unsigned char)*text >= ' ')
        return buf_add(buf, text, len);
    snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)*text);
    return json_text_add(buf, escape);
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
    if (!json_text_add(buf, "\""))
        return false;
    while (*text != '\0') {
        size_t len = plain_len(text);
        bool is_added;

        if (len > 0) {
            is_added = buf_add(buf, text, len);
        } else {
            len = character_len(text);
            is_added = add_character(buf, text, len);
        }
        if (!is_added)
            return false;
        text += len > 0 ? len : 1;
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
