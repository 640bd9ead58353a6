// SPDX-License-Identifier: MIT
/*
 * A config key of a tenant, as the service and the admin command both have it:
 * what a record of it reads as, and what may be written. Texts are of values
 * that config_key_parse made.
 */
#ifndef SETTING_SETTING_H
#define SETTING_SETTING_H

#include "base/buf.h"
#include "base/err.h"
#include "model/config_keys.h"
#include "model/seal.h"
#include "setting/etag.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The value of a record, or of a key that is not set its default; NULL if it
 * has none. JSON text, the record's or static. */
const char *setting_value(const struct config_key *key,
                          const struct record *record);

/* When it was set; the epoch if it is not. */
int64_t setting_time(const struct record *record);

/* Appends {"value":…,"updated_at":"…","version":…,"etag":"…"}, with null for no
 * value. The tag, with its quotes, is the one of what is there; "": null. False
 * on no memory. */
bool setting_add(struct buf *json, const struct config_key *key,
                 const struct record *record, const char *etag)
    __attribute__((warn_unused_result));

/* All keys: {"KEY":{…,"updated_by":…},…}, each as above but for its author,
 * null if it is not known; records as setting_list's. */
bool setting_add_all(struct buf *json,
                     const struct record records[CONFIG_KEYS_MAX],
                     const char etags[CONFIG_KEYS_MAX][ETAG_SIZE])
    __attribute__((warn_unused_result));

/* The same of a version in the history: {"version":…,"etag":"…","value":…,
 * "updated_at":"…","updated_by":…,"request_id":…,"note":…}, with null for what
 * there is not. Among the versions of several keys, "key":"…" comes first. */
bool setting_add_version(struct buf *json, const struct config_key *key,
                         const struct record *record,
                         const struct record_origin *origin, bool names_key)
    __attribute__((warn_unused_result));

/* Copies every key's record out of one snapshot; all zero where there is none.
 * The author of a record of layout 1 is looked up in its history. The caller
 * clears them, also after an error. */
enum err setting_list(struct store *store, const char *tenant,
                      struct record records[CONFIG_KEYS_MAX]);

/*
 * Decides whether an old version may be set again, by today's rules, and makes
 * the value that would be stored; a new reference, for seal_drop. old is what
 * was found of it, version 0 if nothing was. ERR_NOTFOUND, ERR_INVALID:
 * messages grew, each by a text that begins with name, for where the version
 * was given. ERR_SEALED: it cannot be read, see *fault_out. ERR_NOMEM.
 */
enum err setting_check_old(const struct seal *seal, const char *name,
                           uint64_t version, const struct record *old,
                           const struct config_rules *rules, json_t *messages,
                           json_t **value_out, struct seal_fault *fault_out);

/*
 * The entity tag of what a write has found, or made: of write's version. One of
 * layout 1 is read for it; if another one is there by then, the tag is its, or
 * "" for an accepted write, whose answer it would not fit. As store_get.
 */
enum err setting_etag_after(struct store *store, const struct config_key *key,
                            const struct store_write *write,
                            char etag_out[ETAG_SIZE]);

/* Appends why the write was refused, if its result is ERR_CONFLICT,
 * ERR_PRECOND or ERR_INVALID. As messages_add, ERR_INVALID if it did. */
enum err setting_explain(const struct store_write *write, json_t *messages);

/* Logs what a write has stored, without the value. */
void setting_log(const struct store_write *write);

#endif
