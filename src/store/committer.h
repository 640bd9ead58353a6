// SPDX-License-Identifier: MIT
/*
 * The thread that commits. Writes queue up while a flush is under way, and the
 * next commit takes them all: one flush serves many writers.
 */
#ifndef STORE_COMMITTER_H
#define STORE_COMMITTER_H

#include "base/err.h"

struct committer;
struct store;
struct store_write;

/* Starts the thread. Signals stay blocked in it. NULL if it cannot start. */
struct committer *committer_start(struct store *store);

/* A descriptor that polls readable while there are writes to collect. */
int committer_fd(const struct committer *committer);

/* Queues the write, which stays the caller's memory and must not be touched
 * until committer_collect returns it. Never blocks on the disk. */
void committer_submit(struct committer *committer, struct store_write *write);

/* The finished writes as a list (by next), in the order of their commit; NULL
 * if there are none. */
struct store_write *committer_collect(struct committer *committer);

/* Commits what is queued, ends the thread, frees; uncollected results are
 * lost, so collect until nothing is in flight first. Accepts NULL. */
void committer_stop(struct committer *committer);

#endif
