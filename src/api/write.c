// SPDX-License-Identifier: MIT
/* Writes: a new value, or an old one again. */
#include "api/write.h"

#include "api/exchange.h"
#include "api/secret.h"
#include "base/number.h"
#include "http/problem.h"
#include "json/messages.h"
#include "metrics/metrics.h"
#include "model/body.h"
#include "setting/change.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <string.h>
#include <strings.h>

/* Checks size, media type and coding of the body, before anything reads it.
 * False: the response is made. */
static bool
check_body(struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    struct response *response = &exchange->response;

    if (request->content_length > HTTP_BODY_MAX ||
        request->body_len > HTTP_BODY_MAX)
        problem_respondf(response, request, ERR_TOOBIG,
                         "body: must be at most %d bytes", HTTP_BODY_MAX);
    else if (request->content_length == -2)
        problem_respondf(response, request, ERR_BADREQ,
                         "Content-Length: must be a number");
    else if (request->content_length >= 0 &&
             (size_t)request->content_length != request->body_len)
        problem_respondf(response, request, ERR_BADREQ,
                         "body: has %zu byte%s, but Content-Length says %lld",
                         request->body_len, number_ending(request->body_len),
                         (long long)request->content_length);
    else if (!http_is_json(request->content_type))
        problem_respondf(response, request, ERR_MEDIA,
                         "Content-Type: must be application/json in UTF-8");
    else if (request->content_encoding != NULL &&
             strcasecmp(request->content_encoding, "identity") != 0)
        problem_respondf(response, request, ERR_MEDIA,
                         "Content-Encoding: must be absent or identity");
    else
        return true;
    return false;
}

/* Checks If-Match and If-None-Match against what is there (RFC 9110,
 * section 13.2.2). False: the response is made. */
static bool
check_preconditions(struct exchange *exchange, const struct record *current)
{
    const struct request *request = &exchange->request;
    const char *etag = exchange->response.etag;
    bool is_there = record_is_set(current);
    enum etag_match match = ETAG_MATCHES, none_match = ETAG_DIFFERS;

    if (request->if_match != NULL)
        match = http_match_etag(request->if_match, etag, is_there, false);
    if (request->if_none_match != NULL)
        none_match =
            http_match_etag(request->if_none_match, etag, is_there, true);

    if (match == ETAG_MALFORMED)
        api_respond_malformed_etag(exchange, "If-Match");
    else if (none_match == ETAG_MALFORMED)
        api_respond_malformed_etag(exchange, "If-None-Match");
    else if (match == ETAG_DIFFERS || none_match == ETAG_MATCHES)
        problem_respondf(&exchange->response, request, ERR_PRECOND,
                         "%s: the entity tag of %s is %s",
                         match == ETAG_DIFFERS ? "If-Match" : "If-None-Match",
                         exchange->key->name, etag);
    else
        return true;
    return false;
}

static void
respond_refused(struct exchange *exchange, const struct store_write *write)
{
    json_auto_t *messages = json_array();
    enum err err = ERR_NOMEM;

    if (messages != NULL && setting_explain(write, messages) != ERR_NOMEM)
        err = write->result;
    problem_respond(&exchange->response, &exchange->request, err, messages);
}

/* Answers with what became of a write; the response has its tag. */
static void
respond_written(struct exchange *exchange, const struct store_write *write)
{
    const struct request *request = &exchange->request;
    struct response *response = &exchange->response;

    switch (write->result) {
    case ERR_OK:
        if (write->is_new)
            setting_log(write);
        api_respond_value(exchange, exchange->made.shown,
                          strlen(exchange->made.shown), write->updated_at);
        break;
    case ERR_CONFLICT:
    case ERR_PRECOND:
    case ERR_INVALID:
        respond_refused(exchange, write);
        break;
    default:
        response->etag[0] = '\0';
        problem_respond(response, request, write->result, NULL);
    }
}

/* Answers a write that was committed, or has lost. */
static void
answer_written(struct api *api, struct exchange *exchange)
{
    struct response *response = &exchange->response;
    enum err result = exchange->write.result;

    if (result == ERR_CONFLICT || result == ERR_PRECOND)
        metrics_inc(METRIC_LOST_RACES);
    /* What became of it is answered all the same. */
    if (setting_etag_after(api->store, exchange->key, &exchange->write,
                           response->etag) != ERR_OK)
        response->etag[0] = '\0';
    respond_written(exchange, &exchange->write);
}

/* How the exchange's key is to be changed to value. */
static struct change
change_to(const struct api *api, const struct exchange *exchange, json_t *value,
          bool is_validate_only)
{
    return (struct change){
        .seal = api_seal_of(api, exchange, exchange->key),
        .value = value,
        /* If no token sees the mask, it is a secret like any. */
        .has_mask = api->has_mask,
        .view =
            exchange->principal.may_reveal ? CHANGE_REVEALED : CHANGE_MASKED,
        .is_dry = is_validate_only,
    };
}

/* Makes the write, if the preconditions hold. False: the response is made. */
static bool
make(struct exchange *exchange, const struct change *change,
     const struct record *current, struct store_write *write)
{
    enum err err;

    if (!check_preconditions(exchange, current))
        return false;
    err = change_make(change, current, write, &exchange->made);
    if (err != ERR_OK)
        api_respond_not_made(exchange, err, current->version,
                             &exchange->made.fault);
    return err == ERR_OK;
}

/* Hands the change on to be stored, or answers as if it had been: then the tag
 * stays the one of what is there. */
