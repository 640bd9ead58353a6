// SPDX-License-Identifier: MIT
/*
 * FastCGI: a connection's request as a struct request, and the response to it.
 *
 * libfcgi carries the protocol, but it never waits: fcgi_scan.h tells when a
 * request is whole, and libfcgi then reads it from memory and writes its answer
 * to memory (fcgi_os.h). A peer that sends half a record, or one byte at a
 * time, costs the event loop nothing.
 */
#ifndef SERVER_FCGI_H
#define SERVER_FCGI_H

#include "base/err.h"
#include "server/fcgi_scan.h"

#include <stdbool.h>

struct FCGX_Request;
struct request;
struct response;

/* Zeroed is a valid start. */
struct fcgi {
    struct fcgi_scan scan;
    struct FCGX_Request *app; /* libfcgi's, for one request after the other;
                                 NULL before the first one */
    char *body;
};

/*
 * Fills request from the complete one; its text lives until fcgi_next. Call
 * once per request, which libfcgi then holds until fcgi_next: 9 KiB and what
 * the parameters and the body take.
 * ERR_BADREQ: libfcgi does not take what the scanner has kept.
 * ERR_NOMEM: no memory of ours. libfcgi ends the process if it has none.
 */
enum err fcgi_request(struct fcgi *fcgi, struct request *request);

/* Appends the response as records, with the end of the request. False on no
 * memory; then a part of it may have been appended. */
bool fcgi_respond(struct fcgi *fcgi, const struct request *request,
                  const struct response *response, struct buf *out)
    __attribute__((warn_unused_result));

/* The same without libfcgi, for when there is no memory: head and body have to
 * fit one record. Needs no complete request. */
bool fcgi_refuse(const struct fcgi *fcgi, const struct request *request,
                 const struct response *response, struct buf *out)
    __attribute__((warn_unused_result));

/* Forgets the request; ready for the next one on the connection. */
void fcgi_next(struct fcgi *fcgi);

/* Frees everything. */
void fcgi_clear(struct fcgi *fcgi);

#endif
