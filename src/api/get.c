// SPDX-License-Identifier: MIT
#include "api/get.h"

#include "api/exchange.h"
#include "api/secret.h"
#include "http/problem.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include <string.h>

_Static_assert(ETAG_SIZE <= HTTP_ETAG_SIZE, "a response has room for a tag");

/* Answers with what is stored, unless a precondition says not to. */
static void
respond_record(struct exchange *exchange, const struct record *record)
{
    const struct config_key *key = exchange->key;
    struct response *response = &exchange->response;
    bool is_there = record_is_set(record);
    const char *value;

    if (etag_of_record(key, record, response->etag) != ERR_OK) {
        problem_respond(response, &exchange->request, ERR_NOMEM, NULL);
        return;
    }
    if (!is_there && key->unset == NULL) {
        problem_respondf(response, &exchange->request, ERR_UNSET,
                         "%s is not set and has no default", key->name);
        return;
    }
    if (!api_check_conditions(exchange, is_there, api_cache_control(key)))
        return;
    value = setting_value(key, record);
    api_respond_value(exchange, value, strlen(value), setting_time(record));
}

/* Reads ?version=; 0 if it is absent. False: the response is made. */
static bool
read_version(struct exchange *exchange, uint64_t *version_out)
{
    const struct request *request = &exchange->request;
    json_auto_t *messages = NULL;
    uint64_t version = 0;
    enum err err;

    if (*request->query == '\0') { /* as nearly always */
        *version_out = 0;
        return true;
    }
    messages = json_array();
    err = http_query_number(request->query, "version", 1, API_VERSION_MAX,
                            messages, &version);
    if (err != ERR_OK) {
        problem_respond(&exchange->response, request, err, messages);
        return false;
    }
    *version_out = version;
    return true;
}

/* 404 for a version that is not there. */
static void
respond_no_version(struct exchange *exchange, uint64_t version)
{
    problem_respondf(
        &exchange->response, &exchange->request, ERR_NOTFOUND,
        "version: version %llu of %s does not exist, or is no longer "
        "kept",
        (unsigned long long)version, exchange->key->name);
}

void
api_get(struct api *api, struct exchange *exchange)
{
    const char *tenant = exchange->principal.tenant;
    const char *key = exchange->key->name;
    struct record record = {0};
    uint64_t version;
    enum err err;

    if (!read_version(exchange, &version))
        return;
    if (version == 0)
        err = store_get(api->store, tenant, key, &record);
    else
        err = store_get_version(api->store, tenant, key, version, &record);

    if (err == ERR_OK)
        err = api_show_record(api, exchange, exchange->key, &record);
    if (err != ERR_OK)
        api_respond_failed(exchange, exchange->key, err);
    else if (version != record.version && version != 0)
        respond_no_version(exchange, version);
    else
        respond_record(exchange, &record);
    record_clear(&record);
}
