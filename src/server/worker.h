// SPDX-License-Identifier: MIT
/* The event loop: one thread that serves, beside one that commits. */
#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

struct api;

/* What a worker prints on stdout once it serves; or why it does not. */
#define WORKER_READY "ready"

/* Exit status of a worker that cannot work as it is set up: starting it again
 * would not help (EX_CONFIG of sysexits.h). */
#define WORKER_EXIT_CONFIG 78

/* The variable that tells a worker why it took another one's place: "died" or
 * "replaced" (see metrics_causes). It is for the worker to count, because the
 * supervisor has nothing to do with the store and what is beside it. */
#define WORKER_CAUSE "SUPERVISOR_CAUSE"

/*
 * Holds SIGTERM, SIGINT and SIGQUIT back until worker_run reads them, so that
 * whoever has connected while the worker starts is answered. Returns the
 * descriptor for it, the caller's to close; -1 with errno.
 */
int worker_open_signals(void);

/*
 * Serves FastCGI connections of the listening socket until one of the signals,
 * then answers every request that has been accepted, and returns the exit
 * status. Prints "ready" to stdout once it serves, and nothing after. A commit
 * that does not end within 30 s is given up: api->store is NULL then, for it
 * cannot be closed.
 */
int worker_run(int listen_fd, int signal_fd, struct api *api);

#endif
