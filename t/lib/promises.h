// SPDX-License-Identifier: MIT
/* What clients were told, and whether a store still holds it. */
#ifndef PROMISES_H
#define PROMISES_H

#include <stdbool.h>
#include <stddef.h>

struct promise;

struct promises {
    struct promise *list;
    size_t count, max;
};

/*
 * Takes an answer as it was sent, in FastCGI records, or without: a promise if
 * it is a 200 with a version. Its request id begins with TENANT:KEY:, and has
 * ":read" at its end unless the request wrote the version.
 */
void promises_add(struct promises *promises, const char *bytes, size_t len);

void promises_clear(struct promises *promises);

/*
 * Opens the store in the directory and looks for every promise; then at every
 * history, which must be whole; then writes. NULL, or what is wrong in static
 * memory. A damaged store may end the process.
 */
const char *promises_examine(const struct promises *promises,
                             const char *directory);

#endif
