// SPDX-License-Identifier: MIT
#include "server/waiting.h"

#include "api/route.h"
#include "base/util.h"

#include "lib/api_world.h"
#include "lib/store_mem.h"
#include "lib/tap.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct waiting *waiting;

static void
tear_down(void)
{
    MUST(waiting_stop(waiting));
    api_world_tear_down();
}

static void
set_up(void)
{
    api_world_set_up();
    waiting = waiting_start(api.store);
    MUST(waiting != NULL);
    atexit(tear_down);
}

static bool
is_readable(int timeout)
{
    struct pollfd poller = {waiting_fd(waiting), POLLIN, 0};

    return poll(&poller, 1, timeout) == 1;
}

/* The next exchange that can go on; each is its own owner here. */
static struct exchange *
next(void)
{
    struct exchange *exchange;

    while ((exchange = waiting_next(waiting)) == NULL) {
        MUST(is_readable(10000));
        waiting_collect(waiting);
    }
    return exchange;
}

static void
note_resumed(struct api *served, struct exchange *exchange)
{
    MUST(served == &api);
    exchange->response.status++;
}

/* Parks an exchange that writes tenant's value, and one that asks whether it
 * could. */
static void
park_write(struct exchange *exchange, const char *tenant)
{
    exchange->write = (struct store_write){.tenant = tenant,
                                           .key = "timer",
                                           .value = "1",
                                           .value_len = 1,
                                           .base = STORE_ANY_VERSION,
                                           .result = ERR_MAX};
    exchange_wait(exchange, WAIT_COMMIT, note_resumed);
    waiting_park(waiting, exchange, exchange);
}

static void
park_probe(struct exchange *exchange)
{
    exchange->probed = ERR_MAX;
    exchange_wait(exchange, WAIT_PROBE, note_resumed);
    waiting_park(waiting, exchange, exchange);
}

static void
each_comes_back_with_what_it_waited_for(void)
{
    struct exchange writer = {0}, asker = {0};

    MUST(waiting_next(waiting) == NULL);
    MUST(!is_readable(0));
    for (uint64_t i = 1; i <= 100; i++) {
        park_write(&writer, "acme");
        MUST(next() == &writer);
        MUST(writer.write.result == ERR_OK);
        MUST(writer.write.version == i);
        park_probe(&asker);
        MUST(next() == &asker);
        MUST(asker.probed == ERR_OK);
        MUST(waiting_next(waiting) == NULL);
        MUST(!is_readable(0));
    }
    MUST((writer.response.status + asker.response.status) == 0);
}

static void
a_store_that_fails_fails_both(void)
{
    struct exchange writer = {0}, asker = {0};

    store_mem_fail(api.store, ERR_FULL);
    park_write(&writer, "acme");
    park_probe(&asker);
    (void)next();
    (void)next();
    MUST(writer.write.result == ERR_FULL);
    MUST(asker.probed == ERR_FULL);
}

static void
of_many_each_comes_back_once(void)
{
    enum { COUNT = 2000 };
    static struct exchange exchanges[COUNT];
    const struct exchange *last[2] = {NULL, NULL};

    for (int i = 0; i < COUNT; i++) {
        if (i % 2 == 0)
            park_write(&exchanges[i], "acme");
        else
            park_probe(&exchanges[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        struct exchange *exchange = next();
        size_t kind = exchange->wait.what == WAIT_PROBE;

        MUST(exchange > last[kind]);
        last[kind] = exchange;
        exchange_resume(&api, exchange);
    }
    MUST(waiting_next(waiting) == NULL);
    for (int i = 0; i < COUNT; i++) {
        MUST(exchanges[i].response.status == 1);
        MUST(exchanges[i].wait.what == WAIT_NONE);
    }
}

static void
nobody_may_stop_while_somebody_waits(void)
{
    struct exchange asker = {0};

    park_probe(&asker);
    MUST(!waiting_stop(waiting));
    waiting_collect(waiting);
    MUST(!waiting_stop(waiting));
    MUST(next() == &asker);
}

static void
write_after_all(struct api *served, struct exchange *exchange)
{
    (void)served;
    MUST(exchange->probed == ERR_OK);
    exchange_wait(exchange, WAIT_COMMIT, note_resumed);
}

/* As one that is delayed, and then writes. */
static void
one_that_has_waited_may_wait_for_something_else(void)
{
    struct exchange exchange = {.write = {.tenant = "acme",
                                          .key = "timer",
                                          .value = "1",
                                          .value_len = 1,
                                          .base = STORE_ANY_VERSION}};

    for (int way = 0; way < 2; way++) {
        exchange_wait(&exchange, WAIT_PROBE, write_after_all);
        for (int waits = 2; waits > 0; waits--) {
            MUST(exchange.wait.what != WAIT_NONE);
            if (way == 0) {
                waiting_park(waiting, &exchange, &exchange);
                MUST(next() == &exchange);
            } else {
                exchange_wait_here(&api, &exchange);
            }
            exchange_resume(&api, &exchange);
        }
        MUST(exchange.wait.what == WAIT_NONE);
        MUST(exchange.response.status == (way + 1));
        MUST(exchange.write.version == (uint64_t)way + 1);
    }
}

int
main(void)
{
    static const struct tap_test tests[] = {
        TAP_TEST(each_comes_back_with_what_it_waited_for),
        TAP_TEST(a_store_that_fails_fails_both),
        TAP_TEST(of_many_each_comes_back_once),
        TAP_TEST(nobody_may_stop_while_somebody_waits),
        TAP_TEST(one_that_has_waited_may_wait_for_something_else),
    };

    return tap_run(tests, ARRAY_SIZE(tests), set_up);
}
