// SPDX-License-Identifier: MIT
/*
 * A store of format 1, and what must be in it once it is raised.
 *
 * t/data/store_1 is of revision 2bc5426. data.mdb was made by its orderconf,
 * with import, set and unset. noted.mdb is the same after one more import, with
 * the meta pages from before: as a power loss leaves it, the import is only in
 * the note.
 */
#ifndef OLD_STORE_H
#define OLD_STORE_H

#include "store/store.h"

#define TIMER "on_hold_timer_duration"
#define HOOK "external_order_webhook"
#define HOOK_VALUE                                                             \
    "{\"url\":\"https://hooks.example.com/\",\"api_key\":\"s3cret\","          \
    "\"timeout\":7}"

/* Makes the store out of this file of t/data/store_1. */
void make_old(const char *name);

/* The format that is on disk, read without any lock. */
uint64_t format_on_disk(void);

/* What is there; the caller clears it. */
struct record got(struct store *store, const char *tenant, const char *key);

/* A visit that appends to a text "version=value(author)#seq ". */
enum err see(void *ctx, const struct record *record,
             const struct record_origin *origin);

/* The history is this, newest first, each version as see has it. */
void assert_versions(struct store *store, const char *tenant, const char *key,
                     const char *expected);

/* As 2bc5426 left data.mdb. */
void assert_all_there(struct store *store);

/* What the import after that has stored is there, too: see noted.mdb. */
void assert_note_is_there(struct store *store);

#endif
