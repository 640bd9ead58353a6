// SPDX-License-Identifier: MIT
#include "store/committer.h"

#include "store/store.h"

#include "base/util.h"
#include "lib/committing.h"
#include "lib/scratch.h"
#include "lib/store_mem.h"
#include "store/open.h"
#include "lib/tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint64_t
version_of(struct store *store, const char *tenant)
{
    struct record record;
    uint64_t version;

    MUST(store_get(store, tenant, "timer", &record) == ERR_OK);
    version = record.version;
    record_clear(&record);
    return version;
}

static void
a_write_comes_back_with_its_result(void)
{
    struct store *store = store_mem_new();
    struct committer *committer = committer_start(store);
    struct store_write write = write_timer("acme", "1");

    MUST(committer != NULL);
    MUST(committer_collect(committer) == NULL);
    MUST(!is_collectable(committer, 0));
    for (uint64_t round = 1; round <= 100; round++) {
        write.result = ERR_MAX;
        committer_submit(committer, &write);
        MUST(collect(committer) == &write);
        MUST(write.next == NULL);
        MUST(write.result == ERR_OK);
        MUST(write.version == round);
        MUST(!is_collectable(committer, 0));
        MUST(committer_collect(committer) == NULL);
    }
    committer_stop(committer);
    MUST(version_of(store, "acme") == 100);
    store_close(store);
}

static void
results_of_a_failed_commit_come_back(void)
{
    struct store *store = store_mem_new();
    struct committer *committer = committer_start(store);
    struct store_write write = write_timer("acme", "1");

    store_mem_fail(store, ERR_FULL);
    committer_submit(committer, &write);
    MUST(collect(committer) == &write);
    MUST(write.result == ERR_FULL);
    store_mem_fail(store, ERR_OK);
    committer_submit(committer, &write);
    MUST(collect(committer) == &write);
    MUST(write.result == ERR_OK);
    committer_stop(committer);
    store_close(store);
}

static void
what_queues_during_the_wait_for_the_lock_is_one_commit(void)
{
    struct store_write writes[10];
    struct store_write *list;
    struct gated gated;
    struct committer *committer;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    writes[0] = write_timer("acme", "1");
    committer_submit(committer, &writes[0]);
    sem_wait(&gated.arrived);
    /* The commit is under way: none of these waits for it. */
    for (size_t i = 1; i < ARRAY_SIZE(writes); i++) {
        writes[i] = write_timer("acme", "1");
        committer_submit(committer, &writes[i]);
    }
    MUST(!is_collectable(committer, 0));
    sem_post(&gated.gate);
    list = collect(committer);
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++, list = list->next) {
        MUST(list == &writes[i]);
        MUST(list->result == ERR_OK);
        MUST(list->version == (uint64_t)i + 1);
    }
    MUST(list == NULL);
    committer_stop(committer);
    MUST(gated.commits == 1);
    gate_destroy(&gated);
}

