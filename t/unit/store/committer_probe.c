// SPDX-License-Identifier: MIT
/* Whether the store would store, asked of the thread that commits. */
#include "store/committer.h"

#include "base/util.h"
#include "lib/committing.h"
#include "lib/store_mem.h"
#include "lib/tap.h"

/* Waits for the answer to question number. */
static enum err
answer_of(struct committer *committer, uint64_t number)
{
    enum err probed;

    while (committer_probed(committer, &probed) < number)
        MUST(collect(committer) == NULL);
    return probed;
}

static void
a_question_is_answered(void)
{
    struct store *store = store_mem_new();
    struct committer *committer = committer_start(store);
    enum err probed;

    MUST(committer_probed(committer, &probed) == 0);
    MUST(committer_probe(committer) == 1);
    MUST(answer_of(committer, 1) == ERR_OK);
    MUST(committer_probed(committer, &probed) == 1);
    (void)committer_collect(committer);
    MUST(!is_collectable(committer, 0));
    store_mem_fail(store, ERR_FULL);
    MUST(committer_probe(committer) == 2);
    MUST(answer_of(committer, 2) == ERR_FULL);
    committer_stop(committer);
    store_close(store);
}

/* A probe that is under way may be older than the question. */
static void
what_is_asked_meanwhile_is_answered_by_one_more_probe(void)
{
    struct gated gated;
    struct committer *committer;
    enum err probed;

    gate_init(&gated);
    committer = committer_start(&gated.store);
    MUST(committer_probe(committer) == 1);
    sem_wait(&gated.arrived);
    for (uint64_t number = 2; number < 10; number++)
        MUST(committer_probe(committer) == number);
    MUST(!is_collectable(committer, 0));
    sem_post(&gated.gate);
    sem_wait(&gated.arrived);
    MUST(collect(committer) == NULL);
    MUST(committer_probed(committer, &probed) == 1);
    sem_post(&gated.gate);
    MUST(answer_of(committer, 9) == ERR_OK);
    committer_stop(committer);
    MUST(gated.commits == 0);
    MUST(gated.probes == 2);
    gate_destroy(&gated);
}

static void
a_question_and_writes_take_turns(void)
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
    MUST(committer_probe(committer) == 1);
    sem_post(&gated.gate);
    sem_wait(&gated.arrived); /* the probe */
    MUST(collect(committer) == &first);
    committer_submit(committer, &second);
    sem_post(&gated.gate);
    MUST(answer_of(committer, 1) == ERR_OK);
    sem_post(&gated.gate);
    do /* the first time it may be the answer's signal */
        done = collect(committer);
    while (done == NULL);
    MUST(done == &second);
    committer_stop(committer);
    MUST(gated.commits == 2);
    MUST(gated.probes == 1);
    gate_destroy(&gated);
}

static void
stopping_answers_what_was_asked(void)
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
    MUST(gated.probes >= 1);
    gate_destroy(&gated);
}

int
main(void)
{
    static const struct tap_test tests[] = {
        TAP_TEST(a_question_is_answered),
        TAP_TEST(what_is_asked_meanwhile_is_answered_by_one_more_probe),
        TAP_TEST(a_question_and_writes_take_turns),
        TAP_TEST(stopping_answers_what_was_asked),
    };

    return tap_run(tests, ARRAY_SIZE(tests), NULL);
}
