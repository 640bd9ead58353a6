// SPDX-License-Identifier: MIT
#include "records.h"

#include <criterion/criterion.h>
#include <string.h>

void
records_add(struct buf *to, int type, int id, const char *content, size_t len,
            int padding)
{
    unsigned char header[8] = {1,
                               (unsigned char)type,
                               (unsigned char)(id >> 8),
                               (unsigned char)id,
                               (unsigned char)(len >> 8),
                               (unsigned char)len,
                               (unsigned char)padding};
    char pad[256];

    memset(pad, 0xaa, sizeof(pad));
    cr_assert(buf_add(to, header, 8) && buf_add(to, content, len) &&
              buf_add(to, pad, (size_t)padding));
}

void
records_add_begin(struct buf *to, int id, int role, int flags)
{
    char body[8] = {0, (char)role, (char)flags};

    records_add(to, BEGIN, id, body, 8, 0);
}

void
records_add_pair(struct buf *to, const char *name, const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    unsigned char lens[5] = {
        (unsigned char)name_len, (unsigned char)(0x80 | value_len >> 24),
        (unsigned char)(value_len >> 16), (unsigned char)(value_len >> 8),
        (unsigned char)value_len};

    cr_assert(buf_add(to, lens, 5) && buf_add(to, name, name_len) &&
              buf_add(to, value, value_len));
}

int
records_next_type(const struct buf *out, size_t *at)
{
    const unsigned char *header = (const unsigned char *)out->data + *at;

    cr_assert_leq(*at + 8, out->len);
    cr_assert_eq(header[0], 1);
    *at += 8u + (size_t)(header[4] << 8 | header[5]) + header[6];
    cr_assert_leq(*at, out->len);
    return header[1];
}
