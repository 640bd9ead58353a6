// SPDX-License-Identifier: MIT
/* What a process that serves asks of the system: time, signals, limits. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that nobody sets, in steps of a few; cheap. */
int64_t process_now_ms(void);

/*
 * Ignores SIGPIPE, and blocks the signals, a list that ends with 0, so that no
 * thread dies of them. Returns a descriptor that reads them and does not block,
 * the caller's to close; -1 with errno.
 */
int process_open_signals(const int *numbers);

/* Raises the limit of open descriptors, to most if the system lets us; returns
 * what it is then. */
size_t process_raise_fds(size_t most);

/*
 * The path of the running program. Not /proc/self/exe itself: that would start
 * the old program again after an upgrade has put a new one in its place. False
 * with errno.
 */
bool process_find_program(char *path, size_t size);

#endif
