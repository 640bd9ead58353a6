// SPDX-License-Identifier: MIT
/* The few helpers that everything else leans on. */
#ifndef UTIL_H
#define UTIL_H

#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))

static inline void
free_char(char **text)
{
    free(*text);
}

static inline void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Freed, or closed, when the variable goes out of scope. Set it at once. */
#define auto_char __attribute__((cleanup(free_char))) char
#define auto_fd __attribute__((cleanup(close_fd))) int

#endif
