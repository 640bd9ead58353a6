// SPDX-License-Identifier: MIT
#include "decode.h"

#include "utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char bad_escape[] = "is not valid JSON: bad escape";
static const char half_pair[] = "is not valid JSON: half a surrogate pair";

static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The number in \uXXXX at text; -1 if it is none. */
static int32_t
unit_parse(const char *text, const char *end)
{
    int32_t unit = 0;

    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(text[i]);

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* \uXXXX, or a pair of them for what is beyond the first plane. */
static const char *
read_unicode(const char **at, const char *end, char **put)
{
    int32_t point = unit_parse(*at, end);
    int32_t low;

    if (point < 0)
        return bad_escape;
    if (point == 0)
        return "holds a NUL character";
    if (point >= 0xdc00 && point <= 0xdfff)
        return half_pair;
    if (point >= 0xd800 && point <= 0xdbff) {
        low = unit_parse(*at + 6, end);
        if (low < 0xdc00 || low > 0xdfff)
            return half_pair;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        *at += 6;
    }
    *at += 6;
    *put = utf8_put(*put, point);
    return NULL;
}

static const char *
read_escape(const char **at, const char *end, char **put)
{
    static const char names[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";
    const char *name;

    if (end - *at < 2)
        return bad_escape;
    if ((*at)[1] == 'u')
        return read_unicode(at, end, put);
    name = memchr(names, (*at)[1], sizeof(names) - 1);
    if (name == NULL)
        return bad_escape;
    *(*put)++ = bytes[name - names];
    *at += 2;
    return NULL;
}

const char *
decode_string(const char *content, size_t len, char *text, size_t *len_out,
              size_t *bad_at_out)
{
    const char *at = content;
    const char *end = content + len;
    const char *fault = NULL;
    char *put = text;

    while (at < end && fault == NULL) {
        if (*at == '\\')
            fault = read_escape(&at, end, &put);
        else if ((unsigned char)*at >= ' ')
            *put++ = *at++;
        else
            fault = "is not valid JSON: control character in a string";
    }
    if (fault != NULL)
        *bad_at_out = (size_t)(at - content);
    else
        *len_out = (size_t)(put - text);
    return fault;
}
