// SPDX-License-Identifier: MIT
/* A growing run of bytes. Zeroed is empty and valid. There may be a secret in
 * it: what is no longer in it is wiped from memory. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* owned */
    size_t len;
    size_t size;
};

/* Appends len bytes; false on no memory, and then nothing changed. */
bool buf_add(struct buf *buf, const void *data, size_t len)
    __attribute__((warn_unused_result));

/* Removes the first len bytes. */
void buf_consume(struct buf *buf, size_t len);

/* Frees; the buf is empty and valid. */
void buf_clear(struct buf *buf);

#endif
