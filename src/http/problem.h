// SPDX-License-Identifier: MIT
/*
 * Errors to bodies: one shape for all of them, which satisfies RFC 9457 and
 * every error schema of the two API documents.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/err.h"

#include <jansson.h>

struct request;
struct response;

/* The HTTP status of an error. */
int problem_status(enum err err);

/*
 * Turns response into err's answer. messages is a JSON array of strings,
 * borrowed; if it is NULL or empty, or err is ERR_NOMEM, the error's own text
 * is the message. The body's "message" joins the first few, for clients that
 * know no "messages".
 *
 * Fields of response that were set before (allow, challenge, etag) stay; a
 * 401 gets a challenge and a 503 a retry_after if they have none. When there
 * is no memory, response becomes a constant 503, whatever err was.
 */
void problem_respond(struct response *response, const struct request *request,
                     enum err err, json_t *messages);

/* The same with a single message; one that is not UTF-8 is left out. */
void problem_respondf(struct response *response, const struct request *request,
                      enum err err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
