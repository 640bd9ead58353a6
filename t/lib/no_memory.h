// SPDX-License-Identifier: MIT
/*
 * Makes allocations fail: every malloc, calloc and realloc of the thread
 * counts, also those inside libraries. A sanitizer has a malloc of its own;
 * there, only those of our own objects count (by the linker's --wrap), and
 * with them those of libraries that come through base/must_alloc.c.
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

/* Until the next call with false, none fails, and none counts. */
void no_memory_pause(bool is_paused);

/* How much this thread allocated and has not freed: blocks, or with a sanitizer
 * the bytes of all threads. */
long no_memory_used(void);

#endif
