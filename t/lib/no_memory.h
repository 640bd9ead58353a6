// SPDX-License-Identifier: MIT
/*
 * Makes allocations fail: every malloc, calloc and realloc of the thread
 * counts, also those inside libraries. A sanitizer has a malloc of its own;
 * there, only those of our own objects count (by the linker's --wrap), and
 * with them those of Jansson, cjose and OpenSSL, which come through reserve.c.
 */
#ifndef NO_MEMORY_H
#define NO_MEMORY_H

#include <stdbool.h>

/* Lets the next n allocations of this thread succeed, and one after them
 * fail. */
void no_memory_after(unsigned n);

/* The same, but from then on all fail. */
void no_memory_from(unsigned n);

/* Ends it; true if an allocation was asked for, and failed. */
bool no_memory_end(void);

/* How many blocks this thread allocated and has not freed. Always 0 with a
 * sanitizer, which finds leaks by itself. */
long no_memory_blocks(void);

#endif
