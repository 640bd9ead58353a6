// SPDX-License-Identifier: MIT
/*
 * Where the counters of metrics/metrics.h live: a header, then a number of
 * shards. A process counts in one shard, so that processes seldom write to each
 * other's cache lines, and the sum is over all of them.
 */
#include "metrics/metrics.h"

#include "base/log.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_NAME "metrics"
#define MAGIC UINT64_C(0x3172746d636f) /* "ocmtr1", as bytes */
#define SHARDS 16
#define LOCK_TRIES 200
#define LOCK_PAUSE_NS 1000000

struct shard {
    _Alignas(64) _Atomic uint64_t cells[METRIC_MAX];
};

struct file {
    uint64_t magic;
    uint64_t layout; /* hash of what gives the cells their meaning */
    struct shard shards[SHARDS];
};

static struct shard alone; /* without a file */
static struct file *mapped;
static volatile sig_atomic_t is_shared;
static struct sigaction sigbus_before;

static const struct metrics_names no_names;
static const struct metrics_names *names = &no_names;

_Atomic uint64_t *metrics_cells = alone.cells;

const struct metrics_names *
metrics_labels(void)
{
    return names;
}

bool
metrics_is_shared(void)
{
    return is_shared;
}

uint64_t
metrics_sum(unsigned int metric)
{
    uint64_t sum =
        atomic_load_explicit(&alone.cells[metric], memory_order_relaxed);

    for (int i = 0; mapped != NULL && i < SHARDS; i++)
        sum += atomic_load_explicit(&mapped->shards[i].cells[metric],
                                    memory_order_relaxed);
    return sum;
}

static bool __attribute__((format(printf, 3, 4)))
explain(char *why, size_t why_size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, why_size, format, args);
    va_end(args);
    return false;
}

static uint64_t
mix_text(uint64_t hash, const char *text)
{
    return hash * 31 + (text != NULL ? hash_bytes(text, strlen(text)) : 0);
}

/* Two programs count in one file only if each cell means the same to both. */
static uint64_t
layout(void)
{
    uint64_t hash = sizeof(struct file);

    for (size_t i = 0; metrics_families[i].name != NULL; i++)
        hash = mix_text(hash, metrics_families[i].name) +
               metrics_families[i].first;
    for (size_t i = 0; i < METRICS_STATUSES_MAX; i++)
        hash = hash * 31 + (uint64_t)metrics_statuses[i];
    for (size_t i = 0; i < METRICS_BUCKETS_MAX; i++)
        hash =
            (hash * 31 + metrics_time_bounds[i]) * 31 + metrics_count_bounds[i];
    for (size_t i = 0; i < METRICS_ROUTES_MAX; i++)
        hash = mix_text(mix_text(hash, names->routes[i].path),
                        names->routes[i].method);
    for (size_t i = 0; i < METRICS_REFUSALS_MAX; i++)
        hash = mix_text(hash, names->refusals[i]);
    return hash;
}

/* True if fd is what path names. */
static bool
is_at(const char *path, const struct stat *file)
{
    struct stat there;

    return stat(path, &there) == 0 && there.st_dev == file->st_dev &&
           there.st_ino == file->st_ino;
}

/* Opens the file and locks it, so that of several processes only one makes
 * it. -1: errno says why. */
static int
open_locked(const char *path, struct stat *file_out)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        /* Not blocking: what stands there may be a FIFO. */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
        bool is_locked;

        if (fd < 0)
            return -1;
        is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (is_locked && fstat(fd, file_out) == 0 && is_at(path, file_out))
            return fd;
        close(fd);
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    errno = EWOULDBLOCK;
    return -1;
}

/* The blocks must be there: a page that finds no room on the disk when it is
 * first written to would kill the process. */
static bool
fill(int fd)
{
    uint64_t header[] = {MAGIC, layout()};

    errno = posix_fallocate(fd, 0, sizeof(struct file));
    return errno == 0 &&
           pwrite(fd, header, sizeof(header), 0) == sizeof(header);
}

