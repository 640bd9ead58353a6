// SPDX-License-Identifier: MIT
/* FastCGI records as a web server sends them, and those that come back. */
#ifndef RECORDS_H
#define RECORDS_H

#include "base/buf.h"

enum {
    BEGIN = 1,
    ABORT = 2,
    END = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    STDERR = 7,
    DATA = 8,
    GET_VALUES = 9,
    GET_VALUES_RESULT = 10,
    UNKNOWN_TYPE = 11
};

/* Appends a record with padding bytes of 0xaa. */
void records_add(struct buf *to, int type, int id, const char *content,
                 size_t len, int padding);

void records_add_begin(struct buf *to, int id, int role, int flags);

/* Appends a name-value pair to what is to be the content of PARAMS. */
void records_add_pair(struct buf *to, const char *name, const char *value);

/* The type of the record at *at, and moves *at behind it. */
int records_next_type(const struct buf *out, size_t *at);

#endif
