// SPDX-License-Identifier: MIT
/*
 * Events for the operator: one line of JSON each, on stderr or in syslog.
 *
 * Values are escaped, so client text is safe to pass. Never pass a token, a
 * key or a config value: names and outcomes only.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

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
 * there are threads; until then, lines go to stderr as they are.
 */
void log_open(bool to_syslog);

/* What begins such a line; "" if stderr is not the journal. */
const char *log_prefix(enum log_level level);

/*
 * Writes {"time":…,"level":…,"event":event,"pid":…, fields…} and a newline in
 * a single write(2), so that lines of several processes do not mix.
 *
 *   log_event(LOG_LEVEL_NOTICE, "stored", LOG_TEXT("tenant", tenant),
 *             LOG_NUMBER("version", version));
 */
#define log_event(level, event, ...)                                           \
    log_fields((level), (event), (const struct log_field[]){__VA_ARGS__, {0}})

/* fields ends with one whose name is NULL. Never fails; safe in any thread. */
void log_fields(enum log_level level, const char *event,
                const struct log_field *fields);

#endif
