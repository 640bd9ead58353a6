// SPDX-License-Identifier: MIT
/*
 * Makes one allocation fail: every malloc, calloc and realloc of the process
 * counts, also those inside libraries. Under a sanitizer, which has its own
 * malloc, only Jansson's are counted.
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
