// SPDX-License-Identifier: MIT
/*
 * A disk whose flush takes SLOW_FLUSH_MS at least, by LD_PRELOAD: what makes
 * data durable (fsync, fdatasync, msync, and each write to a descriptor that
 * was opened with O_SYNC or O_DSYNC) returns no sooner.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int64_t delay_ns;

static struct {
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*msync)(void *, size_t, int);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
} real;

static void __attribute__((constructor)) set_up(void)
{
    const char *text = getenv("SLOW_FLUSH_MS");

    delay_ns = text != NULL ? (int64_t)(strtod(text, NULL) * 1e6) : 0;
    *(void **)&real.fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real.fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    *(void **)&real.msync = dlsym(RTLD_NEXT, "msync");
    *(void **)&real.write = dlsym(RTLD_NEXT, "write");
    *(void **)&real.pwrite = dlsym(RTLD_NEXT, "pwrite");
    *(void **)&real.writev = dlsym(RTLD_NEXT, "writev");
    *(void **)&real.pwritev = dlsym(RTLD_NEXT, "pwritev");
}

/* When a flush that starts now may return. */
static struct timespec
due(void)
{
    struct timespec time;
    int64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &time);
    ns = time.tv_nsec + delay_ns;
    time.tv_sec += ns / 1000000000;
    time.tv_nsec = ns % 1000000000;
    return time;
}

static void
wait_until(struct timespec time)
{
    if (delay_ns == 0)
        return;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0)
        ; /* interrupted by a signal */
}

static int
is_synchronous(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & (O_SYNC | O_DSYNC)) != 0;
}

int
fsync(int fd)
{
    struct timespec end = due();
    int result = real.fsync(fd);

    wait_until(end);
    return result;
}

int
fdatasync(int fd)
{
    struct timespec end = due();
    int result = real.fdatasync(fd);

    wait_until(end);
    return result;
}

int
msync(void *address, size_t len, int flags)
{
    struct timespec end = due();
    int result = real.msync(address, len, flags);

    if (flags & MS_SYNC)
        wait_until(end);
    return result;
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
    struct timespec end = due();
    ssize_t result = real.write(fd, bytes, len);

    if (is_synchronous(fd))
        wait_until(end);
    return result;
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    struct timespec end = due();
    ssize_t result = real.pwrite(fd, bytes, len, at);

    if (is_synchronous(fd))
        wait_until(end);
    return result;
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    struct timespec end = due();
    ssize_t result = real.writev(fd, parts, count);

    if (is_synchronous(fd))
        wait_until(end);
    return result;
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    struct timespec end = due();
    ssize_t result = real.pwritev(fd, parts, count, at);

    if (is_synchronous(fd))
        wait_until(end);
    return result;
}

/* Debian's programs are built with 64-bit offsets, by other names. */
ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
    __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
    __attribute__((alias("pwritev")));
