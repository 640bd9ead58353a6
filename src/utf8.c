// SPDX-License-Identifier: MIT
#include "utf8.h"

#include <stdbool.h>

static bool
is_between(unsigned char byte, unsigned char first, unsigned char last)
{
    return byte >= first && byte <= last;
}

/* The bytes of the well-formed character at text; 0 if there is none. The
 * second byte's range is what keeps overlong forms, surrogates, and what is
 * beyond U+10FFFF out (RFC 3629, section 4). */
static size_t
character_length(const unsigned char *text, size_t len)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t size;

    if (text[0] < 0x80)
        return 1;
    if (is_between(text[0], 0xc2, 0xdf))
        size = 2;
    else if (is_between(text[0], 0xe0, 0xef))
        size = 3;
    else if (is_between(text[0], 0xf0, 0xf4))
        size = 4;
    else
        return 0;

    if (text[0] == 0xe0)
        low = 0xa0;
    else if (text[0] == 0xed)
        high = 0x9f;
    else if (text[0] == 0xf0)
        low = 0x90;
    else if (text[0] == 0xf4)
        high = 0x8f;
    if (size > len || !is_between(text[1], low, high))
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!is_between(text[i], 0x80, 0xbf))
            return 0;
    return size;
}

size_t
utf8_span(const char *text, size_t len)
{
    size_t at = 0;
    size_t size;

    while (at < len) {
        size = character_length((const unsigned char *)text + at, len - at);
        if (size == 0)
            break;
        at += size;
    }
    return at;
}

size_t
utf8_count(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

char *
utf8_put(char *at, int32_t point)
{
    if (point < 0x80) {
        *at++ = (char)point;
    } else if (point < 0x800) {
        *at++ = (char)(0xc0 | point >> 6);
        *at++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *at++ = (char)(0xe0 | point >> 12);
        *at++ = (char)(0x80 | (point >> 6 & 0x3f));
        *at++ = (char)(0x80 | (point & 0x3f));
    } else {
        *at++ = (char)(0xf0 | point >> 18);
        *at++ = (char)(0x80 | (point >> 12 & 0x3f));
        *at++ = (char)(0x80 | (point >> 6 & 0x3f));
        *at++ = (char)(0x80 | (point & 0x3f));
    }
    return at;
}
