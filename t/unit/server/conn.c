// SPDX-License-Identifier: MIT
#include "server/conn.h"

#include "base/util.h"
#include "server/waiting.h"

#include "lib/api_world.h"
#include "lib/records.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct conn_service service;
static struct conn *conn;
static int peer;
static struct buf got, kept;

static void
set_up(void)
{
    int ends[2];

    api_world_set_up();
    service = (struct conn_service){
        .api = &api, .waiting = waiting_start(api.store), .kept = &kept};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    conn = conn_new(ends[0], &service);
    peer = ends[1];
}

static void
tear_down(void)
{
    conn_free(conn);
    close(peer);
    buf_clear(&got);
    buf_clear(&kept);
    cr_expect(waiting_stop(service.waiting));
    api_world_tear_down();
}

TestSuite(conn, .init = set_up, .fini = tear_down, .timeout = 30);

static void
add_get(struct buf *to, const char *path, int flags)
{
    struct buf pairs = {0};

    records_add_pair(&pairs, "REQUEST_METHOD", "GET");
    records_add_pair(&pairs, "PATH_INFO", path);
    records_add_pair(&pairs, "ORDERCONF_OPERATOR", "1");
    records_add_begin(to, 1, 1, flags);
    records_add(to, PARAMS, 1, pairs.data, pairs.len, 0);
    records_add(to, PARAMS, 1, NULL, 0, 0);
    records_add(to, STDIN, 1, NULL, 0, 0);
    buf_clear(&pairs);
}

/* Has the peer send a letter's request each: r reads; w writes, as the question
 * does whether a write would be stored; W the same, and is the last one; a
 * aborts the one before; b begins one, and no more; p is a part that says
 * nothing. */
static void
send_all(const char *letters)
{
    struct buf bytes = {0};

    for (; *letters != '\0'; letters++) {
        if (*letters == 'a')
            records_add(&bytes, ABORT, 1, NULL, 0, 0);
        else if (*letters == 'b')
            records_add_begin(&bytes, 1, 1, 1);
        else if (*letters == 'p')
            records_add(&bytes, PARAMS, 77, NULL, 0, 0);
        else
            add_get(&bytes, *letters == 'r' ? "/healthz" : "/readyz",
                    *letters != 'W');
    }
    cr_assert_eq(send(peer, bytes.data, bytes.len, 0), (ssize_t)bytes.len);
    buf_clear(&bytes);
}

/* As the event loop does it: the only exchange that waits is the
 * connection's. */
static void
collect(void)
{
    struct pollfd ready = {waiting_fd(service.waiting), POLLIN, 0};

    cr_assert_eq(poll(&ready, 1, 10000), 1, "an exchange has no owner");
    waiting_collect(service.waiting);
    cr_assert_eq(waiting_next(service.waiting), conn);
    cr_assert_null(waiting_next(service.waiting));
    conn_resume(conn);
}

/* Of all that the peer has got so far. */
static int
count_ends(void)
{
    char bytes[65536];
    ssize_t len;
    size_t at = 0;
    int count = 0;

    while ((len = recv(peer, bytes, sizeof(bytes), 0)) > 0)
        cr_assert(buf_add(&got, bytes, (size_t)len));
    while (got.len - at >= 8) {
        const unsigned char *header = (const unsigned char *)got.data + at;

        if (got.len - at < 8 + (size_t)(header[4] << 8 | header[5]) + header[6])
            break; /* the rest of the record is under way */
        count += records_next_type(&got, &at) == END;
    }
    return count;
}

/* Serves what was sent, and gives how many writes had to be waited for. */
static int
serve_all(void)
{
    int writes = 0;

    for (conn_read(conn); conn->state == CONN_WAITING; collect())
        writes++;
    return writes;
}

struct sequence {
    const char *letters;
    int writes, ends;
    enum conn_state state; /* at the end */
};

