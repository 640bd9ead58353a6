// SPDX-License-Identifier: MIT
/* Whether the store would store, asked of the thread that commits. */
#include "store/committer.h"

#include "lib/committing.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>

TestSuite(committer_probe, .timeout = 60);

/* Waits for the answer to question number. */
static enum err
answer_of(struct committer *committer, uint64_t number)
{
    enum err probed;

    while (committer_probed(committer, &probed) < number)
        cr_assert_null(collect(committer));
    return probed;
}

Test(committer_probe, a_question_is_answered)
{
    struct store *store = store_mem_new();
    struct committer *committer = committer_start(store);
    enum err probed;

    cr_expect_eq(committer_probed(committer, &probed), 0);
    cr_assert_eq(committer_probe(committer), 1);
    cr_expect_eq(answer_of(committer, 1), ERR_OK);
    cr_expect_eq(committer_probed(committer, &probed), 1);
    (void)committer_collect(committer);
    cr_expect_not(is_collectable(committer, 0));
    store_mem_fail(store, ERR_FULL);
    cr_assert_eq(committer_probe(committer), 2);
    cr_expect_eq(answer_of(committer, 2), ERR_FULL);
    committer_stop(committer);
    store_close(store);
}

/* A probe that is under way may be older than the question. */
Test(committer_probe, what_is_asked_meanwhile_is_answered_by_one_more_probe)
{
    struct gated gated;
    struct committer *committer;
    enum err probed;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    cr_assert_eq(committer_probe(committer), 1);
    sem_wait(&gated.arrived);
    for (uint64_t number = 2; number < 10; number++)
        cr_assert_eq(committer_probe(committer), number);
    cr_expect_not(is_collectable(committer, 0));
    sem_post(&gated.gate);
    sem_wait(&gated.arrived);
    cr_assert_null(collect(committer));
    cr_expect_eq(committer_probed(committer, &probed), 1);
    sem_post(&gated.gate);
    cr_expect_eq(answer_of(committer, 9), ERR_OK);
    committer_stop(committer);
    cr_expect_eq(gated.commits, 0);
    cr_expect_eq(gated.probes, 2);
    gate_destroy(&gated);
}

Test(committer_probe, a_question_and_writes_take_turns)
{
    struct store_write first = write_timer("acme", "1");
    struct store_write second = write_timer("acme", "2");
    struct store_write *done;
    struct gated gated;
    struct committer *committer;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    committer_submit(committer, &first);
    sem_wait(&gated.arrived);
    cr_assert_eq(committer_probe(committer), 1);
    sem_post(&gated.gate);
    sem_wait(&gated.arrived); /* the probe */
    cr_assert_eq(collect(committer), &first);
    committer_submit(committer, &second);
    sem_post(&gated.gate);
    cr_expect_eq(answer_of(committer, 1), ERR_OK);
    sem_post(&gated.gate);
    do /* the first time it may be the answer's signal */
        done = collect(committer);
    while (done == NULL);
    cr_assert_eq(done, &second);
    committer_stop(committer);
    cr_expect_eq(gated.commits, 2);
    cr_expect_eq(gated.probes, 1);
    gate_destroy(&gated);
}

Test(committer_probe, stopping_answers_what_was_asked)
{
    struct gated gated;
    struct committer *committer;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    (void)committer_probe(committer);
    (void)committer_probe(committer);
    for (int i = 0; i < 2; i++)
        sem_post(&gated.gate); /* at most so many probes */
    committer_stop(committer);
    cr_expect_geq(gated.probes, 1);
    gate_destroy(&gated);
}
