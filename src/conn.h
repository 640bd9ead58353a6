// SPDX-License-Identifier: MIT
/*
 * One FastCGI connection: what has arrived, the exchange under way, what is
 * still to be sent. Never blocks; the event loop decides when to call.
 */
#ifndef CONN_H
#define CONN_H

#include "api.h"
#include "buf.h"
#include "fcgi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the connection waits for. */
enum conn_state {
    CONN_IDLE,       /* the first byte of a request */
    CONN_RECEIVING,  /* the rest of a request */
    CONN_COMMITTING, /* its write; neither read nor freed meanwhile */
    CONN_SENDING,    /* room in the socket */
    CONN_CLOSING,    /* nothing: to be freed */
    CONN_STATE_MAX
};

/* What the connections of one event loop share. */
struct conn_service {
    struct api *api;
    bool is_draining; /* connections close once their response is sent */
};

struct conn {
    int fd;
    enum conn_state state;
    bool is_last; /* closes once what is left is sent */
    const struct conn_service *service;
    struct fcgi fcgi;
    struct buf rest; /* arrived behind the request under way */
    struct buf out;  /* not sent yet */
    struct exchange exchange;

    /* The event loop's. */
    struct conn *prev, *next; /* in the list of its state */
    int64_t since;            /* when it entered its state, in monotonic ms */
    uint32_t watched;
};

/* Takes fd, which must not block. service outlives it. NULL on no memory. */
struct conn *conn_new(int fd, const struct conn_service *service);

/* Closes fd. */
void conn_free(struct conn *conn);

/* Reads what has arrived, and serves the requests that are complete. */
void conn_read(struct conn *conn);

/* Sends what is left; then serves what arrived meanwhile. */
void conn_write(struct conn *conn);

/* Sends the answer of the exchange whose write has its result. */
void conn_written(struct conn *conn);

/* Tells the peer of an idle connection not to use it again. It may still send a
 * request, which is served. */
void conn_bye(struct conn *conn);

/* Connections that share a state, the longest in it first. */
struct conn_list {
    struct conn *first, *last;
};

void conn_list_append(struct conn_list *list, struct conn *conn);
void conn_list_remove(struct conn_list *list, struct conn *conn);

#endif
