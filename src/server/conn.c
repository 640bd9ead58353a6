// SPDX-License-Identifier: MIT
#include "server/conn.h"

#include "api/route.h"
#include "base/process.h"
#include "server/waiting.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for a problem of one short message, its header fields and records. */
#define REFUSAL_MAX 4096

/* From the first byte of a request to its last. */
#define REQUEST_MS 60000

/* More than most answers take. A larger buffer is not kept. */
#define KEPT_MAX 65536

/*
 * The time runs from the end of the request before, from the last byte of a
 * request that came, and from the last byte that the peer took. The two states
 * without a time have an owner of ours: the committer answers whatever it has,
 * and a connection that is closing is freed after the batch of events. nginx
 * closes its own idle connections after 60 s.
 */
const struct conn_wait conn_waits[CONN_STATE_MAX] = {
    [CONN_IDLE] = {EPOLLIN, 300000}, [CONN_RECEIVING] = {EPOLLIN, 10000},
    [CONN_WAITING] = {0, -1},        [CONN_SENDING] = {EPOLLOUT, 10000},
    [CONN_CLOSING] = {0, -1},
};

struct conn *
conn_new(int fd, const struct conn_service *service)
{
    struct conn *conn = calloc(1, sizeof(*conn));

    if (conn != NULL) {
        conn->fd = fd;
        conn->service = service;
    }
    return conn;
}

void
conn_free(struct conn *conn)
{
    close(conn->fd);
    fcgi_clear(&conn->fcgi);
    buf_clear(&conn->rest);
    buf_clear(&conn->out);
    exchange_clear(&conn->exchange);
    free(conn);
}

/* Makes room for what is to be sent, without asking for memory each time. */
static struct buf *
open_out(struct conn *conn)
{
    if (conn->out.data == NULL) {
        conn->out = *conn->service->kept;
        *conn->service->kept = (struct buf){0};
    }
    return &conn->out;
}

/* All is sent: the next answer is written to the same memory, whichever
 * connection it is for. */
static void
close_out(struct conn *conn)
{
    struct buf *kept = conn->service->kept;

    if (kept->data == NULL && conn->out.size <= KEPT_MAX)
        *kept = conn->out;
    else
        buf_clear(&conn->out);
    conn->out = (struct buf){0};
}

/* Sends as much as the socket takes. */
static void
send_out(struct conn *conn)
{
    while (conn->out.len > 0) {
        ssize_t sent =
            send(conn->fd, conn->out.data, conn->out.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            conn->state = CONN_SENDING;
            return;
        }
        if (sent < 0) {
            conn->state = CONN_CLOSING;
            return;
        }
        buf_consume(&conn->out, (size_t)sent);
    }
    close_out(conn);
    /* Whoever still sends reads the answer before it sees us close. */
    if (conn->fcgi.scan.is_over)
        (void)shutdown(conn->fd, SHUT_WR);
    if (conn->is_last)
        conn->state = CONN_CLOSING;
    else
        conn->state =
            fcgi_scan_is_idle(&conn->fcgi.scan) ? CONN_IDLE : CONN_RECEIVING;
}

