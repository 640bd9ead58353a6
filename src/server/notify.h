// SPDX-License-Identifier: MIT
/* Tells a service manager how we are (sd_notify(3)). */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

/* Sends state, e.g. "READY=1", to $NOTIFY_SOCKET. Without one, or if it cannot
 * be reached, nothing happens: the service works all the same. */
void notify_manager(const char *state);

#endif
