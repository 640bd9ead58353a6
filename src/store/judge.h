// SPDX-License-Identifier: MIT
/* A write, and the one rule by which every engine decides it. */
#ifndef STORE_JUDGE_H
#define STORE_JUDGE_H

#include "base/err.h"
#include "store/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many seconds a clock may be behind a version's time, and the next version
 * still has that time; else it has its own, an earlier one. What is newer, the
 * version says, and between keys its seq. */
#define STORE_CLOCK_STEP 60

/* Base version of a write that takes whatever version there is. */
#define STORE_ANY_VERSION UINT64_MAX

/* What a write does to its key. */
enum store_op {
    STORE_PUT,     /* makes a version that has the value */
    STORE_UNSET,   /* makes one without a value, unless there is no value */
    STORE_CHECK,   /* stores nothing: ERR_OK if base is there, else lost */
    STORE_REPLACE, /* puts the value in the place of replaces in version base
                      itself, if that still has it: makes no version, and
                      changes nothing else of it */
};

/*
 * One write, and after store_commit its result. The strings are the caller's
 * and must live until store_commit has returned.
 */
struct store_write {
    enum store_op op;
    const char *tenant;
    const char *key;
    const char *value; /* not empty if op stores it; else STORE_UNSET has none,
                          and STORE_CHECK does not read it */
    size_t value_len;
    const char *author; /* the token's sub; as the next one, NULL is "" */
    const char *request_id;
    const char *note; /* NULL or "": none. Longer than STORE_NOTE_MAX, the
                         write is ERR_INVALID */
    uint64_t base;    /* the version it is based on, or STORE_ANY_VERSION */
    enum err lost;    /* result if another version is there: ERR_CONFLICT, or
                         ERR_PRECOND for a write with a precondition */
    bool once;        /* STORE_PUT of a write-once key: ERR_INVALID if there
                         is a value, unless it is the same bytes */
    const char *replaces; /* STORE_REPLACE's, not empty; lost is not read then,
                             and group must be 0 */
    size_t replaces_len;
    unsigned int group; /* 0: by itself. Writes of one number that follow each
                           other are all stored or none, and each is for
                           another key: if one is refused, those that would
                           have been stored get ERR_CONFLICT */

    /* Results. ERR_OK: version and updated_at are now stored (for the same
     * value of a write-once key, and without a value before and after, they
     * already were). Otherwise nothing changed, and version is the one that is
     * there (0 if unknown). Whether STORE_REPLACE did, only is_new says. */
    enum err result;
    uint64_t version;
    int64_t updated_at;
    uint64_t seq; /* of version, as are the next two; see struct record */
    unsigned char write_id[STORE_WRITE_ID_SIZE];
    bool has_write_id;
    bool is_new; /* this write made the version, or replaced its value */

    struct store_write *next; /* list of the batch; the taker's */
    void *owner;              /* not read by the store */
};

/*
 * Decides a write, for engines and for those who only want to know. Before,
 * write's version and what is of it are those that are there (0: none), and
 * value is theirs; afterwards its results are filled in, and is_new says
 * whether a version is to be stored. Its seq and write id are then to be made.
 * What STORE_REPLACE finds in version base is for the engine to see.
 */
void store_judge(struct store_write *write, const char *value, size_t value_len,
                 int64_t now);

/* False for a write that no engine takes, whatever is there: ERR_INVALID. The
 * engine's own bounds of names and values come on top. */
bool store_write_is_valid(const struct store_write *write);

/* The write behind those that share first's fate; end if that is the last. */
struct store_write *store_group_end(const struct store_write *first,
                                    const struct store_write *end);

/* For engines, when all writes of a group are judged: refuses the others if
 * one is refused. */
void store_judge_group(struct store_write *first,
                       const struct store_write *end);

#endif
