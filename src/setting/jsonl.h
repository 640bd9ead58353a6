// SPDX-License-Identifier: MIT
/*
 * Settings as JSON Lines, what `orderconf export` writes and `import` and
 * `diff` read: one setting a line,
 *
 *   {"tenant":"acme","key":"big_sales_order","value":{…},"version":3,
 *    "updated_at":"2026-11-22T05:39:41Z"}
 *
 * without the line break. As the members are always in this order, the order
 * of the lines as bytes is that of the store: by tenant, then by key.
 */
#ifndef SETTING_JSONL_H
#define SETTING_JSONL_H

#include "base/buf.h"
#include "base/err.h"
#include "model/config_keys.h"
#include "model/key_ring.h"
#include "model/tenant.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Longer than any that is written: a value has CONFIG_VALUE_MAX, and a third
 * more if all of it is a secret that is sealed. */
#define JSONL_LINE_MAX ((size_t)128 * 1024)

/* A setting that was read. */
struct jsonl_setting {
    char tenant[TENANT_MAX + 1];
    const struct config_key *key;
    json_t *value;    /* canonical, as config_key_parse makes it; owned */
    uint64_t version; /* 0 if the line does not tell */
    uint64_t line;    /* its number, from 1 */
    size_t size;      /* bytes that it had */
};

/* Accepts a zeroed one. */
void jsonl_setting_clear(struct jsonl_setting *setting);

/* As in the store: below 0 if a stands before b. */
int jsonl_compare(const struct jsonl_setting *a, const struct jsonl_setting *b);

/* Appends the record as a line. False on no memory. */
bool jsonl_add(struct buf *text, const char *tenant, const char *key,
               const struct record *record) __attribute__((warn_unused_result));

/* Lines on their way in. */
struct jsonl {
    FILE *stream;                   /* borrowed */
    char *text;                     /* JSONL_LINE_MAX bytes */
    uint64_t number;                /* of the last line, from 1 */
    uint64_t offset;                /* behind it */
    const struct key_ring *secrets; /* borrowed; open what is sealed; or NULL */
    bool keeps_sealed;         /* what cannot be opened is taken as it is */
    struct config_rules rules; /* what values are held to */
};

/* False on no memory. */
bool jsonl_open(struct jsonl *jsonl, FILE *stream)
    __attribute__((warn_unused_result));
void jsonl_close(struct jsonl *jsonl);

/*
 * Reads the next line, whose value is checked like that of a POST. A byte order
 * mark before the first line is skipped, and so is a last line without text.
 * ERR_NOTFOUND: there is none. ERR_INVALID: it is wrong, and messages grew by
 * what is wrong with it, with the JSON path of each. ERR_STORE: the file could
 * not be read, for the reason in errno. ERR_NOMEM.
 */
enum err jsonl_read(struct jsonl *jsonl, json_t *messages,
                    struct jsonl_setting *setting_out);

#endif
