// SPDX-License-Identifier: MIT
/* A key file without a file system: what a target reads again and again. */
#ifndef FILE_H
#define FILE_H

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

/* The tenant whose key file it is, by this template. */
#define FILE_FD 100
#define FILE_TENANT "100"
#define FILE_TEMPLATE "/proc/self/fd/{tenant}"

static inline void
file_write(const void *bytes, size_t len)
{
    static int fd = -1;

    if (fd < 0) {
        fd = dup2(memfd_create("keys", 0), FILE_FD);
        FUZZ_CHECK(fd >= 0);
    }
    FUZZ_CHECK(ftruncate(fd, 0) == 0);
    FUZZ_CHECK(pwrite(fd, bytes, len, 0) == (ssize_t)len);
}

#endif
