// SPDX-License-Identifier: MIT
#include "server/fcgi_pairs.h"

#include "http/http.h"

#include <string.h>

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

bool
fcgi_pairs_next(struct fcgi_pairs *pairs, struct fcgi_pair *pair_out)
{
    const uint8_t *at = pairs->at;
    size_t name_len, value_len;

    if (!read_length(&at, pairs->end, &name_len) ||
        !read_length(&at, pairs->end, &value_len) ||
        name_len > (size_t)(pairs->end - at) ||
        value_len > (size_t)(pairs->end - at) - name_len)
        return false;
    pair_out->name = (const char *)at;
    pair_out->name_len = name_len;
    pair_out->value = (const char *)at + name_len;
    pair_out->value_len = value_len;
    pairs->at = at + name_len + value_len;
    return true;
}

static bool
is_sound(const struct fcgi_pair *pair)
{
    return memchr(pair->name, '=', pair->name_len) == NULL &&
           memchr(pair->name, '\0', pair->name_len + pair->value_len) == NULL;
}

bool
fcgi_pairs_tidy(char *bytes, size_t *len_inout)
{
    struct fcgi_pairs pairs = {(uint8_t *)bytes, (uint8_t *)bytes + *len_inout};
    const uint8_t *kept = pairs.at; /* from here on: pairs that are read */
    const uint8_t *start = pairs.at;
    struct fcgi_pair pair;
    char *to = bytes;

    while (fcgi_pairs_next(&pairs, &pair)) {
        if (!is_sound(&pair))
            return false;
        if (!request_reads(pair.name, pair.name_len, pair.value_len)) {
            memmove(to, kept, (size_t)(start - kept));
            to += start - kept;
            kept = pairs.at;
        }
        start = pairs.at;
    }
    if (pairs.at != pairs.end)
        return false;
    memmove(to, kept, (size_t)(pairs.end - kept));
    *len_inout = (size_t)(to - bytes) + (size_t)(pairs.end - kept);
    return true;
}