static void
stopping_commits_what_is_queued(void)
{
    struct store_write writes[5];
    struct gated gated;
    struct committer *committer;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
        writes[i] = write_timer("acme", "1");
        committer_submit(committer, &writes[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        sem_post(&gated.gate); /* at most so many commits */
    committer_stop(committer);
    MUST(version_of(gated.inner, "acme") == ARRAY_SIZE(writes));
    for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
        MUST(writes[i].result == ERR_OK);
    gate_destroy(&gated);
}

static void
stopping_an_idle_one_or_none(void)
{
    struct store *store = store_mem_new();

    committer_stop(NULL);
    committer_stop(committer_start(store));
    store_close(store);
}

static void
order_is_kept_over_many_commits(void)
{
    enum { COUNT = 3000 };
    static struct store_write writes[COUNT];
    struct gated gated;
    struct committer *committer;
    struct store_write *list = NULL;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    for (int i = 0; i < COUNT; i++) {
        writes[i] = write_timer("acme", "1");
        committer_submit(committer, &writes[i]);
    }
    for (int i = 0; i < COUNT; i++)
        sem_post(&gated.gate);
    for (int i = 0; i < COUNT; i++) {
        if (list == NULL)
            list = collect(committer);
        MUST(list == &writes[i]);
        MUST(list->result == ERR_OK);
        MUST(list->version == (uint64_t)i + 1);
        list = list->next;
    }
    MUST(list == NULL);
    committer_stop(committer);
    /* A commit is bounded, and takes what it can. */
    MUST(gated.commits > 1 && gated.commits < 10);
    gate_destroy(&gated);
}

static volatile sig_atomic_t signals;

static void
count_signal(int number)
{
    (void)number;
    signals++;
}

/* A signal to the process goes to any thread that does not block it. */
static void
signals_are_not_for_its_thread(void)
{
    struct store *store = store_mem_new();
    struct committer *committer = committer_start(store);
    struct store_write write = write_timer("acme", "1");
    sigset_t term, pending;

    signal(SIGTERM, count_signal);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    MUST(pthread_sigmask(SIG_SETMASK, NULL, &pending) == 0);
    MUST(!sigismember(&pending, SIGTERM)); /* put back as it was */
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    kill(getpid(), SIGTERM);
    committer_submit(committer, &write);
    MUST(collect(committer) == &write);
    MUST(signals == 0);
    MUST(sigpending(&pending) == 0);
    MUST(sigismember(&pending, SIGTERM));
    committer_stop(committer);
    store_close(store);
}

/*
 * Many writers at one key of the real store, each with the version it read:
 * no version is won twice. Reads go on in another thread's name meanwhile.
 */
static void
racers_never_win_the_same_version(void)
{
    enum { WRITERS = 64, ROUNDS = 30 };
    struct store_write writes[WRITERS];
    char *scratch = scratch_make();
    struct store_options options = {.path = scratch, .map_size = 64 << 20};
    struct committer *committer;
    struct store *store;
    char why[512];
    uint64_t won = 0;

    MUST((store_open(&options, &store, why, sizeof(why))) == ERR_OK);
    committer = committer_start(store);
    for (int round = 0; round < ROUNDS; round++) {
        int left = WRITERS;

        for (int i = 0; i < WRITERS; i++) {
            writes[i] = write_timer("acme", "1");
            writes[i].base = version_of(store, "acme");
            committer_submit(committer, &writes[i]);
        }
        while (left > 0)
            for (struct store_write *write = collect(committer); write != NULL;
                 write = write->next, left--) {
                if (write->result != ERR_OK) {
                    MUST(write->result == ERR_CONFLICT);
                    MUST(write->version > write->base);
                    continue;
                }
                won++;
                MUST(write->version == won);
                MUST(write->version == (write->base + 1));
            }
        MUST(version_of(store, "acme") == won);
    }
    MUST(won >= ROUNDS);
    committer_stop(committer);
    store_close(store);
    scratch_remove(scratch);
}

/* Threads that submit at once, as nobody does yet: none is lost. */
struct submitter {
    struct committer *committer;
    struct store_write writes[200];
    char tenant[8];
};

static void *
submit_all(void *ctx)
{
    struct submitter *submitter = ctx;

    for (size_t i = 0; i < ARRAY_SIZE(submitter->writes); i++) {
        submitter->writes[i] = write_timer(submitter->tenant, "1");
        committer_submit(submitter->committer, &submitter->writes[i]);
    }
    return NULL;
}

static void
any_thread_may_submit(void)
{
    enum { THREADS = 4 };
    static struct submitter submitters[THREADS];
    pthread_t threads[THREADS];
    struct store *store = store_mem_new();
    struct committer *committer = committer_start(store);
    size_t left = THREADS * ARRAY_SIZE(submitters[0].writes);

    for (int i = 0; i < THREADS; i++) {
        submitters[i].committer = committer;
        snprintf(submitters[i].tenant, sizeof(submitters[i].tenant), "t%d", i);
        MUST(pthread_create(&threads[i], NULL, submit_all, &submitters[i]) ==
             0);
    }
    while (left > 0)
        for (struct store_write *write = collect(committer); write != NULL;
             write = write->next, left--)
            MUST(write->result == ERR_OK);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        MUST(version_of(store, submitters[i].tenant) ==
             ARRAY_SIZE(submitters[0].writes));
    }
    committer_stop(committer);
    store_close(store);
}

int
main(void)
{
    static const struct tap_test tests[] = {
        TAP_TEST(a_write_comes_back_with_its_result),
        TAP_TEST(results_of_a_failed_commit_come_back),
        TAP_TEST(what_queues_during_the_wait_for_the_lock_is_one_commit),
        TAP_TEST(stopping_commits_what_is_queued),
        TAP_TEST(stopping_an_idle_one_or_none),
        TAP_TEST(order_is_kept_over_many_commits),
        TAP_TEST(signals_are_not_for_its_thread),
        TAP_TEST(racers_never_win_the_same_version),
        TAP_TEST(any_thread_may_submit),
    };

    return tap_run(tests, ARRAY_SIZE(tests), NULL);
}
