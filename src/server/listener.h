// SPDX-License-Identifier: MIT
/* The listening socket: made by us, or by whoever started us. */
#ifndef SERVER_LISTENER_H
#define SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/* NULL if address is unix:PATH, HOST:PORT or [IPV6]:PORT, else what is wrong
 * with it; static. */
const char *listener_check(const char *address);

/*
 * Binds and listens. A unix socket gets mode 0660; one that was left behind by
 * a dead process is replaced, one that is being served is an error. Returns the
 * descriptor, or -1 and an explanation in why.
 */
int listener_open(const char *address, char *why, size_t why_size);

/* Removes the path of a unix socket, so that no more can connect. */
void listener_unlink(const char *address);

/* The listening socket that systemd passed (sd_listen_fds(3)), or -1. */
int listener_activated(void);

/* True if fd is a socket that listens. */
bool listener_is_listening(int fd);

#endif
