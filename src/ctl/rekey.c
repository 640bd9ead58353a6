// SPDX-License-Identifier: MIT
/*
 * orderconf rekey: everything that is secret, encrypted with the first key.
 * Values are replaced within their versions, some at a time, beside whoever
 * reads and writes; what was done stays done if it is interrupted.
 */
#include "base/number.h"
#include "base/util.h"
#include "ctl/command.h"
#include "ctl/print.h"
#include "ctl/progress.h"
#include "ctl/secrets.h"
#include "ctl/session.h"
#include "ctl/store.h"
#include "json/text.h"
#include "model/tenant.h"

#include <stdio.h>

/* A page of history is read at once; so much is written by one commit, or a
 * page more. */
#define PAGE 32
#define BATCH 256
#define BATCH_BYTES ((size_t)4 * 1024 * 1024)

enum { SECRET_KEYS = CTL_STORE_OPTIONS, JSON, OPTIONS };

static const struct ctl_option options[OPTIONS] = {
    CTL_STORE_ROWS,
    [SECRET_KEYS] = CTL_SECRET_KEYS_ROW(CTL_REQUIRED),
    [JSON] = CTL_JSON_ROW,
};

/* Where there are secrets, or were. */
struct place {
    char tenant[TENANT_MAX + 1];
    const struct config_key *key;
};

struct replacement {
    struct store_write write;
    char *old, *fresh; /* owned */
};

struct job {
    struct store *store; /* borrowed, as is the next */
    const struct key_ring *secrets;
    struct buf places;         /* of struct place */
    const struct place *place; /* the one at hand */
    struct record current;     /* its current record */
    struct replacement batch[BATCH + PAGE + 1];
    size_t count, bytes; /* of the batch */
    size_t page;         /* versions that were read at once */
    uint64_t version;    /* the last of them */
    uint64_t replaced;   /* secrets: so many versions */
    uint64_t unreadable; /* the same */
};

static enum err
note_place(void *ctx, const char *tenant, const char *key,
           const struct record *record)
{
    struct job *job = ctx;
    struct place place = {.key = config_key_find(key)};

    (void)record; /* unset it may be, but it has a history */
    if (place.key == NULL || place.key->secret == NULL)
        return ERR_OK;
    memcpy(place.tenant, tenant, strlen(tenant) + 1);
    return buf_add(&job->places, &place, sizeof(place)) ? ERR_OK : ERR_NOMEM;
}

/* Adds a version to the batch, unless its secret is as it should be. */
static enum err
add_version(struct job *job, const struct record *record)
{
    const struct seal seal = {job->secrets, job->place->tenant,
                              job->place->key};
    struct replacement *next = &job->batch[job->count];
    struct seal_fault fault;
    char *fresh;
    enum err err;

    if (!record_is_set(record))
        return ERR_OK;
    err = change_renew(&seal, record, &fresh, &fault);
    if (err == ERR_SEALED) {
        (void)ctl_fail_sealed(&seal, record->version, &fault);
        job->unreadable++;
        return ERR_OK;
    }
    if (err != ERR_OK || fresh == NULL)
        return err;
    next->fresh = fresh;
    next->old = strndup(record->value, record->value_len);
    if (next->old == NULL) {
        free(fresh);
        return ERR_NOMEM;
    }
    next->write = (struct store_write){
        .op = STORE_REPLACE,
        .tenant = job->place->tenant,
        .key = job->place->key->name,
        .value = next->fresh,
        .value_len = strlen(next->fresh),
        .base = record->version,
        .replaces = next->old,
        .replaces_len = record->value_len,
    };
    job->count++;
    job->bytes += next->write.value_len + next->write.replaces_len;
    return ERR_OK;
}

/* The current version was added before: it is replaced in the history, too. */
static enum err
take_version(void *ctx, const struct record *record,
             const struct record_origin *origin)
{
    struct job *job = ctx;
    bool is_current = record->version == job->current.version &&
                      record->value_len == job->current.value_len;

    (void)origin;
    job->page++;
    job->version = record->version;
    if (is_current &&
        (!record_is_set(record) ||
         memcmp(record->value, job->current.value, record->value_len) == 0))
        return ERR_OK;
    return add_version(job, record);
}

static void
clear_batch(struct job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        seal_free(job->batch[i].old);
        free(job->batch[i].fresh);
    }
    job->count = job->bytes = 0;
}

static struct store_write *
take_batch(void *ctx)
{
    struct job *job = ctx;

    for (size_t i = 0; i < job->count; i++)
        job->batch[i].write.next =
            i + 1 < job->count ? &job->batch[i + 1].write : NULL;
    return &job->batch[0].write;
}

