// SPDX-License-Identifier: MIT
/* What is wrong with something: an array of texts, each of which begins with
 * the JSON path of what it is about. */
#ifndef JSON_MESSAGES_H
#define JSON_MESSAGES_H

#include "base/err.h"

#include <jansson.h>

/* Appends a formatted message, which must be UTF-8. ERR_INVALID, or
 * ERR_NOMEM. */
enum err messages_add(json_t *messages, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends that the member of path ("" at the top) is not a known one. The name
 * is client text: it is cut, and shown in printable ASCII. As messages_add. */
enum err messages_add_unknown(json_t *messages, const char *path,
                              const char *name);

#endif