Test(conn, every_request_behind_another_is_served)
{
    static const struct sequence sequences[] = {
        {"w", 1, 1, CONN_IDLE},       {"ww", 2, 2, CONN_IDLE},
        {"wrw", 2, 3, CONN_IDLE},     {"waw", 2, 2, CONN_IDLE},
        {"rwwr", 2, 4, CONN_IDLE},    {"wwwwwwwwww", 10, 10, CONN_IDLE},
        {"wbaw", 2, 3, CONN_IDLE},    {"wb", 1, 1, CONN_RECEIVING},
        {"arwaaw", 2, 3, CONN_IDLE},  {"bawb", 1, 2, CONN_RECEIVING},
        {"wWww", 2, 2, CONN_CLOSING},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
        const struct sequence *sequence = &sequences[i];

        send_all(sequence->letters);
        cr_expect_eq(serve_all(), sequence->writes, "%s", sequence->letters);
        cr_expect_eq(count_ends(), sequence->ends, "%s", sequence->letters);
        cr_expect_eq(conn->state, sequence->state, "%s", sequence->letters);
        cr_expect_eq(conn->rest.len > 0, conn->state == CONN_CLOSING);
        tear_down();
        set_up();
    }
}

Test(conn, a_draining_one_closes_when_all_that_has_arrived_is_answered)
{
    send_all("ww");
    conn_read(conn);
    send_all("wrw"); /* is in the socket when the service is to stop */
    service.is_draining = true;
    cr_assert_eq(conn->state, CONN_WAITING);
    for (int i = 0; i < 2; i++)
        collect();
    cr_assert_eq(conn->state, CONN_IDLE);
    cr_assert_eq(serve_all(), 2);
    cr_assert_eq(conn->state, CONN_CLOSING);
    cr_assert_eq(count_ends(), 5);
}

Test(conn, a_peer_that_does_not_read_holds_up_only_itself)
{
    char letters[200];
    int ends = 0, turns = 0;

    cr_assert_eq(
        setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0);
    memset(letters, 'r', sizeof(letters));
    letters[sizeof(letters) - 1] = '\0';
    letters[100] = 'w';
    send_all(letters);
    conn_read(conn);
    while (turns++ < 1000 && ends < (int)strlen(letters)) {
        if (conn->state == CONN_WAITING)
            collect();
        if (conn->state == CONN_SENDING)
            conn_write(conn);
        ends = count_ends();
    }
    cr_assert_eq(ends, (int)strlen(letters));
    cr_assert_gt(turns, 1, "the socket took all of it at once");
    cr_assert_eq(conn->state, CONN_IDLE);
}

/* Nothing of the answer is left in the memory that the next one gets. */
Test(conn, the_memory_of_an_answer_is_wiped_and_used_again)
{
    const char *first;

    send_all("r");
    conn_read(conn);
    cr_assert_eq(count_ends(), 1);
    cr_assert_null(conn->out.data);
    cr_assert_not_null(kept.data);
    cr_expect_eq(kept.len, 0);
    for (size_t i = 0; i < kept.size && i < got.len; i++)
        cr_assert_eq(kept.data[i], '\0');
    first = kept.data;
    send_all("wr");
    cr_expect_eq(serve_all(), 1);
    cr_expect_eq(count_ends(), 3);
    cr_expect_eq(kept.data, first);
    cr_expect_null(conn->out.data);
}

/* It has the memory while the peer does not read; another one gets its own, and
 * one of the two is kept. */
