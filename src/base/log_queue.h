// SPDX-License-Identifier: MIT
/*
 * The queue between a process that logs and where its lines go, which may be
 * stalled for as long as it likes. For base/log.c alone.
 *
 * It is a pipe of our own: bounded by the kernel, a line of PIPE_BUF bytes goes
 * in whole or not at all, lines keep their order, and whoever puts one in needs
 * neither memory nor a lock, so that a signal handler may.
 */
#ifndef BASE_LOG_QUEUE_H
#define BASE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who writes the lines that others have put into the queue. */
enum log_writer {
    LOG_BY_THREAD,
    LOG_BY_PATIENT_THREAD, /* no line is lost: whoever logs waits for room */
    LOG_BY_CHILD,          /* a child process, where there are no threads */
};

/* The name of that child, as ps(1) shows it. */
#define LOG_CHILD_NAME "orderconf-log"

/* Counts lines that were lost; called by whoever logs. */
typedef void log_dropped_fn(uint64_t lines);

struct log_queue_calls {
    /* Writes whole lines to where they go, of PIPE_BUF bytes at most, however
     * long that takes. False: they are lost. */
    bool (*write)(const char *lines, size_t len);
    /* The same with a line that tells how many others were lost. */
    bool (*write_dropped)(uint64_t lines);
    /* See log_queue; may be NULL. */
    log_dropped_fn *dropped;
};

/* False with errno: there is no queue. calls is copied. */
bool log_queue_open(enum log_writer writer,
                    const struct log_queue_calls *calls);

/* A line with its newline. False: there is no queue. */
bool log_queue_put(const char *line, size_t len);

/* See log_flush, log_close and log_ended of base/log.h. */
void log_queue_flush(void);
void log_queue_close(void);
bool log_queue_ended(pid_t pid);

#endif
