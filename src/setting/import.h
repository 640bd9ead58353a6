// SPDX-License-Identifier: MIT
/*
 * Settings that go into the store, each tenant's all together or not at all,
 * beside the writes of others: many tenants share a commit, and between two
 * commits everybody else has a turn.
 */
#ifndef SETTING_IMPORT_H
#define SETTING_IMPORT_H

#include "base/err.h"
#include "model/config_keys.h"
#include "model/key_ring.h"
#include "setting/jsonl.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bounds how long a commit keeps the write lock from others, and the memory. */
#define IMPORT_BATCH_TENANTS 64
#define IMPORT_BATCH_BYTES ((size_t)1 << 20)

/* How often a tenant is tried whose settings others change meanwhile. */
#define IMPORT_TRIES_MAX 10

/* All that is to be stored of a tenant: each key once. */
struct import_tenant {
    struct jsonl_setting settings[CONFIG_KEYS_MAX]; /* owned */
    size_t count;
};

void import_tenant_clear(struct import_tenant *tenant);

/* A tenant could not be stored: setting is the one that was in the way.
 * ERR_INVALID: it can be set only once, and is set to something else.
 * ERR_UNSET: its secret is masked, and there is none that it could stand for.
 * ERR_DENIED: its secret is masked, and would go to another server.
 * ERR_SEALED: the secret that is there cannot be decrypted.
 * ERR_TOOBIG: with the secret that its mask keeps, it is.
 * ERR_BUSY: others have changed the tenant again and again. */
typedef void import_refused_fn(void *ctx, const struct jsonl_setting *setting,
                               enum err err);

struct import_options {
    struct store *store;
    const struct key_ring *secrets;   /* seal what is stored; or NULL */
    const char *subject, *request_id; /* for the history */
    bool is_logged;                   /* what was stored, each setting */
    import_refused_fn *refused;
    void *ctx;
};

struct import_counts {
    uint64_t tenants;   /* of which something was stored */
    uint64_t stored;    /* settings, as is the next */
    uint64_t unchanged; /* had the value already */
};

struct import;

/* NULL on no memory. */
struct import *import_new(const struct import_options *options);
void import_free(struct import *import);

/* Takes the tenant's settings, also on failure, and may commit those of
 * others. Errors of the store, of which nothing is told to refused. */
enum err import_add(struct import *import, struct import_tenant *tenant);

/* Commits what is left. */
enum err import_finish(struct import *import);

const struct import_counts *import_counts(const struct import *import);

/* Finds the first setting that could not be stored over these records (see
 * setting_list), and why, as import_refused_fn has it; ERR_OK: all can.
 * ERR_NOMEM. */
enum err import_check(const struct key_ring *secrets,
                      const struct import_tenant *tenant,
                      const struct record records[CONFIG_KEYS_MAX],
                      const struct jsonl_setting **refused_out);

#endif
