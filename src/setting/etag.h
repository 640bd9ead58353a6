// SPDX-License-Identifier: MIT
/*
 * The entity tag of a version (RFC 9110, section 8.8.3), with its quotes:
 * "VERSION-ID". The id is the first half of the version's random write id, so
 * that no tag ever stands for two values, whatever becomes of the store: it is
 * restored, moved, or filled from an export. It takes no secret, is the same
 * for every reader, and rekey does not change it. http_match_etag compares.
 *
 * A version of record layout 1 has no write id: its id is a hash of its number,
 * its time and its value, with the mask in place of a secret. What was never
 * set is "0": it has no version, and the same value everywhere.
 */
#ifndef SETTING_ETAG_H
#define SETTING_ETAG_H

#include "base/err.h"
#include "model/config_keys.h"
#include "store/store.h"

#define ETAG_SIZE sizeof("\"18446744073709551615-0123456789abcdef\"")

/* Digits of an id. */
#define ETAG_ID_LEN 16

/* Writes the first half of a write id in them, and no NUL; returns what is
 * behind them. */
char *etag_put_id(char *at, const unsigned char id[ETAG_ID_LEN / 2]);

/* Of a record, whose secret may be sealed, open or masked. ERR_NOMEM: not
 * without one in layout 1. */
enum err etag_of_record(const struct config_key *key,
                        const struct record *record, char etag_out[ETAG_SIZE]);

/* Of the version that a write made or found: its has_write_id is set. */
void etag_of_write(const struct store_write *write, char etag_out[ETAG_SIZE]);

/* Of each key's record, as etag_of_record; and of all of them at once, whose
 * tags are these: it changes when one of them does. */
enum err etag_of_records(const struct record records[CONFIG_KEYS_MAX],
                         char etags_out[CONFIG_KEYS_MAX][ETAG_SIZE]);
void etag_of_all(const char etags[CONFIG_KEYS_MAX][ETAG_SIZE],
                 char etag_out[ETAG_SIZE]);

#endif
