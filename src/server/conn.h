// SPDX-License-Identifier: MIT
/*
 * One FastCGI connection: what has arrived, the exchange under way, what is
 * still to be sent. Never blocks; the event loop decides when to call.
 */
#ifndef SERVER_CONN_H
#define SERVER_CONN_H

#include "api/exchange.h"
#include "base/buf.h"
#include "server/fcgi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct waiting;

/*
 * What the connection waits for, and who ends the wait; conn_waits says how,
 * and when at the latest.
 *
 *     IDLE -> RECEIVING -> WAITING -> SENDING -> IDLE
 *
 * A state that has nothing to wait for is passed over: a read commits nothing,
 * and most answers fit into the socket. What has arrived behind a request is
 * served as soon as its answer has left, so that a state may follow itself:
 * WAITING for the next write, for instance.
 */
enum conn_state {
    CONN_IDLE,      /* the peer: for the first byte of a request */
    CONN_RECEIVING, /* the peer: for the rest of a request */
    CONN_WAITING,   /* what its exchange waits for: that is parked from the
                       moment that this state is entered, and conn_resume ends
                       it. Neither read nor freed meanwhile */
    CONN_SENDING,   /* the peer: for room in the socket */
    CONN_CLOSING,   /* the event loop: it frees the connection */
    CONN_STATE_MAX
};

/* What ends each state: events of its socket, for epoll, and if they do not
 * come, the time, after which the event loop calls conn_expire; -1: none. */
struct conn_wait {
    uint32_t events;
    int64_t limit_ms;
};

extern const struct conn_wait conn_waits[CONN_STATE_MAX];

/* What the connections of one event loop share. */
struct conn_service {
    struct api *api;
    struct waiting *waiting; /* where their exchanges are parked; the event loop
                                collects them, and calls conn_resume */
    struct buf *kept;        /* empty: what the next answer is written to */
    bool is_draining; /* a connection closes once all that has arrived on it is
                         answered */
};

struct conn {
    int fd;
    enum conn_state state;
    bool is_last; /* closes once what is left is sent */
    const struct conn_service *service;
    struct fcgi fcgi;
    size_t behind;   /* bytes that have arrived behind the request under way */
    struct buf rest; /* they, while it waits */
    struct buf out;  /* not sent yet; without memory while nothing is */
    struct exchange exchange;
    int64_t began; /* when the request under way did, in monotonic ms; 0: none,
                      or not seen yet */

    /* The event loop's. */
    struct conn *prev, *next; /* in the list of its state */
    int64_t since;            /* when its time began to run, in monotonic ms */
    bool is_timed_anew;       /* it is to begin again, also in the same state: a
                                 request has ended, or a part of one has come,
                                 or bytes have left */
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

/* Goes on with the exchange, when what it has waited for is there. */
void conn_resume(struct conn *conn);

/* Ends a wait that takes too long: whoever is in the midst of a request has an
 * answer (408) before the connection closes. */
void conn_expire(struct conn *conn);

/* True if nothing has arrived that is not served yet, not even the end. */
bool conn_is_silent(const struct conn *conn);

/* Tells the peer of an idle connection not to use it again. It may still send a
 * request, which is served. */
void conn_bye(struct conn *conn);

/* Connections that share a state, those first whose time began first. */
struct conn_list {
    struct conn *first, *last;
};

void conn_list_append(struct conn_list *list, struct conn *conn);
void conn_list_remove(struct conn_list *list, struct conn *conn);

#endif