static enum err
commit_batch(struct job *job)
{
    enum err err = ERR_OK;

    if (job->count > 0)
        err = store_commit(job->store, take_batch, job);
    for (size_t i = 0; i < job->count && err == ERR_OK; i++) {
        err = job->batch[i].write.result;
        job->replaced += job->batch[i].write.is_new;
    }
    clear_batch(job);
    return err;
}

static enum err
commit_if_due(struct job *job)
{
    bool is_due = job->count >= BATCH || job->bytes >= BATCH_BYTES;

    return is_due ? commit_batch(job) : ERR_OK;
}

/* The versions of the place at hand. */
static enum err
walk(struct job *job)
{
    const char *tenant = job->place->tenant;
    const char *key = job->place->key->name;
    enum err err = store_get(job->store, tenant, key, &job->current);

    if (err == ERR_OK)
        err = add_version(job, &job->current);
    job->version = 0;
    do {
        job->page = 0;
        if (err == ERR_OK)
            err = store_history(job->store, tenant, key, job->version, PAGE,
                                take_version, job);
        if (err == ERR_OK)
            err = commit_if_due(job);
    } while (err == ERR_OK && job->page == PAGE && job->version > 1);
    record_clear(&job->current);
    return err;
}

static enum err
walk_all(struct job *job)
{
    struct progress progress;
    size_t count;
    enum err err = store_scan(job->store, note_place, job);

    count = job->places.len / sizeof(struct place);
    progress_start(&progress, STDERR_FILENO, "rekey", count);
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        job->place = (const struct place *)(void *)job->places.data + i;
        err = walk(job);
        progress_update(&progress, i + 1);
    }
    if (err == ERR_OK)
        err = commit_batch(job);
    clear_batch(job);
    progress_end(&progress);
    return err;
}

static enum ctl_exit
print(const struct job *job, bool is_json)
{
    unsigned long long tenants = job->places.len / sizeof(struct place);
    unsigned long long replaced = job->replaced;
    struct buf json = {0};

    if (!is_json) {
        printf("rewrote %llu secret%s with key %s, and checked %llu tenant%s\n",
               replaced, number_ending(replaced), key_ring_kid(job->secrets),
               tenants, number_ending(tenants));
        return CTL_OK;
    }
    return ctl_print_json(
        &json, json_text_add(&json, "{\"kid\":") &&
                   json_text_add_string(&json, key_ring_kid(job->secrets)) &&
                   json_text_add(&json, ",\"tenants\":") &&
                   json_text_add_number(&json, tenants) &&
                   json_text_add(&json, ",\"rewritten\":") &&
                   json_text_add_number(&json, replaced) &&
                   json_text_add(&json, ",\"unreadable\":") &&
                   json_text_add_number(&json, job->unreadable) &&
                   json_text_add(&json, "}"));
}

static enum ctl_exit
rekey(struct job *job, bool is_json)
{
    enum err err = walk_all(job);
    enum ctl_exit status;

    if (err != ERR_OK)
        return ctl_fail_store(err);
    status = print(job, is_json);
    if (status != CTL_OK || job->unreadable == 0)
        return status;
    return ctl_fail("%llu secret%s could not be read, and %s not changed",
                    (unsigned long long)job->unreadable,
                    number_ending(job->unreadable),
                    job->unreadable == 1 ? "was" : "were");
}

static enum ctl_exit
run(struct ctl_session *session)
{
    enum ctl_exit status;
    struct job *job;

    /* All versions on the disk, also those that are to be removed. */
    session->values[CTL_HISTORY] = NULL;
    status = ctl_session_open(session);
    if (status != CTL_OK)
        return status;
    job = calloc(1, sizeof(*job));
    if (job == NULL)
        return ctl_fail("out of memory");
    job->store = session->store;
    job->secrets = session->secrets;
    status = rekey(job, session->values[JSON] != NULL);
    buf_clear(&job->places);
    free(job);
    return status;
}

const struct ctl_command ctl_rekey = {
    .name = "rekey",
    .operands = "",
    .summary = "Encrypts all secrets in the store with the first secret key",
    .details = "Encrypts those in current values and in the history, also "
               "those in the clear,\n"
               "without making new versions. To replace a key: add the new one "
               "at the end of the\n"
               "file and reload the service; move it to the front and reload; "
               "rekey; then remove\n"
               "the old one.",
    .options = options,
    .option_count = OPTIONS,
    .needs = {.secrets = CTL_SECRETS, .store = CTL_STORE},
    .run = run,
};
