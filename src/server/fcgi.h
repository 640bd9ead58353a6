// SPDX-License-Identifier: MIT
/*
 * FastCGI 1.0: records to a struct request, and a response to records.
 *
 * Works on bytes in memory and never on a descriptor, so that a peer which
 * sends half a record, or one byte at a time, costs the event loop nothing.
 * One request at a time on a connection; a peer that multiplexes is told so.
 */
#ifndef SERVER_FCGI_H
#define SERVER_FCGI_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;
struct response;

/* Bytes of all parameters of a request; nginx's headers stay below half. */
#define FCGI_PARAMS_MAX 65536

/* The reading side of a connection. Zeroed is a valid start. */
struct fcgi {
    struct { /* the record under way */
        uint8_t header[8];
        size_t header_len;
        size_t content_left;
        size_t padding_left;
        struct buf content; /* of a record that is read as a whole */
    } record;
    uint16_t id;      /* the request under way; 0: none */
    uint16_t last_id; /* the one before; 0: none yet */
    bool keeps_connection;
    bool has_params; /* the parameters are complete */
    bool is_starved; /* there was no memory for a part of it */
    struct buf params;
    struct buf body;    /* at most HTTP_BODY_MAX + 1 bytes; the rest is read
                           and dropped */
    struct buf replies; /* answers of the protocol itself, for the caller to
                           send and clear */
};

enum fcgi_progress {
    FCGI_MORE,     /* all bytes used, the request is not complete */
    FCGI_COMPLETE, /* a request is complete; bytes may be left over */
    FCGI_ABORTED,  /* the peer gave up its request; send fcgi_end */
    FCGI_BROKEN,   /* not FastCGI, or too big: close */
    FCGI_STARVED,  /* no memory for the request: an answer may be sent; close */
};

/* True if no byte of a request, nor of a record, has arrived. */
bool fcgi_is_idle(const struct fcgi *fcgi);

/* Reads bytes up to the end of a request; *used_out is how many. */
enum fcgi_progress fcgi_feed(struct fcgi *fcgi, const char *bytes, size_t len,
                             size_t *used_out);

/*
 * Fills request from the complete one; its text lives until fcgi_next. False
 * if the parameters are malformed or hold a NUL. Call once per request.
 */
bool fcgi_request(struct fcgi *fcgi, struct request *request);

/* Appends the response as records, with the end of the request. */
bool fcgi_respond(const struct fcgi *fcgi, const struct request *request,
                  const struct response *response, struct buf *out)
    __attribute__((warn_unused_result));

/* Appends the end of a request that gets no response. */
bool fcgi_end(const struct fcgi *fcgi, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * Appends a sign that the peer, which wants to keep the connection, had better
 * not: an empty record of its last request's stderr. nginx drops a connection
 * from its pool when anything but the end of a request comes on it; and if it
 * has just sent another request, the record is a harmless part of the answer.
 */
bool fcgi_bye(const struct fcgi *fcgi, struct buf *out)
    __attribute__((warn_unused_result));

/* Forgets the request; ready for the next one on the connection. */
void fcgi_next(struct fcgi *fcgi);

/* Frees everything. */
void fcgi_clear(struct fcgi *fcgi);

#endif
