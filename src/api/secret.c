// SPDX-License-Identifier: MIT
#include "api/secret.h"

#include "api/exchange.h"
#include "base/log.h"
#include "http/problem.h"
#include "model/seal.h"

#include <stdlib.h>
#include <string.h>

static struct seal
seal_of(const struct api *api, const struct exchange *exchange,
        const struct config_key *key)
{
    return (struct seal){
        .secrets = api->secrets,
        .tenant = exchange->principal.tenant,
        .key = key,
    };
}

/* Once for each answer that it costs. */
static void
log_sealed(const struct exchange *exchange, const struct config_key *key,
           uint64_t version, const struct seal_fault *fault)
{
    log_event(LOG_LEVEL_ERR, "secret_unreadable",
              LOG_TEXT("tenant", exchange->principal.tenant),
              LOG_TEXT("key", key->name),
              LOG_NUMBER("version", (int64_t)version),
              LOG_TEXT("kid", fault->kid), LOG_TEXT("reason", fault->reason),
              LOG_TEXT("request_id", exchange->request.id));
}

static void
replace_value(struct record *record, char *value)
{
    seal_free(record->value);
    record->value = value;
    record->value_len = strlen(value);
}

enum err
api_open_record(const struct api *api, const struct exchange *exchange,
                const struct config_key *key, struct record *record)
{
    const struct seal seal = seal_of(api, exchange, key);
    struct seal_fault fault;
    char *value;
    enum err err;

    if (key->secret == NULL || !record_is_set(record))
        return ERR_OK;
    err = seal_open(&seal, record->value, record->value_len, &value, &fault);
    if (err == ERR_SEALED)
        log_sealed(exchange, key, record->version, &fault);
    if (err == ERR_OK)
        replace_value(record, value);
    return err;
}

enum err
api_show_record(const struct api *api, const struct exchange *exchange,
                const struct config_key *key, struct record *record)
{
    char *masked;
    enum err err = api_open_record(api, exchange, key, record);

    if (err != ERR_OK || key->secret == NULL || !record_is_set(record) ||
        exchange->principal.may_reveal)
        return err;
    err = seal_mask(key, record->value, record->value_len, &masked);
    if (err == ERR_OK)
        replace_value(record, masked);
    return err;
}

void
api_respond_unreadable(struct exchange *exchange, const struct config_key *key,
                       enum err err)
{
    exchange->response.etag[0] = '\0';
    if (err == ERR_SEALED)
        problem_respondf(&exchange->response, &exchange->request, err,
                         "%s: the stored %s cannot be read, see the log",
                         key->name, key->secret);
    else
        problem_respond(&exchange->response, &exchange->request, err, NULL);
}

/* The mask says: the secret that is there. */
static bool
is_kept(const struct api *api, const struct exchange *exchange, enum err *err)
{
    bool is_masked = false;

    *err = ERR_OK;
    if (api->has_mask)
        *err = seal_is_masked(exchange->key, exchange->value,
                              strlen(exchange->value), &is_masked);
    return is_masked;
}

static void
respond_not_kept(struct exchange *exchange, enum err err)
{
    const struct config_key *key = exchange->key;

    if (err == ERR_DENIED)
        problem_respondf(&exchange->response, &exchange->request, ERR_INVALID,
                         SEAL_MOVED, key->secret, key->recipient, key->secret);
    else if (err == ERR_TOOBIG)
        problem_respondf(&exchange->response, &exchange->request, ERR_INVALID,
                         "value: must be at most %d bytes with the %s that is "
                         "kept",
                         CONFIG_VALUE_MAX, key->secret);
    else
        api_respond_unreadable(exchange, key, err);
}

bool
api_keep_secret(const struct api *api, struct exchange *exchange,
                struct record *current)
{
    const struct config_key *key = exchange->key;
    char *kept = NULL;
    enum err err;

    if (!is_kept(api, exchange, &err)) {
        if (err != ERR_OK)
            api_respond_unreadable(exchange, key, err);
        return err == ERR_OK;
    }
    if (!record_is_set(current)) {
        problem_respondf(&exchange->response, &exchange->request, ERR_INVALID,
                         "value.%s: is the mask, but no %s is stored to be "
                         "kept",
                         key->secret, key->secret);
        return false;
    }
    err = api_open_record(api, exchange, key, current);
    if (err == ERR_OK)
        err = seal_keep(key, exchange->value, strlen(exchange->value),
                        current->value, current->value_len, &kept);
    if (err != ERR_OK) {
        respond_not_kept(exchange, err);
        return false;
    }
    seal_free(exchange->value);
    exchange->value = kept;
    return true;
}

bool
api_seal_value(const struct api *api, struct exchange *exchange,
               struct record *current)
{
    const struct config_key *key = exchange->key;
    const struct seal seal = seal_of(api, exchange, key);
    enum err err = ERR_OK;

    /* Keys that somebody forgot to set must not undo what they were for. */
    if (api->secrets == NULL)
        err = api_open_record(api, exchange, key, current);
    else if (key->secret != NULL)
        err = seal_value(&seal, exchange->value, strlen(exchange->value),
                         &exchange->sealed);
    if (err != ERR_OK)
        api_respond_unreadable(exchange, key, err);
    return err == ERR_OK;
}

void
api_respond_written_value(struct exchange *exchange, int64_t updated_at)
{
    const struct config_key *key = exchange->key;
    char *masked = NULL;

    if (key->secret == NULL || exchange->principal.may_reveal) {
        api_respond_value(exchange, exchange->value, strlen(exchange->value),
                          updated_at);
        return;
    }
    if (seal_mask(key, exchange->value, strlen(exchange->value), &masked) ==
        ERR_OK)
        api_respond_value(exchange, masked, strlen(masked), updated_at);
    else
        problem_respond(&exchange->response, &exchange->request, ERR_NOMEM,
                        NULL);
    seal_free(masked);
}
