// SPDX-License-Identifier: MIT
#include "server/fcgi_pairs.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

int
fcgi_pairs_read(char *bytes, size_t len, struct fcgi_pair *pairs, int max)
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
