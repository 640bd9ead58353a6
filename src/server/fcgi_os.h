// SPDX-License-Identifier: MIT
/*
 * What libfcgi runs on, instead of sockets: memory. All that it knows of the
 * system is <fcgios.h>, whose functions are defined here; it reads the records
 * of a request that is whole, and writes to what the event loop sends.
 */
#ifndef SERVER_FCGI_OS_H
#define SERVER_FCGI_OS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* One request's connection, as libfcgi sees it. */
struct fcgi_os {
    const char *in; /* read from here */
    size_t in_len;
    struct buf *out; /* appended to; NULL: nothing may be written */
    bool is_accepted;
};

/* Lets the calls to libfcgi that follow act on os, which is the caller's and
 * stays until the next; NULL: on nothing. One thread calls libfcgi. */
void fcgi_os_use(struct fcgi_os *os);

#endif
