// SPDX-License-Identifier: MIT
/* The event loop: one thread that serves, beside one that commits. */
#ifndef WORKER_H
#define WORKER_H

struct api;

/*
 * Serves FastCGI connections of the listening socket until SIGTERM, SIGINT or
 * SIGQUIT, then answers every request that has been accepted, and returns the
 * exit status. Prints "ready" to stdout once it serves, and nothing after.
 */
int worker_run(int listen_fd, struct api *api);

#endif
