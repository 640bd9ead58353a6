// SPDX-License-Identifier: MIT
#include "api/route.h"

#include "api/exchange.h"
#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/service.h"
#include "api/timeline.h"
#include "api/write.h"
#include "auth/refusal.h"
#include "base/log.h"
#include "base/util.h"
#include "http/problem.h"
#include "metrics/metrics.h"

#include <string.h>
#include <time.h>

#define KEY_SEGMENT "{key}"
#define TIMELINE "/config/sales_order/history"
#define HISTORY "/config/sales_order/{key}/history"

struct route {
    const char *path; /* {key} stands for the name of a config key */
    enum http_method method;
    enum access access;
    void (*handler)(struct api *api, struct exchange *exchange);
    bool notes_failures; /* the handler logs what fails, when that changes */
};

static const struct route routes[] = {
    {"/config/sales_order/{key}", HTTP_GET, ACCESS_READ, api_get, false},
    {"/config/sales_order/{key}", HTTP_POST, ACCESS_WRITE, api_post, false},
    {"/config/sales_order", HTTP_GET, ACCESS_READ, api_list, false},
    {TIMELINE, HTTP_GET, ACCESS_READ, api_timeline, false},
    {HISTORY, HTTP_GET, ACCESS_READ, api_history, false},
    {HISTORY, HTTP_POST, ACCESS_WRITE, api_restore, false},
    {"/openapi.json", HTTP_GET, ACCESS_NONE, api_openapi, false},
    {"/healthz", HTTP_GET, ACCESS_NONE, api_healthz, false},
    {"/readyz", HTTP_GET, ACCESS_OPERATOR, api_readyz, true},
    {"/metrics", HTTP_GET, ACCESS_OPERATOR, api_metrics, false},
    {0},
};

_Static_assert(ARRAY_SIZE(routes) <= METRICS_NO_ROUTE, "room in the metrics");
_Static_assert(HTTP_GET == 0 && HTTP_HEAD == 1 && HTTP_POST == 2 &&
                   HTTP_OTHER == METRICS_METHODS_MAX - 1,
               "the order of metrics_methods");

/* True if the path is the pattern's; *key_out is the key that stands in it. */
static bool
is_match(const char *pattern, const char *path,
         const struct config_key **key_out)
{
    const char *segment = strstr(pattern, KEY_SEGMENT);
    char name[STORE_KEY_MAX + 1];
    size_t prefix_len, name_len;

    if (segment == NULL)
        return strcmp(pattern, path) == 0;
    prefix_len = (size_t)(segment - pattern);
    if (strncmp(pattern, path, prefix_len) != 0)
        return false;
    path += prefix_len;
    name_len = strcspn(path, "/");
    if (name_len > STORE_KEY_MAX ||
        strcmp(path + name_len, segment + strlen(KEY_SEGMENT)) != 0)
        return false;
    memcpy(name, path, name_len);
    name[name_len] = '\0';
    *key_out = config_key_find(name);
    return *key_out != NULL;
}

/* HEAD is served as GET; the transport leaves the body out. */
static enum http_method
effective_method(const struct request *request)
{
    return request->method == HTTP_HEAD ? HTTP_GET : request->method;
}

/*
 * Front ends read paths in ways of their own, and what one of them lets pass
 * for another path's sake must not be served: one resource has one path, which
 * the client asked for. Whoever does not pass on what that was is trusted.
 */
static bool
is_as_asked(const struct request *request)
{
    return request->target == NULL ||
           http_target_is(request->target, request->prefix, request->path);
}

static void
respond_no_route(struct exchange *exchange, enum err err)
{
    static const char prefix[] = "/config/sales_order/";
    const struct request *request = &exchange->request;
    const struct config_key *guess = NULL;

    if (strncmp(request->path, prefix, strlen(prefix)) == 0)
        guess = config_key_guess(request->path + strlen(prefix));
    if (err == ERR_METHOD)
        problem_respondf(&exchange->response, request, err,
                         "the method is not allowed here");
    else if (guess != NULL)
        problem_respondf(&exchange->response, request, err,
                         "there is no such path; is %s meant?", guess->name);
    else
        problem_respondf(&exchange->response, request, err,
                         "there is no such path");
}

/* False: the route is not there, and the log says once why. */
static bool
is_shown(struct api *api, const struct route *route,
         const struct request *request)
{
    if (route->access != ACCESS_OPERATOR || request->is_operator)
        return true;
    if (!api->has_hidden)
        log_event(LOG_LEVEL_WARNING, "hidden", LOG_TEXT("path", route->path),
                  LOG_TEXT("reason", "/readyz and /metrics are 404 unless the "
                                     "web server sets ORDERCONF_OPERATOR to 1"),
                  LOG_TEXT("request_id", request->id));
    api->has_hidden = true;
    return false;
}

