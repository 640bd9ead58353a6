// SPDX-License-Identifier: MIT
#include "server/waiting.h"

#include "api/route.h"
#include "base/util.h"

#include "lib/api_world.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

static struct waiting *waiting;

static void
set_up(void)
{
    api_world_set_up();
    waiting = waiting_start(api.store);
    cr_assert_not_null(waiting);
}

static void
tear_down(void)
{
    cr_expect(waiting_stop(waiting));
    api_world_tear_down();
}

TestSuite(waiting, .init = set_up, .fini = tear_down, .timeout = 30);

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
        cr_assert(is_readable(10000), "somebody is left behind");
        waiting_collect(waiting);
    }
    return exchange;
}

static void
note_resumed(struct api *served, struct exchange *exchange)
{
    cr_expect_eq(served, &api);
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

Test(waiting, each_comes_back_with_what_it_waited_for)
{
    struct exchange writer = {0}, asker = {0};

    cr_expect_null(waiting_next(waiting));
    cr_expect_not(is_readable(0));
    for (uint64_t i = 1; i <= 100; i++) {
        park_write(&writer, "acme");
        cr_assert_eq(next(), &writer);
        cr_expect_eq(writer.write.result, ERR_OK);
        cr_expect_eq(writer.write.version, i);
        park_probe(&asker);
        cr_assert_eq(next(), &asker);
        cr_expect_eq(asker.probed, ERR_OK);
        cr_expect_null(waiting_next(waiting));
        cr_expect_not(is_readable(0));
    }
    cr_expect_eq(writer.response.status + asker.response.status, 0);
}

Test(waiting, a_store_that_fails_fails_both)
{
    struct exchange writer = {0}, asker = {0};

    store_mem_fail(api.store, ERR_FULL);
    park_write(&writer, "acme");
    park_probe(&asker);
    (void)next();
    (void)next();
    cr_expect_eq(writer.write.result, ERR_FULL);
    cr_expect_eq(asker.probed, ERR_FULL);
}

Test(waiting, of_many_each_comes_back_once)
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

        cr_assert_gt(exchange, last[kind], "out of turn");
        last[kind] = exchange;
        exchange_resume(&api, exchange);
    }
    cr_expect_null(waiting_next(waiting));
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(exchanges[i].response.status, 1);
        cr_assert_eq(exchanges[i].wait.what, WAIT_NONE);
    }
}

Test(waiting, nobody_may_stop_while_somebody_waits)
{
    struct exchange asker = {0};

    park_probe(&asker);
    cr_expect_not(waiting_stop(waiting));
    waiting_collect(waiting);
    cr_expect_not(waiting_stop(waiting));
    cr_assert_eq(next(), &asker);
}

static void
write_after_all(struct api *served, struct exchange *exchange)
{
    (void)served;
    cr_expect_eq(exchange->probed, ERR_OK);
    exchange_wait(exchange, WAIT_COMMIT, note_resumed);
}

/* As one that is delayed, and then writes. */
Test(waiting, one_that_has_waited_may_wait_for_something_else)
{
    struct exchange exchange = {.write = {.tenant = "acme",
                                          .key = "timer",
                                          .value = "1",
                                          .value_len = 1,
                                          .base = STORE_ANY_VERSION}};

    for (int way = 0; way < 2; way++) {
        exchange_wait(&exchange, WAIT_PROBE, write_after_all);
        for (int waits = 2; waits > 0; waits--) {
            cr_assert_neq(exchange.wait.what, WAIT_NONE);
            if (way == 0) {
                waiting_park(waiting, &exchange, &exchange);
                cr_assert_eq(next(), &exchange);
            } else {
                exchange_wait_here(&api, &exchange);
            }
            exchange_resume(&api, &exchange);
        }
        cr_expect_eq(exchange.wait.what, WAIT_NONE);
        cr_expect_eq(exchange.response.status, way + 1);
        cr_expect_eq(exchange.write.version, way + 1);
    }
}
