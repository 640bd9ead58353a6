// SPDX-License-Identifier: MIT
/* FastCGI 1.0's records (sections 3.3 and 8 of the specification), made without
 * libfcgi. */
#ifndef SERVER_FCGI_RECORD_H
#define SERVER_FCGI_RECORD_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FCGI_VERSION_1 = 1,
    FCGI_HEADER_LEN = 8,
    FCGI_CONTENT_MAX = 65535,

    FCGI_BEGIN_REQUEST = 1,
    FCGI_ABORT_REQUEST = 2,
    FCGI_END_REQUEST = 3,
    FCGI_PARAMS = 4,
    FCGI_STDIN = 5,
    FCGI_STDOUT = 6,
    FCGI_STDERR = 7,
    FCGI_DATA = 8,
    FCGI_GET_VALUES = 9,
    FCGI_GET_VALUES_RESULT = 10,
    FCGI_UNKNOWN_TYPE = 11,

    FCGI_RESPONDER = 1,
    FCGI_KEEP_CONN = 1,

    FCGI_REQUEST_COMPLETE = 0,
    FCGI_CANT_MPX_CONN = 1,
    FCGI_UNKNOWN_ROLE = 3,
};

/* A number of two bytes in a header or body. */
static inline uint16_t
fcgi_record_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Appends a record's header; the content, of len bytes, is the caller's. */
bool fcgi_record_add_header(struct buf *out, uint8_t type, uint16_t id,
                            size_t len, uint8_t padding)
    __attribute__((warn_unused_result));

/* Appends a record of at most FCGI_CONTENT_MAX bytes, padded to a multiple of
 * eight. */
bool fcgi_record_add(struct buf *out, uint8_t type, uint16_t id,
                     const void *content, size_t len)
    __attribute__((warn_unused_result));

/* Appends the end of a request. */
bool fcgi_record_add_end(struct buf *out, uint16_t id, uint8_t protocol_status)
    __attribute__((warn_unused_result));

#endif
