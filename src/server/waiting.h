// SPDX-License-Identifier: MIT
/*
 * The exchanges of one event loop that wait, whatever for. Each is parked, and
 * comes back once that has happened: the committer has its write's result, or
 * has probed the store. What else one may wait for is another way to come back
 * and changes nothing for those who park.
 */
#ifndef SERVER_WAITING_H
#define SERVER_WAITING_H

#include <stdbool.h>

struct exchange;
struct store;
struct waiting;

/* Starts the thread that commits to the store. NULL if it cannot start. */
struct waiting *waiting_start(struct store *store);

/* A descriptor that polls readable when waiting_collect is to be called. */
int waiting_fd(const struct waiting *waiting);

/* Takes the exchange, whose wait says what for. It stays the owner's memory,
 * and is neither changed nor freed until waiting_next returns the owner. Never
 * blocks, and cannot fail. */
void waiting_park(struct waiting *waiting, struct exchange *exchange,
                  void *owner);

/* Finds out who can go on. */
void waiting_collect(struct waiting *waiting);

/* The owner of the next exchange that can go on, to be resumed; NULL: none. */
void *waiting_next(struct waiting *waiting);

/*
 * Ends the thread and frees, if nobody waits any more. False if somebody does:
 * a commit that does not end keeps the thread, and that keeps all this and the
 * store.
 */
bool waiting_stop(struct waiting *waiting);

#endif
