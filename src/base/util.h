// SPDX-License-Identifier: MIT
/* The few helpers that everything else leans on. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* Monotonic. */
static inline uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Waits for room, also where somebody who shares fd has made it non-blocking. A
 * signal that is caught ends it. False with errno. */
static inline bool
write_bytes(int fd, const char *bytes, size_t len)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    while (len > 0) {
        ssize_t written = write(fd, bytes, len);

        if (written < 0 && (errno != EAGAIN || poll(&room, 1, -1) < 0))
            return false;
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return true;
}

/* FNV-1a: for tables and comparisons, not against an adversary. */
static inline uint64_t
hash_bytes(const void *bytes, size_t len)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3;
    return hash;
}

/* Freed, or closed, when the variable goes out of scope. Set it at once. */
#define auto_char __attribute__((cleanup(free_char))) char
#define auto_fd __attribute__((cleanup(close_fd))) int

#endif
