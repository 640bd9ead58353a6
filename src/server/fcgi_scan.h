// SPDX-License-Identifier: MIT
/*
 * FastCGI 1.0, one connection's records: follows them as their bytes arrive,
 * and tells when a request is whole. Only then does libfcgi read it (fcgi.h),
 * which would wait for the rest of a record.
 *
 * What is no request of ours never gets there: management records, roles that
 * we do not play, requests beside the one under way, and aborts are answered
 * here; records of streams that nobody reads are dropped. The request is kept
 * as the records that libfcgi is to read: each stream in as few records as hold
 * it, in order, without padding, and with its end.
 */
#ifndef SERVER_FCGI_SCAN_H
#define SERVER_FCGI_SCAN_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of all parameters of a request, which fill one record at most; nginx's
 * header fields stay below half. */
#define FCGI_PARAMS_MAX 65535

/* Zeroed is a valid start. */
struct fcgi_scan {
    struct { /* the record under way */
        uint8_t header[8];
        size_t header_len;
        size_t content_left;
        size_t padding_left;
        uint8_t begin[8];  /* the content of FCGI_BEGIN_REQUEST */
        struct buf values; /* the content of FCGI_GET_VALUES */
    } record;
    uint16_t id;      /* the request under way; 0: none */
    uint16_t last_id; /* the one before; 0: none yet */
    bool keeps_connection;
    bool has_params;   /* the parameters are complete */
    bool is_oversized; /* they are too many, and not kept */
    bool is_starved;   /* there was no memory for a part of it */
    bool is_over;      /* the last answer said that the connection ends; what
                          still arrives is dropped */
    size_t params_len;
    size_t body_len; /* at most HTTP_BODY_MAX + 1; the rest is dropped */
    size_t open_len; /* content of the last record in request, if it may grow */
    struct buf request; /* its records */
    struct buf replies; /* answers of the protocol itself, for the caller to
                           send and clear, whatever the progress */
};

enum fcgi_progress {
    FCGI_MORE,     /* all bytes used, the request is not complete */
    FCGI_COMPLETE, /* a request is complete; bytes may be left over */
    FCGI_ABORTED,  /* the peer gave up its request; send fcgi_scan_add_end */
    FCGI_BROKEN,   /* not FastCGI, or too big: close */
    FCGI_STARVED,  /* no memory for the request: an answer may be sent; close */
};

/* True if no byte of a request, nor of a record, has arrived. */
bool fcgi_scan_is_idle(const struct fcgi_scan *scan);

/* Reads bytes up to the end of a request; *used_out is how many, or all if the
 * rest is of no use. */
enum fcgi_progress fcgi_scan_feed(struct fcgi_scan *scan, const char *bytes,
                                  size_t len, size_t *used_out);

/* Appends the end of a request that gets no response. */
bool fcgi_scan_add_end(const struct fcgi_scan *scan, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * Appends a sign that the peer, which wants to keep the connection, had better
 * not: an empty record of its last request's stderr. nginx drops a connection
 * from its pool when anything but the end of a request comes on it; and if it
 * has just sent another request, the record is a harmless part of the answer.
 */
bool fcgi_scan_add_bye(const struct fcgi_scan *scan, struct buf *out)
    __attribute__((warn_unused_result));

/* Forgets the request; ready for the next one on the connection. */
void fcgi_scan_next(struct fcgi_scan *scan);

/* Frees everything. */
void fcgi_scan_clear(struct fcgi_scan *scan);

#endif
