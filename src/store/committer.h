// SPDX-License-Identifier: MIT
/*
 * The thread that commits. Writes queue up while a flush is under way, and the
 * next commit takes them all: one flush serves many writers. It also probes the
 * store, which waits as a commit does: one probe answers all who have asked.
 */
#ifndef STORE_COMMITTER_H
#define STORE_COMMITTER_H

#include "base/err.h"

#include <stdint.h>

struct committer;
struct store;
struct store_write;

/* Starts the thread. Signals stay blocked in it. NULL if it cannot start. */
struct committer *committer_start(struct store *store);

/* A descriptor that polls readable while there is something to collect. */
int committer_fd(const struct committer *committer);

/* Queues the write, which stays the caller's memory and must not be touched
 * until committer_collect returns it. Never blocks on the disk. */
void committer_submit(struct committer *committer, struct store_write *write);

/* Asks for a store_probe that begins after this call. Returns the number of the
 * question, counted from 1. Never blocks on the disk. */
uint64_t committer_probe(struct committer *committer);

/* The finished writes as a list (by next), in the order of their commit; NULL
 * if there are none. Also resets the descriptor, so look for an answer next. */
struct store_write *committer_collect(struct committer *committer);

/* The number of the last question that is answered, 0 if none is; and the
 * answer, which stands for all before, too. */
uint64_t committer_probed(struct committer *committer, enum err *probed_out);

/* Commits what is queued, answers what was asked, ends the thread, frees;
 * uncollected results are lost, so collect until nothing is in flight first.
 * Accepts NULL. */
void committer_stop(struct committer *committer);

#endif