/* The route, or NULL; then *err_out says whether it was path or method. */
static const struct route *
find_route(struct api *api, struct exchange *exchange, enum err *err_out)
{
    static const char *const allow[] = {
        [1 << HTTP_GET] = "GET, HEAD",
        [1 << HTTP_POST] = "POST",
        [1 << HTTP_GET | 1 << HTTP_POST] = "GET, HEAD, POST",
    };
    enum http_method method = effective_method(&exchange->request);
    unsigned methods = 0;

    for (const struct route *route = routes; route->path != NULL; route++) {
        if (!is_match(route->path, exchange->request.path, &exchange->key) ||
            !is_shown(api, route, &exchange->request))
            continue;
        if (methods == 0 || route->method == method)
            exchange->route = (unsigned int)(route - routes);
        if (route->method == method)
            return route;
        methods |= 1u << route->method;
    }
    if (methods != 0)
        exchange->response.allow = allow[methods];
    *err_out = methods != 0 ? ERR_METHOD : ERR_NOTFOUND;
    return NULL;
}

/* Checks the token. False: the response is made. */
static bool
check_access(struct api *api, struct exchange *exchange, enum access access)
{
    const struct request *request = &exchange->request;
    struct response *response = &exchange->response;
    const struct principal *principal;
    enum auth_refusal refusal;
    const char *why;
    enum err err =
        auth_check(api->auth, request->authorization, request->front_tenant,
                   access, time(NULL), request->id, &principal, &refusal);

    if (err == ERR_OK) {
        exchange->principal = *principal;
        return true;
    }
    if (err == ERR_NOMEM) {
        problem_respond(response, request, err, NULL);
        return false;
    }
    response->challenge = auth_refusal_challenge(refusal);
    why = auth_refusal_text(refusal);
    if (why != NULL)
        problem_respondf(response, request, err, "%s", why);
    else
        problem_respond(response, request, err, NULL);
    return false;
}

static void
serve(struct api *api, struct exchange *exchange)
{
    const struct request *request = &exchange->request;
    const struct route *route;
    bool needs_token;
    enum err err;

    exchange->route = METRICS_NO_ROUTE;
    if (!is_as_asked(request)) {
        problem_respondf(&exchange->response, request, ERR_NOTFOUND,
                         "there is no such path: the web server read it as "
                         "another one");
        return;
    }
    route = find_route(api, exchange, &err);
    if (route == NULL) {
        respond_no_route(exchange, err);
        return;
    }
    needs_token = route->access == ACCESS_READ || route->access == ACCESS_WRITE;
    if (needs_token && api->store == NULL) {
        problem_respond(&exchange->response, request, ERR_STORE, NULL);
        return;
    }
    if (!needs_token || check_access(api, exchange, route->access))
        route->handler(api, exchange);
}

/* False where the log says more: by the route's handler, and for a secret. */
static bool
is_worth_noting(const struct exchange *exchange)
{
    const struct response *response = &exchange->response;

    if (exchange->route < ARRAY_SIZE(routes) &&
        routes[exchange->route].notes_failures)
        return false;
    return response->status >= 500 && response->err != ERR_SEALED;
}

/* Whoever asks about a 500 or 503 has its request_id. What kept the store from
 * it is a line of its own, and may be one for many answers. */
static void
note_failure(const struct exchange *exchange)
{
    const char *tenant = exchange->principal.tenant;

    if (!is_worth_noting(exchange))
        return;
    log_event(LOG_LEVEL_ERR, "failed",
              LOG_TEXT("error_code", err_name(exchange->response.err)),
              LOG_TEXT("path", exchange->request.path),
              LOG_TEXT("request_id", exchange->request.id),
              LOG_TEXT(*tenant != '\0' ? "tenant" : NULL, tenant));
}

/* Counts and logs an exchange whose response is made. */
static enum route_outcome
conclude(const struct exchange *exchange)
{
    if (exchange->wait.what != WAIT_NONE)
        return ROUTE_WAITS;
    metrics_request(exchange->route, exchange->request.method,
                    exchange->response.status, now_ns() - exchange->started);
    note_failure(exchange);
    return ROUTE_ANSWERED;
}

enum route_outcome
route_serve(struct api *api, struct exchange *exchange)
{
    exchange->started = now_ns();
    serve(api, exchange);
    return conclude(exchange);
}

enum route_outcome
route_resume(struct api *api, struct exchange *exchange)
{
    exchange_resume(api, exchange);
    return conclude(exchange);
}

void
route_refuse(struct exchange *exchange, enum err err)
{
    bool is_new = exchange->started == 0;

    response_clear(&exchange->response);
    problem_respond(&exchange->response, &exchange->request, err, NULL);
    if (!is_new) { /* it is counted, with the response that it does not get */
        note_failure(exchange);
        return;
    }
    exchange->route = METRICS_NO_ROUTE;
    exchange->started = now_ns();
    (void)conclude(exchange);
}

void
route_serve_here(struct api *api, struct exchange *exchange)
{
    enum route_outcome outcome = route_serve(api, exchange);

    while (outcome == ROUTE_WAITS) {
        exchange_wait_here(api, exchange);
        outcome = route_resume(api, exchange);
    }
}

void
route_name(struct metrics_names *names)
{
    for (size_t i = 0; routes[i].path != NULL; i++) {
        names->routes[i].path = routes[i].path;
        names->routes[i].method = metrics_methods[routes[i].method];
    }
    names->routes[METRICS_NO_ROUTE].path = "unmatched";
    names->routes[METRICS_NO_ROUTE].method = "any";
}