Test(conn, an_answer_under_way_keeps_its_memory)
{
    char letters[200] = "";
    struct conn *slow = conn;
    int slow_peer = peer, ends[2];

    cr_assert_eq(
        setsockopt(slow->fd, SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0);
    memset(letters, 'r', sizeof(letters) - 1);
    send_all(letters);
    conn_read(slow);
    cr_assert_eq(slow->state, CONN_SENDING);
    cr_assert_not_null(slow->out.data);
    cr_assert_null(kept.data);

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    conn = conn_new(ends[0], &service);
    peer = ends[1];
    send_all("r");
    conn_read(conn);
    cr_expect_eq(count_ends(), 1);
    cr_expect_not_null(kept.data);
    cr_expect_neq(kept.data, slow->out.data);
    conn_free(slow);
    close(slow_peer);
}

Test(conn, its_time_begins_again_with_each_part_of_a_request)
{
    struct buf bytes = {0};

    send_all("b");
    conn_read(conn);
    cr_assert_eq(conn->state, CONN_RECEIVING);
    cr_assert(conn->is_timed_anew, "a part of a request");
    conn->is_timed_anew = false;
    send_all("a");
    conn_read(conn);
    cr_assert_eq(conn->state, CONN_IDLE);
    cr_assert(conn->is_timed_anew, "a request has ended");

    conn->is_timed_anew = false;
    records_add(&bytes, GET_VALUES, 0, NULL, 0, 0);
    cr_assert_eq(send(peer, bytes.data, bytes.len, 0), (ssize_t)bytes.len);
    buf_clear(&bytes);
    conn_read(conn);
    cr_assert_eq(conn->state, CONN_IDLE);
    cr_assert(!conn->is_timed_anew, "what belongs to no request");
}

/* The status of the first answer that the peer has got. */
static int
first_status(void)
{
    (void)count_ends();
    cr_assert_gt(got.len, 8 + strlen("Status: 408"));
    return (int)strtol(got.data + 8 + strlen("Status: "), NULL, 10);
}

/* The peer may still be sending, and has to see the answer first. */
static void
assert_late(void)
{
    int ends = count_ends();

    cr_assert_eq(first_status(), 408);
    cr_assert_eq(conn->state, CONN_RECEIVING);
    cr_assert(conn->is_timed_anew);
    send_all("r");
    conn_read(conn);
    cr_assert_eq(count_ends(), ends, "what is late is dropped");
    conn_expire(conn);
    cr_assert_eq(conn->state, CONN_CLOSING);
}

Test(conn, a_request_that_stalls_is_told_so)
{
    send_all("b");
    conn_read(conn);
    conn_expire(conn);
    assert_late();
}

Test(conn, a_request_may_take_a_minute_and_no_more)
{
    send_all("b");
    conn_read(conn);
    conn->began -= 59000;
    send_all("p");
    conn_read(conn);
    cr_assert_eq(conn->state, CONN_RECEIVING);
    cr_assert(!conn->fcgi.scan.is_over);
    conn->began -= 2000;
    send_all("p");
    conn_read(conn);
    assert_late();
}

Test(conn, the_minute_is_each_requests_own)
{
    send_all("b");
    conn_read(conn);
    conn->began -= 59000;
    send_all("ab");
    conn_read(conn);
    conn->began -= 59000;
    send_all("p");
    conn_read(conn);
    cr_assert(!conn->fcgi.scan.is_over);
}

Test(conn, whoever_is_in_no_request_is_told_nothing)
{
    conn_expire(conn);
    cr_assert_eq(conn->state, CONN_CLOSING);
    cr_assert_eq(count_ends(), 0);
    cr_assert_eq(got.len, 0);
}

Test(conn, too_many_parameters_are_a_431_and_the_connection_goes_on)
{
    static char name[65000];
    struct buf bytes = {0}, pairs = {0};

    memset(name, 'A', sizeof(name) - 1);
    records_add_pair(&pairs, name, "v");
    records_add_begin(&bytes, 1, 1, 1);
    for (int i = 0; i < 2; i++)
        records_add(&bytes, PARAMS, 1, pairs.data, pairs.len, 0);
    records_add(&bytes, PARAMS, 1, NULL, 0, 0);
    records_add(&bytes, STDIN, 1, NULL, 0, 0);
    cr_assert_eq(send(peer, bytes.data, bytes.len, 0), (ssize_t)bytes.len);
    for (int i = 0; i < 3; i++)
        conn_read(conn);
    cr_assert_eq(first_status(), 431);
    cr_assert_eq(conn->state, CONN_IDLE);
    send_all("r");
    cr_assert_eq(serve_all(), 0);
    cr_assert_eq(count_ends(), 2);
    buf_clear(&pairs);
    buf_clear(&bytes);
}

Test(conn, what_a_peer_has_sent_is_no_silence)
{
    cr_assert(conn_is_silent(conn));
    send_all("b");
    cr_assert(!conn_is_silent(conn));
    conn_read(conn);
    cr_assert(conn_is_silent(conn));
    cr_assert_eq(shutdown(peer, SHUT_WR), 0);
    cr_assert(!conn_is_silent(conn));
}
