// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

bool
buf_add(struct buf *buf, const void *data, size_t len)
{
    if (len > buf->size - buf->len) {
        size_t size = buf->size > 0 ? buf->size : FIRST_SIZE;
        char *grown;

        while (size - buf->len < len)
            size *= 2;
        grown = realloc(buf->data, size);
        if (grown == NULL)
            return false;
        buf->data = grown;
        buf->size = size;
    }
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
    if (buf->data != NULL) /* there may be a secret in it */
        explicit_bzero(buf->data, buf->len);
    free(buf->data);
    *buf = (struct buf){0};
}