static bool
is_sound(int fd, const struct stat *file)
{
    uint64_t header[2];

    return file->st_size == sizeof(struct file) &&
           pread(fd, header, sizeof(header), 0) == sizeof(header) &&
           header[0] == MAGIC && header[1] == layout();
}

/*
 * Puts a new file in the place of one that is of no use. That one is left as
 * it is, because processes of another version may count in it. Returns the new
 * one's descriptor, or -1.
 */
static int
replace(const char *path)
{
    auto_char *temporary = NULL;
    int fd;

    if (asprintf(&temporary, "%s.new", path) < 0) {
        temporary = NULL;
        return -1;
    }
    fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd >= 0 && fill(fd) && rename(temporary, path) == 0)
        return fd;
    if (fd >= 0) {
        int error = errno;

        unlink(temporary);
        close(fd);
        errno = error;
    }
    return -1;
}

/* The descriptor of what is ready to be mapped, made anew if need be; -1: errno
 * says why. fd is the file that is there, locked. */
static int
prepare(const char *path, int fd, const struct stat *file)
{
    int fresh_fd;

    if (is_sound(fd, file))
        return dup(fd);
    if (file->st_size == 0) {
        if (fill(fd))
            return dup(fd);
        (void)!ftruncate(fd, 0); /* what it got, the store can use */
        return -1;
    }
    fresh_fd = replace(path);
    if (fresh_fd >= 0)
        log_event(LOG_LEVEL_NOTICE, "metrics_reset", LOG_TEXT("path", path));
    return fresh_fd;
}

/*
 * The file can be cut short, or its disk fail, under our hands: then a touch
 * of it raises SIGBUS. Counting goes on in memory of our own, in its place.
 * Not a word of this process is interrupted but one of this file or of an
 * increment, so anything may be called here.
 */
static void
on_sigbus(int signal_number, siginfo_t *info, void *context)
{
    char *at = info->si_addr;
    char *start = (char *)mapped;
    int error = errno;

    (void)signal_number;
    (void)context;
    if (mapped != NULL && at >= start && at < start + sizeof(*mapped) &&
        mmap(mapped, sizeof(*mapped), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
        is_shared = false;
        log_event(LOG_LEVEL_ERR, "metrics_lost",
                  LOG_TEXT("reason", "the file cannot be used any more"));
        errno = error;
        return;
    }
    sigaction(SIGBUS, &sigbus_before, NULL); /* raised again, and not for us */
}

static bool
map(int fd)
{
    struct sigaction action = {.sa_sigaction = on_sigbus,
                               .sa_flags = SA_SIGINFO};
    struct file *file =
        mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (file == MAP_FAILED)
        return false;
    mapped = file;
    is_shared = true;
    sigaction(SIGBUS, &action, &sigbus_before);
    metrics_cells = file->shards[getpid() % SHARDS].cells;
    return true;
}

bool
metrics_open(const char *dir, const struct metrics_names *given, char *why,
             size_t why_size)
{
    auto_char *path = NULL;
    auto_fd locked_fd = -1;
    auto_fd fd = -1;
    struct stat file;

    names = given;
    if (dir == NULL)
        return true;
    if (asprintf(&path, "%s/%s", dir, FILE_NAME) < 0) {
        path = NULL;
        return explain(why, why_size, "out of memory");
    }
    locked_fd = open_locked(path, &file);
    if (locked_fd < 0)
        return explain(why, why_size, "could not open %s: %s", path,
                       strerror(errno));
    if (!S_ISREG(file.st_mode))
        return explain(why, why_size, "%s is not a regular file", path);
    fd = prepare(path, locked_fd, &file);
    (void)flock(locked_fd, LOCK_UN); /* a mapping would hold it */
    if (fd < 0 || !map(fd))
        return explain(why, why_size, "could not make or map %s: %s", path,
                       strerror(errno));
    return true;
}

void
metrics_close(void)
{
    if (mapped == NULL)
        return;
    metrics_cells = alone.cells;
    munmap(mapped, sizeof(*mapped));
    mapped = NULL;
    is_shared = false;
    sigaction(SIGBUS, &sigbus_before, NULL);
}
