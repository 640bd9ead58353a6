// SPDX-License-Identifier: MIT
/*
 * Makes one allocation fail. The program is linked with --wrap, so that every
 * malloc, calloc and realloc of our own objects counts, and with them those of
 * Jansson, cjose and OpenSSL, which come through reserve.c.
 */
#ifndef NO_MEMORY_H
#define NO_MEMORY_H

#include <stdbool.h>

/* Lets the next n allocations of this thread succeed, and one after them
 * fail. */
void no_memory_after(unsigned n);

/* Ends it; true if the allocation was asked for, and failed. */
bool no_memory_end(void);

#endif