static void
submit(struct api *api, struct exchange *exchange, const struct change *change)
{
    const struct request *request = &exchange->request;
    bool has_precondition =
        request->if_match != NULL || request->if_none_match != NULL;
    struct record current = {0};
    struct store_write write = {
        .author = exchange->principal.subject,
        .request_id = request->id,
        .lost = has_precondition ? ERR_PRECOND : ERR_CONFLICT,
    };
    enum err err = store_get(api->store, change->seal.tenant,
                             change->seal.key->name, &current);

    if (err == ERR_OK)
        err = etag_of_record(exchange->key, &current, exchange->response.etag);
    write.base = current.version;
    if (err != ERR_OK) {
        problem_respond(&exchange->response, request, err, NULL);
    } else if (make(exchange, change, &current, &write)) {
        if (change->is_dry) {
            respond_written(exchange, &write);
        } else {
            exchange->write = write;
            exchange_wait(exchange, WAIT_COMMIT, answer_written);
        }
    }
    record_clear(&current);
}

/* Reads ?validate_only= and Prefer. False: the response is made. */
static bool
read_wishes(struct exchange *exchange, bool *is_validate_only_out)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = json_array();
    bool is_validate_only = false;
    enum err err = http_query_flag(request->query, "validate_only", messages,
                                   &is_validate_only);

    exchange->response.is_strict = http_is_strict(request->prefer);
    if (err != ERR_OK) {
        problem_respond(&exchange->response, request, err, messages);
        return false;
    }
    *is_validate_only_out = is_validate_only;
    return true;
}

/* What a value is held to; exchange has the wishes already. */
static struct config_rules
rules_of(const struct api *api, const struct exchange *exchange)
{
    return (struct config_rules){
        .is_strict = exchange->response.is_strict,
        .schemes = api->webhook_schemes,
    };
}

/* The canonical value of the body, for seal_drop. False: the response is
 * made. */
static bool
read_value(const struct api *api, struct exchange *exchange, json_t **value_out)
{
    const struct request *request = &exchange->request;
    const struct config_rules rules = rules_of(api, exchange);
    json_auto_t *messages = json_array();
    enum err err = ERR_NOMEM;

    if (messages != NULL)
        err = config_key_parse(exchange->key, request->body, request->body_len,
                               &rules, messages, value_out);
    if (err != ERR_OK)
        problem_respond(&exchange->response, request, err, messages);
    return err == ERR_OK;
}

void
api_post(struct api *api, struct exchange *exchange)
{
    bool is_validate_only;
    json_t *value = NULL;

    if (check_body(exchange) && read_wishes(exchange, &is_validate_only) &&
        read_value(api, exchange, &value)) {
        const struct change change =
            change_to(api, exchange, value, is_validate_only);

        submit(api, exchange, &change);
    }
    seal_drop(exchange->key, value);
}

static const struct schema_member restore_members[] = {
    {.name = "restore_version",
     .schema = {.type = SCHEMA_INTEGER, .min = 1, .max = API_VERSION_MAX},
     .is_required = true},
    {.name = NULL},
};

static const struct schema restore_schema = {
    .type = SCHEMA_OBJECT,
    .members = restore_members,
};

static enum err
check_restore(const void *ctx, json_t *root, bool is_strict, json_t *messages,
              json_t **canonical_out)
{
    (void)ctx; /* the same for every key */
    if (!json_is_object(root))
        return messages_add(messages, "body: must be an object");
    return validate(&restore_schema, root, "", is_strict, messages,
                    canonical_out);
}

/* The version that the body names. False: the response is made. */
static bool
read_restore(struct exchange *exchange, uint64_t *version_out)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = json_array();
    json_auto_t *body = NULL;
    enum err err = ERR_NOMEM;

    if (messages != NULL)
        err = body_parse(request->body, request->body_len,
                         exchange->response.is_strict, check_restore, NULL,
                         messages, &body);
    if (err != ERR_OK) {
        problem_respond(&exchange->response, request, err, messages);
        return false;
    }
    *version_out =
        (uint64_t)json_integer_value(json_object_get(body, "restore_version"));
    return true;
}

/* The old version's value, for seal_drop. False: the response is made. */
static bool
check_again(const struct api *api, struct exchange *exchange, uint64_t version,
            const struct record *old, json_t **value_out)
{
    const struct seal seal = api_seal_of(api, exchange, exchange->key);
    const struct config_rules rules = rules_of(api, exchange);
    json_auto_t *messages = json_array();
    struct seal_fault fault;
    enum err err = ERR_NOMEM;

    if (messages != NULL)
        err = setting_check_old(&seal, "restore_version", version, old, &rules,
                                messages, value_out, &fault);
    if (err == ERR_SEALED)
        api_respond_not_made(exchange, err, version, &fault);
    else if (err != ERR_OK)
        problem_respond(&exchange->response, &exchange->request, err, messages);
    return err == ERR_OK;
}

static void
restore(struct api *api, struct exchange *exchange, uint64_t version,
        bool is_validate_only)
{
    struct record old = {0};
    json_t *value = NULL;
    enum err err = store_get_version(api->store, exchange->principal.tenant,
                                     exchange->key->name, version, &old);

    if (err != ERR_OK) {
        problem_respond(&exchange->response, &exchange->request, err, NULL);
    } else if (check_again(api, exchange, version, &old, &value)) {
        struct change change =
            change_to(api, exchange, value, is_validate_only);

        change.has_mask = false; /* an old secret, whatever it looks like */
        submit(api, exchange, &change);
    }
    seal_drop(exchange->key, value);
    record_clear(&old);
}

void
api_restore(struct api *api, struct exchange *exchange)
{
    bool is_validate_only;
    uint64_t version;

    if (check_body(exchange) && read_wishes(exchange, &is_validate_only) &&
        read_restore(exchange, &version))
        restore(api, exchange, version, is_validate_only);
}
