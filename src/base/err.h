// SPDX-License-Identifier: MIT
/* The reasons an operation can fail; http/problem.c maps each up to ERR_MAX to
 * its HTTP status. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    ERR_OK = 0,
    ERR_BADREQ,   /* 400: the request cannot be understood */
    ERR_INVALID,  /* 400: understood, but the value breaks a rule */
    ERR_NOAUTH,   /* 401 */
    ERR_DENIED,   /* 403 */
    ERR_NOTFOUND, /* 404: no such path or config key */
    ERR_UNSET,    /* 404: the config key exists, has no default, is not set */
    ERR_METHOD,   /* 405 */
    ERR_CONFLICT, /* 409: lost a race */
    ERR_PRECOND,  /* 412 */
    ERR_TIMEOUT,  /* 408: the request took too long to arrive */
    ERR_TOOBIG,   /* 413 */
    ERR_MEDIA,    /* 415 */
    ERR_FIELDS,   /* 431: header fields too large */
    ERR_NOMEM,    /* 503 */
    ERR_BUSY,     /* 503 */
    ERR_STORE,    /* 500 */
    ERR_FULL,     /* 500: disk or map full; told apart from ERR_STORE because
                     an operator can mend it while the service runs */
    ERR_SEALED,   /* 500: a stored secret cannot be opened; told apart for the
                     same reason */
    ERR_MAX,
    ERR_ENDED /* no failure, and never an answer: who visits something, one
                 after the other, has seen enough of it */
};

/* The error_code of the problem body, e.g. "bad_request"; static. */
const char *err_name(enum err err);

/* Which of two errors of the same thing to go on with, when both were looked
 * for: the first, unless memory was refused since. */
enum err err_first(enum err err, enum err next);

#endif
