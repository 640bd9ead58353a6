// SPDX-License-Identifier: MIT
#include "api/secret.h"

#include "api/exchange.h"
#include "base/log.h"
#include "http/problem.h"
#include "setting/change.h"

struct seal
api_seal_of(const struct api *api, const struct exchange *exchange,
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

/* The mask, too, is shown only of a secret that can be opened: the same request
 * fails for every token. */
static enum change_view
view_of(const struct exchange *exchange)
{
    return exchange->principal.may_reveal ? CHANGE_REVEALED : CHANGE_PROVEN;
}

enum err
api_show_value(const struct api *api, const struct exchange *exchange,
               const struct config_key *key, const struct record *record,
               char **text_out)
{
    const struct seal seal = api_seal_of(api, exchange, key);
    struct seal_fault fault;
    enum err err =
        change_show(&seal, view_of(exchange), record, text_out, &fault);

    if (err == ERR_SEALED)
        log_sealed(exchange, key, record->version, &fault);
    return err;
}

enum err
api_show_record(const struct api *api, const struct exchange *exchange,
                const struct config_key *key, struct record *record)
{
    const struct seal seal = api_seal_of(api, exchange, key);
    struct seal_fault fault;
    enum err err = change_show_record(&seal, view_of(exchange), record, &fault);

    if (err == ERR_SEALED)
        log_sealed(exchange, key, record->version, &fault);
    return err;
}

void
api_respond_failed(struct exchange *exchange, const struct config_key *key,
                   enum err err)
{
    exchange->response.etag[0] = '\0';
    if (err == ERR_SEALED)
        problem_respondf(&exchange->response, &exchange->request, err,
                         "%s: the stored %s cannot be read, see the log",
                         key->name,
                         key->secret != NULL ? key->secret : "value");
    else
        problem_respond(&exchange->response, &exchange->request, err, NULL);
}

void
api_respond_not_made(struct exchange *exchange, enum err err, uint64_t version,
                     const struct seal_fault *fault)
{
    json_auto_t *messages = json_array();
    enum err explained = ERR_NOMEM;

    if (err == ERR_SEALED)
        log_sealed(exchange, exchange->key, version, fault);
    if (messages != NULL)
        explained = change_explain(exchange->key, err, messages);
    if (explained == ERR_INVALID)
        problem_respond(&exchange->response, &exchange->request, explained,
                        messages);
    else
        api_respond_failed(exchange, exchange->key,
                           explained == ERR_OK ? err : explained);
}
