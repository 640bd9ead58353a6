// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

/* realloc would leave a copy where the bytes were. */
static bool
grow(struct buf *buf, size_t len)
{
    size_t used = buf->len, size = buf->size > 0 ? buf->size : FIRST_SIZE;
    char *grown;

    while (size - used < len)
        size *= 2;
    grown = malloc(size);
    if (grown == NULL)
        return false;
    if (used > 0)
        memcpy(grown, buf->data, used);
    buf_clear(buf);
    *buf = (struct buf){grown, used, size};
    return true;
}

bool
buf_add(struct buf *buf, const void *data, size_t len)
{
    if (len > buf->size - buf->len && !grow(buf, len))
        return false;
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    return true;
}

void
buf_consume(struct buf *buf, size_t len)
{
    size_t left = buf->len - len;

    if (left > 0)
        memmove(buf->data, buf->data + len, left);
    if (len > 0)
        explicit_bzero(buf->data + left, len);
    buf->len = left;
}

void
buf_clear(struct buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->len);
    free(buf->data);
    *buf = (struct buf){0};
}
