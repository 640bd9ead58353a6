// SPDX-License-Identifier: MIT
/*
 * Events for the operator: one line of JSON each, on stderr or in syslog.
 *
 * Values are escaped, so client text is safe to pass. Never pass a token, a
 * key or a config value: names and outcomes only.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/log_queue.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum log_level {
    LOG_LEVEL_ERR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO
};

struct log_field {
    const char *name;
    bool is_number;
    int64_t number;
    const char *text; /* NULL is written as "" */
};

#define LOG_TEXT(name_, text_)                                                 \
    {                                                                          \
        .name = (name_), .text = (text_)                                       \
    }
#define LOG_NUMBER(name_, number_)                                             \
    {                                                                          \
        .name = (name_), .is_number = true, .number = (number_)                \
    }

/*
 * Says where events go from now on: to syslog(3), facility daemon, under the
 * program's name, or to stderr. There, if stderr is systemd's journal, a line
 * begins with its level as sd-daemon(3) wants it ("<3>"). Call it once, before
 * there are threads or files; until then, lines go to stderr as they are. A
 * standard descriptor that is closed becomes /dev/null.
 */
void log_open(bool to_syslog);

/* For a service that does not get as far as to log: its name and the
 * message, a line as it is, if stderr takes it within a second. */
void log_complain(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * From now on, nobody waits for where the lines go: they pass through a bounded
 * queue to a writer, who is started at the first of them. What does not fit is
 * lost, and so is what cannot be written; once lines can be written again, one
 * of them, log_dropped, tells how many. stderr's flags stay as they are,
 * because others share them.
 *
 * Call it once, after log_open and any fork that has no exec behind it; lost
 * may be NULL. Lines that were queued before abort(3) or a crash still get
 * out, unless that takes more than a second.
 */
void log_queue(enum log_writer writer, log_dropped_fn *dropped);

/* Waits until a patient thread has written all, for as long as that takes, or
 * until a signal is caught meanwhile. Without one, it does nothing. */
void log_flush(void);

/* The end: what is still in the queue has a second. */
void log_close(void);

/* True if it was the writer's pid, whose end the caller has been told. With the
 * next line there is another one. */
bool log_ended(pid_t pid);

/*
 * Writes {"time":…,"level":…,"event":event,"pid":…, fields…} and a newline,
 * which no other process's line can get into.
 *
 *   log_event(LOG_LEVEL_NOTICE, "stored", LOG_TEXT("tenant", tenant),
 *             LOG_NUMBER("version", version));
 */
#define log_event(level, event, ...)                                           \
    log_fields((level), (event), (const struct log_field[]){__VA_ARGS__, {0}})

/* fields ends with one whose name is NULL. Never fails; safe in any thread, and
 * in a signal handler only where that has interrupted no call of the library.
 * Keeps errno. */
void log_fields(enum log_level level, const char *event,
                const struct log_field *fields);

#endif
