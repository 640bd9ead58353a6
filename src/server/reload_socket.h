// SPDX-License-Identifier: MIT
/*
 * How a reload is asked for by somebody who wants to know what became of it:
 * orderconf.fcgi --reload, on a socket of the supervisor's that has no file.
 * The answer is lines for a person; the last one is RELOAD_DONE, or it failed.
 */
#ifndef SERVER_RELOAD_SOCKET_H
#define SERVER_RELOAD_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RELOAD_DONE "done"
#define RELOAD_ASKERS_MAX 8

struct reload_socket {
    int fd; /* readable: somebody asks; -1: nobody can */
    int askers[RELOAD_ASKERS_MAX];
    size_t count;
};

/* Opens that of this process. A failure is logged: SIGHUP works all the same.
 */
void reload_socket_open(struct reload_socket *socket);
void reload_socket_close(struct reload_socket *socket);

/* Takes one who asks, of our own user or root; anybody else is hung up on.
 * False: there was none. */
bool reload_socket_accept(struct reload_socket *socket);

/* Tells all who have asked: a line each. Whoever does not read misses it. */
void reload_socket_tell(struct reload_socket *socket, const char *line);

/* Tells them how it ended, RELOAD_DONE or why not, and hangs up. */
void reload_socket_end(struct reload_socket *socket, const char *line);

/*
 * Has the supervisor of this pid reload, and waits until it says how that went,
 * a minute at most: prints it on stderr, and returns the exit status, 0 or 1. A
 * supervisor that has no such socket is sent SIGHUP.
 */
int reload_ask(pid_t supervisor);

#endif
