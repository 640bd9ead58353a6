// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#define REPLACEMENT 0xfffd

size_t
utf8_read(const char *text, size_t len, uint32_t *point_out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)text[0];
    size_t size = first < 0x80         ? 1
                  : first >> 5 == 0x06 ? 2
                  : first >> 4 == 0x0e ? 3
                  : first >> 3 == 0x1e ? 4
                                       : SIZE_MAX;
    uint32_t point;

    *point_out = UTF8_NONE;
    if (size > len)
        return 1;
    point = size == 1 ? first : first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 1;
        point = point << 6 | (text[i] & 0x3f);
    }
    if (point < least[size] || point > 0x10ffff || point >> 11 == 0x1b)
        return 1;
    *point_out = point;
    return size;
}

/* Every byte begins a character that does not go on with one. */
size_t
utf8_count(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += (text[i] & 0xc0) != 0x80;
    return count;
}

static char *
put_utf16(char *at, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";

    *at++ = '\\';
    *at++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *at++ = digits[unit >> shift & 0xf];
    return at;
}

static char *
put_escaped(char *at, uint32_t point)
{
    if (point < 0x10000)
        return put_utf16(at, point);
    at = put_utf16(at, 0xd7c0 + (point >> 10));
    return put_utf16(at, 0xdc00 + (point & 0x3ff));
}

static char *
put_utf8(char *at, uint32_t point)
{
    int more = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};

    *at++ = (char)(lead[more] | point >> 6 * more);
    while (more-- > 0)
        *at++ = (char)(0x80 | (point >> 6 * more & 0x3f));
    return at;
}

size_t
utf8_put_json(char out[UTF8_JSON_MAX], uint32_t point, bool is_ascii)
{
    char *at = out;

    if (point == UTF8_NONE)
        at = put_utf16(at, REPLACEMENT);
    else if (point < 0x20 || (is_ascii && point >= 0x7f))
        at = put_escaped(at, point);
    else {
        if (point == '"' || point == '\\')
            *at++ = '\\';
        at = put_utf8(at, point);
    }
    return (size_t)(at - out);
}
