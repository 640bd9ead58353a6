// SPDX-License-Identifier: MIT
#include "server/worker.h"

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "server/conn.h"
#include "server/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 16384
#define FDS_RESERVED 64 /* of the descriptors: store, key files, log */
#define EVENTS_MAX 256
#define TICK_MS 1000
#define ACCEPT_PAUSE_MS 100
#define DRAIN_MS 30000
#define DRAIN_IDLE_MS 1000
#define DRAIN_STEP_MS 5

struct worker {
    int epoll_fd;
    int listen_fd; /* -1 once drained */
    int signal_fd;
    bool is_listening;  /* the listening socket is in the epoll set */
    int64_t accept_due; /* no connection is accepted before, in ms */
    size_t count, count_max;
    struct conn_list lists[CONN_STATE_MAX];
    struct buf kept; /* the connections' */
    struct conn_service service;
};

/*
 * Watches for what the connection waits for. A connection whose exchange is
 * parked leaves the set altogether, which cannot fail: even a set without
 * events reports a peer that hung up, over and over.
 */
static void
watch(struct worker *worker, struct conn *conn)
{
    uint32_t events = conn_waits[conn->state].events;
    struct epoll_event event = {.events = events, .data.ptr = conn};
    int op = conn->watched == 0 ? EPOLL_CTL_ADD
             : events == 0      ? EPOLL_CTL_DEL
                                : EPOLL_CTL_MOD;

    if (events == conn->watched)
        return;
    if (epoll_ctl(worker->epoll_fd, op, conn->fd, &event) != 0) {
        log_event(LOG_LEVEL_ERR, "connection_lost",
                  LOG_TEXT("reason", strerror(errno)));
        conn->state = CONN_CLOSING;
        return;
    }
    conn->watched = events;
}

/* After anything was done with a connection that was in state before. */
static void
settle(struct worker *worker, struct conn *conn, enum conn_state before)
{
    if (conn->state != CONN_CLOSING)
        watch(worker, conn);
    if (conn->state == before && !conn->is_timed_anew)
        return; /* its time runs on */
    conn->is_timed_anew = false;
    conn_list_remove(&worker->lists[before], conn);
    conn_list_append(&worker->lists[conn->state], conn);
    conn->since = process_now_ms();
}

/* Frees the connections that nobody waits for any more. Only between batches
 * of events, because a batch may still name them. */
static void
free_closed(struct worker *worker)
{
    struct conn_list *closing = &worker->lists[CONN_CLOSING];

    while (closing->first != NULL) {
        struct conn *conn = closing->first;

        conn_list_remove(closing, conn);
        conn_free(conn);
        worker->count--;
    }
}

static void
close_conn(struct worker *worker, struct conn *conn)
{
    enum conn_state before = conn->state;

    conn->state = CONN_CLOSING;
    settle(worker, conn, before);
}