bool
conn_is_silent(const struct conn *conn)
{
    char byte;

    return conn->behind == 0 &&
           recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

/* The request is over: sends its end, and lets go of what it held. */
static void
finish(struct conn *conn, bool has_answer)
{
    bool keeps_connection = conn->fcgi.scan.keeps_connection;

    conn->is_timed_anew = true;
    conn->began = 0;
    if (!keeps_connection ||
        (conn->service->is_draining && conn_is_silent(conn)))
        conn->is_last = true;
    exchange_clear(&conn->exchange);
    fcgi_next(&conn->fcgi);
    if (keeps_connection && conn->is_last && has_answer)
        has_answer = fcgi_scan_add_bye(&conn->fcgi.scan, open_out(conn));
    if (has_answer)
        send_out(conn);
    else
        conn->state = CONN_CLOSING;
}

/*
 * There is no memory for an answer. The one that says so needs none: it is
 * made here, and sent at once or not at all. The connection closes, because
 * the request may not be read to its end.
 */
static void
refuse(struct conn *conn)
{
    char bytes[REFUSAL_MAX];
    struct buf out = {.data = bytes, .size = sizeof(bytes)};
    struct exchange *exchange = &conn->exchange;

    route_refuse(exchange, ERR_NOMEM);
    conn->state = CONN_CLOSING;
    if (conn->out.len == 0 &&
        fcgi_refuse(&conn->fcgi, &exchange->request, &exchange->response, &out))
        (void)!send(conn->fd, out.data, out.len, MSG_NOSIGNAL);
}

static void
answer(struct conn *conn)
{
    struct exchange *exchange = &conn->exchange;
    size_t before = conn->out.len;

    if (fcgi_respond(&conn->fcgi, &exchange->request, &exchange->response,
                     open_out(conn))) {
        finish(conn, true);
    } else {
        conn->out.len = before;
        refuse(conn);
    }
}

/* Refuses a request that there was not even the memory to read. */
static void
refuse_unread(struct conn *conn)
{
    request_clear(&conn->exchange.request);
    (void)request_init(&conn->exchange.request, (char *[]){NULL});
    refuse(conn);
}

/* Refuses a request whose parameters were not read. */
static bool
add_refusal(struct conn *conn, enum err err)
{
    struct exchange *exchange = &conn->exchange;

    (void)request_init(&exchange->request, (char *[]){NULL});
    route_refuse(exchange, err);
    return fcgi_refuse(&conn->fcgi, &exchange->request, &exchange->response,
                       &conn->out);
}

/* Sends the answer; or has the exchange parked, for as long as the connection
 * waits. */
static void
go_on(struct conn *conn, enum route_outcome outcome)
{
    if (outcome == ROUTE_ANSWERED) {
        answer(conn);
        return;
    }
    conn->state = CONN_WAITING;
    waiting_park(conn->service->waiting, &conn->exchange, conn);
}

static void
serve(struct conn *conn)
{
    struct exchange *exchange = &conn->exchange;
    enum err err;

    if (conn->fcgi.scan.is_oversized) {
        finish(conn, add_refusal(conn, ERR_FIELDS));
        return;
    }
    err = fcgi_request(&conn->fcgi, &exchange->request);
    if (err == ERR_NOMEM) {
        refuse_unread(conn);
        return;
    }
    if (err != ERR_OK) {
        conn->state = CONN_CLOSING;
        return;
    }
    go_on(conn, route_serve(conn->service->api, exchange));
}

/* Sends the protocol's own replies, which belong to no request. */
static bool
take_replies(struct conn *conn)
{
    struct buf *replies = &conn->fcgi.scan.replies;
    bool is_taken = replies->len == 0 ||
                    buf_add(open_out(conn), replies->data, replies->len);

    buf_clear(replies);
    return is_taken;
}

/* Does what the bytes that were read ask for. */
static void
act(struct conn *conn, enum fcgi_progress progress)
{
    if (progress == FCGI_STARVED)
        refuse_unread(conn);
    else if (!take_replies(conn))
        conn->state = CONN_CLOSING;
    else if (progress == FCGI_COMPLETE)
        serve(conn);
    else if (progress == FCGI_ABORTED)
        finish(conn, fcgi_scan_add_end(&conn->fcgi.scan, open_out(conn)));
    else
        send_out(conn);
}

/* Uses bytes until they end, or until a request has to wait. */
static void
feed(struct conn *conn, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t used;
        enum fcgi_progress progress =
            fcgi_scan_feed(&conn->fcgi.scan, bytes, len, &used);

        /* What was right before it has its answer first. */
        conn->is_last = conn->is_last || progress == FCGI_BROKEN;
        bytes += used;
        len -= used;
        conn->behind = len;
        act(conn, progress);
        if (conn->state == CONN_CLOSING)
            return;
        if (conn->state == CONN_WAITING || conn->state == CONN_SENDING) {
            if (!buf_add(&conn->rest, bytes, len))
                conn->is_last = true;
            return;
        }
    }
}

/* Serves what arrived behind a request that is now answered. */
static void
feed_rest(struct conn *conn)
{
    struct buf rest = conn->rest;

    if (conn->state == CONN_IDLE || conn->state == CONN_RECEIVING) {
        conn->rest = (struct buf){0};
        feed(conn, rest.data, rest.len);
        buf_clear(&rest);
    }
}

void
conn_expire(struct conn *conn)
{
    struct fcgi_scan *scan = &conn->fcgi.scan;

    if (conn->state != CONN_RECEIVING || scan->id == 0 || scan->is_over) {
        conn->state = CONN_CLOSING;
        return;
    }
    /* What still comes is dropped, until the peer has seen the answer. */
    scan->is_over = true;
    scan->keeps_connection = true;
    finish(conn, add_refusal(conn, ERR_TIMEOUT));
}

/* A part of a request gives the peer time for the next one, though not for
 * ever. */
static void
run_time(struct conn *conn)
{
    int64_t now;

    if (conn->state != CONN_RECEIVING)
        return;
    now = process_now_ms();
    conn->is_timed_anew = true;
    if (conn->began == 0)
        conn->began = now;
    else if (now - conn->began > REQUEST_MS)
        conn_expire(conn);
}

void
conn_read(struct conn *conn)
{
    static char bytes[65536]; /* one event loop, one connection at a time */
    ssize_t len = recv(conn->fd, bytes, sizeof(bytes), 0);

    if (len > 0) {
        feed(conn, bytes, (size_t)len);
        run_time(conn);
    } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        conn->state = CONN_CLOSING;
    }
}

void
conn_write(struct conn *conn)
{
    size_t before = conn->out.len;

    send_out(conn);
    conn->is_timed_anew = conn->is_timed_anew || conn->out.len < before;
    feed_rest(conn);
}

void
conn_resume(struct conn *conn)
{
    go_on(conn, route_resume(conn->service->api, &conn->exchange));
    feed_rest(conn);
}

void
conn_bye(struct conn *conn)
{
    if (conn->fcgi.scan.last_id == 0)
        return;
    if (fcgi_scan_add_bye(&conn->fcgi.scan, open_out(conn)))
        send_out(conn);
}

void
conn_list_remove(struct conn_list *list, struct conn *conn)
{
    *(conn->prev != NULL ? &conn->prev->next : &list->first) = conn->next;
    *(conn->next != NULL ? &conn->next->prev : &list->last) = conn->prev;
    conn->prev = conn->next = NULL;
}

void
conn_list_append(struct conn_list *list, struct conn *conn)
{
    conn->prev = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = conn;
    list->last = conn;
}
