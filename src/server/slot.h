// SPDX-License-Identifier: MIT
/* One of the supervisor's places for a worker: the process that has it, and
 * while it is renewed the one before. */
#ifndef SERVER_SLOT_H
#define SERVER_SLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct reload;

/* How long after its start a worker that did not become ready is followed by
 * another one, at least; and how long one has to end, which is more than it
 * takes to give up its drain. */
#define SLOT_START_AGAIN_MS 1000
#define SLOT_STOP_MS 40000

struct slot {
    pid_t pid;    /* 0: none */
    int ready_fd; /* the worker's stdout until it is ready, then -1 */
    bool is_ready;
    bool is_old;       /* to be renewed: SIGHUP came after it was started */
    int64_t started;   /* monotonic ms */
    int64_t due;       /* when to start one, if there is none */
    pid_t retired;     /* the predecessor, to be ended when this one is ready */
    int64_t ended;     /* when it was told to, in monotonic ms; there is no way
                          back to it. 0: it was not */
    const char *cause; /* why there had to be another one; NULL: none yet */
};

/* Starts a worker in the slot, which has none: program, with listen_fd as its
 * fd 0. If that fails, the log says why, and the slot's pid is 0. */
void slot_start(struct slot *slot, const char *program, int listen_fd,
                const struct reload *reload);

/* Kills who has had its time; SIGCHLD tells. True if it is not over for all. */
bool slot_kill_overdue(const struct slot *slot, int64_t now);

/* Logs how a worker has ended: its status is waitpid's. */
void slot_log_death(pid_t pid, int status);

#endif
