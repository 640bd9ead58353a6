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
 * Goes on in a child, which has another pid: true there, and only there. This
 * process closes all its files and waits: signals it passes on, and it ends as
 * the child does. If it is killed, so is the child. For a process of one
 * thread. False if no child could be made, or too many were, one by the other.
 */
bool process_renumber(void);

/*
 * The path of the running program. Not /proc/self/exe itself: that would start
 * the old program again after an upgrade has put a new one in its place. False
 * with errno.
 */
bool process_find_program(char *path, size_t size);

#endif
