// SPDX-License-Identifier: MIT
/* A scanner, what it is fed, and what it must keep or answer. */
#ifndef SCANNED_H
#define SCANNED_H

#include "base/buf.h"
#include "server/fcgi_scan.h"

/* A connection, with all that it is fed. */
extern struct fcgi_scan scan;
extern struct buf fed;

/* A suite's .fini. */
void scanned_tear_down(void);

/* Feeds what has been put into fed, which is empty again. */
enum fcgi_progress feed(void);

/* A request's records up to the end of its parameters, which are PATH_INFO. */
void add_request(int id, const char *path);

/* The next record of what is kept for libfcgi has this type and length.
 * Returns its content. */
const char *assert_kept(size_t *at, int type, size_t len);

/* The next reply has this type; returns its content. */
const char *assert_reply(size_t *at, int type);

#endif