static void
listen_for_more(struct worker *worker, bool is_wanted)
{
    /* One waiting worker is woken for one connection, not all of them. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                .data.ptr = &worker->listen_fd};

    if (is_wanted == worker->is_listening || worker->listen_fd < 0)
        return;
    if (epoll_ctl(worker->epoll_fd, is_wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                  worker->listen_fd, &event) == 0)
        worker->is_listening = is_wanted;
}

/* Makes room for a connection: the longest idle one goes, unless its request
 * has just arrived. Without one, no more are accepted for a moment. */
static void
make_room(struct worker *worker)
{
    for (struct conn *conn = worker->lists[CONN_IDLE].first; conn != NULL;
         conn = conn->next) {
        if (conn_is_silent(conn)) {
            close_conn(worker, conn);
            return;
        }
    }
    listen_for_more(worker, false);
    /* What is short may be the system's, and then no end of ours tells. */
    worker->accept_due = process_now_ms() + ACCEPT_PAUSE_MS;
}

/* Accepts one connection; false if there is none. */
static bool
accept_conn(struct worker *worker)
{
    struct conn *conn;
    int fd;

    if (worker->count >= worker->count_max) {
        make_room(worker);
        return false;
    }
    fd = accept4(worker->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            make_room(worker);
        return errno == ECONNABORTED || errno == EINTR;
    }
    /* Fails on a unix socket, which needs no such thing. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    conn = conn_new(fd, &worker->service);
    if (conn == NULL) {
        close(fd);
        return false;
    }
    worker->count++;
    conn->is_timed_anew = true;
    conn_list_append(&worker->lists[CONN_IDLE], conn);
    settle(worker, conn, CONN_IDLE);
    return true;
}

static void
resume_waiting(struct worker *worker)
{
    struct conn *conn;

    waiting_collect(worker->service.waiting);
    while ((conn = waiting_next(worker->service.waiting)) != NULL) {
        conn_resume(conn);
        settle(worker, conn, CONN_WAITING);
    }
}

/* While draining: takes what has connected, and lets go of the socket when
 * nobody waits there any more. */
static void
accept_rest(struct worker *worker)
{
    struct pollfd waiting = {.fd = worker->listen_fd, .events = POLLIN};

    if (worker->listen_fd < 0)
        return;
    while (worker->count < worker->count_max && accept_conn(worker))
        ;
    if (poll(&waiting, 1, 0) != 0)
        return;
    close(worker->listen_fd);
    worker->listen_fd = -1;
}

static void
start_drain(struct worker *worker)
{
    struct signalfd_siginfo info;

    /* Level-triggered: what is not read wakes the loop for ever. */
    if (read(worker->signal_fd, &info, sizeof(info)) < 0)
        return;
    if (worker->service.is_draining)
        return;
    worker->service.is_draining = true;
    listen_for_more(worker, false);
    accept_rest(worker);
}

static void
handle_event(struct worker *worker, const struct epoll_event *event)
{
    struct conn *conn = event->data.ptr;
    enum conn_state before;

    if (event->data.ptr == &worker->listen_fd) {
        accept_conn(worker);
    } else if (event->data.ptr == &worker->signal_fd) {
        start_drain(worker);
    } else if (event->data.ptr == &worker->service.waiting) {
        resume_waiting(worker);
    } else if (conn->state != CONN_CLOSING) {
        before = conn->state;
        if (before == CONN_SENDING)
            conn_write(conn);
        else
            conn_read(conn);
        settle(worker, conn, before);
    }
}

static void
expire_overdue(struct worker *worker, int64_t now)
{
    for (int state = 0; state < CONN_STATE_MAX; state++) {
        int64_t limit_ms = conn_waits[state].limit_ms;
        struct conn_list *list = &worker->lists[state];

        while (limit_ms >= 0 && list->first != NULL &&
               now - list->first->since > limit_ms) {
            struct conn *conn = list->first;

            conn_expire(conn);
            settle(worker, conn, (enum conn_state)state);
        }
    }
}

/* Asks the peers of idle connections to drop them. */
static void
say_bye(struct worker *worker)
{
    struct conn *last = worker->lists[CONN_IDLE].last, *next;

    /* Each has its time from now, and goes to the end of the list. */
    for (struct conn *conn = worker->lists[CONN_IDLE].first; conn != NULL;
         conn = next) {
        next = conn != last ? conn->next : NULL;
        conn->is_timed_anew = true;
        conn_bye(conn);
        settle(worker, conn, CONN_IDLE);
    }
}

/*
 * While draining, closes the connections whose peer has had its time: to drop
 * one that it was told about, or to send the first request on a new one, which
 * it has a right to see answered.
 */
static void
close_idle(struct worker *worker, int64_t now)
{
    struct conn *next;

    for (struct conn *conn = worker->lists[CONN_IDLE].first;
         conn != NULL && now - conn->since > DRAIN_IDLE_MS; conn = next) {
        next = conn->next;
        if (conn_is_silent(conn))
            close_conn(worker, conn);
    }
}

/* Waits for one batch of events and handles it. */
static void
turn(struct worker *worker, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(worker->epoll_fd, events, EVENTS_MAX, timeout_ms);

    for (int i = 0; i < n; i++)
        handle_event(worker, &events[i]);
    expire_overdue(worker, process_now_ms());
    free_closed(worker);
}

/* Answers what has arrived, until there is no connection any more. */
static void
drain(struct worker *worker)
{
    int64_t end = process_now_ms() + DRAIN_MS;

    say_bye(worker);
    while ((worker->count > 0 || worker->listen_fd >= 0) &&
           process_now_ms() < end) {
        accept_rest(worker);
        turn(worker, DRAIN_STEP_MS);
        close_idle(worker, process_now_ms());
    }
    if (worker->count > 0)
        log_event(LOG_LEVEL_WARNING, "drain_incomplete",
                  LOG_NUMBER("connections", (int64_t)worker->count));
}

static void
serve(struct worker *worker)
{
    while (!worker->service.is_draining) {
        listen_for_more(worker, process_now_ms() >= worker->accept_due);
        turn(worker, TICK_MS);
    }
    drain(worker);
}

/* Adds a descriptor of the worker's own; tag tells its events apart. */
static bool
watch_own(struct worker *worker, int fd, void *tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};

    return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void
say_ready(void)
{
    auto_fd null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    /* Whoever does not listen need not, nor even make room. */
    if (poll(&out, 1, 0) > 0)
        (void)!write(STDOUT_FILENO, WORKER_READY "\n",
                     strlen(WORKER_READY "\n"));
    if (null_fd >= 0)
        dup2(null_fd, STDOUT_FILENO);
    log_event(LOG_LEVEL_INFO, "worker_ready", LOG_NUMBER("parent", getppid()));
}

/*
 * A commit that does not end, because a process that is stopped has the lock,
 * keeps the committer's thread, and that the store. Both are left to the end of
 * this process, which the store bears as it bears a crash. False: so it is.
 */
static bool
stop_waiting(struct worker *worker)
{
    if (waiting_stop(worker->service.waiting))
        return true;
    log_event(LOG_LEVEL_ERR, "commit_abandoned",
              LOG_NUMBER("after_ms", DRAIN_MS));
    worker->service.api->is_abandoned = true;
    return false;
}

int
worker_open_signals(void)
{
    signal(SIGHUP, SIG_IGN); /* is for the supervisor */
    return process_open_signals((int[]){SIGTERM, SIGINT, SIGQUIT, 0});
}

int
worker_run(int listen_fd, int signal_fd, struct api *api)
{
    struct worker worker = {.listen_fd = listen_fd,
                            .signal_fd = signal_fd,
                            .service = {.api = api}};
    size_t fds = process_raise_fds(CONNECTIONS_MAX + FDS_RESERVED);
    bool is_open, is_ended;

    worker.service.kept = &worker.kept;
    worker.count_max = fds > FDS_RESERVED * 2 ? fds - FDS_RESERVED : fds / 2;
    worker.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    worker.service.waiting = waiting_start(api->store);
    /* Another worker may take the connection between our wake-up and accept. */
    is_open = fcntl(listen_fd, F_SETFL, O_NONBLOCK) == 0 &&
              worker.service.waiting != NULL &&
              watch_own(&worker, signal_fd, &worker.signal_fd) &&
              watch_own(&worker, waiting_fd(worker.service.waiting),
                        &worker.service.waiting);
    if (is_open) {
        say_ready();
        serve(&worker);
        log_event(LOG_LEVEL_INFO, "worker_stopped",
                  LOG_NUMBER("parent", getppid()));
    } else {
        log_event(LOG_LEVEL_ERR, "worker_failed",
                  LOG_TEXT("reason", strerror(errno)));
    }
    is_ended = stop_waiting(&worker);
    buf_clear(&worker.kept);
    close_fd(&worker.epoll_fd);
    return is_open && is_ended ? 0 : 1;
}
