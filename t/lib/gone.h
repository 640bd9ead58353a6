// SPDX-License-Identifier: MIT
/*
 * A process that ends where libfcgi or one of the libraries of
 * base/must_alloc.h is refused memory, as a child of the test. Link it, and
 * that is how this program ends, too.
 */
#ifndef GONE_H
#define GONE_H

#include <stdbool.h>
#include <stddef.h>

/* Memory that children write for their parent. */
void *gone_share(size_t size);

/* Runs body in a child. True if that was refused memory and ended; what else
 * it dies of fails the test. */
bool gone_in(void (*body)(void *ctx), void *ctx);

#endif
