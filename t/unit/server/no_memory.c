// SPDX-License-Identifier: MIT
/*
 * One allocation of a request fails, or all from one on: the first, the
 * second, and so on until the request needs no more. Whatever it is, there is
 * an answer that says so or the right one, or the process has ended. The store
 * holds all of a write or nothing, nothing leaks, and the next request is
 * served. t/e2e/server/no_memory.mjs does it to the programs.
 */
#include "api/route.h"
#include "server/conn.h"
#include "server/waiting.h"

#include "lib/auth_world.h"
#include "lib/gone.h"
#include "lib/no_memory.h"
#include "lib/on_disk.h"
#include "lib/records.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define KEY "big_sales_order"
#define PATH "/config/sales_order/" KEY

static struct api api;
static char *authorization;

struct trial;
typedef void serve_fn(struct trial *trial);

/* One request, and what came of it. Its parent reads what a child writes. */
struct trial {
    serve_fn *serve;
    const char *method;
    bool is_lasting; /* all allocations fail from the n-th on */
    unsigned n;
    char value[64];
    char id[16];
    char body[80];

    uint64_t before; /* the version that it finds */
    bool has_failed;
    bool is_gone;    /* the process has ended instead of an answer */
    bool is_unheard; /* there is not even a connection to answer on */
    int status;
    char answer[4096];
};

#define NEVER UINT32_MAX

static bool
is_post(const struct trial *trial)
{
    return strcmp(trial->method, "POST") == 0;
}

static void
set_up(void)
{
    on_disk_set_up();
    world_set_up();

    auto_char *token =
        world_sign("{" ISS_ACME ",\"sub\":\"ada\",\"exp\":4102444800}");

    authorization = tokens_format("Bearer %s", token);
    /* A key set that has just changed is read again. */
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
}

static void
tear_down(void)
{
    free(authorization);
    world_tear_down();
    on_disk_tear_down();
}

TestSuite(no_memory, .init = set_up, .fini = tear_down, .timeout = 300);

static void
begin(const struct trial *trial)
{
    if (trial->is_lasting)
        no_memory_from(trial->n);
    else
        no_memory_after(trial->n);
}

#define PARAMS_COUNT 6

struct param {
    const char *name, *value;
};

static void
list_params(const struct trial *trial, struct param params_out[PARAMS_COUNT])
{
    const struct param params[PARAMS_COUNT] = {
        {"REQUEST_METHOD", trial->method},     {"PATH_INFO", PATH},
        {"CONTENT_TYPE", "application/json"},  {"REQUEST_ID", trial->id},
        {"HTTP_AUTHORIZATION", authorization}, {"HTTP_ACCEPT", "*/*"},
    };

    memcpy(params_out, params, sizeof(params));
}

/* What a transport does with a complete request. */
static void
serve_alone(struct trial *trial)
{
    struct exchange exchange = {0};
    struct param params[PARAMS_COUNT];
    char *variables[PARAMS_COUNT + 1] = {NULL};

    list_params(trial, params);
    for (size_t i = 0; i < PARAMS_COUNT; i++)
        variables[i] = tokens_format("%s=%s", params[i].name, params[i].value);
    cr_assert_eq(request_init(&exchange.request, variables), ERR_OK);
    exchange.request.body = trial->body;
    exchange.request.body_len = strlen(trial->body);
    begin(trial);
    route_serve_here(&api, &exchange);
    trial->has_failed = no_memory_end();
    trial->status = exchange.response.status;
    snprintf(trial->answer, sizeof(trial->answer), "%.*s",
             (int)exchange.response.body_len, exchange.response.body);
    exchange_clear(&exchange);
    for (size_t i = 0; i < PARAMS_COUNT; i++)
        free(variables[i]);
}

static struct buf
make_records(struct trial *trial)
{
    struct param params[PARAMS_COUNT];
    struct buf records = {0}, pairs = {0};

    list_params(trial, params);
    for (size_t i = 0; i < PARAMS_COUNT; i++)
        records_add_pair(&pairs, params[i].name, params[i].value);
    records_add_begin(&records, 1, 1, 1);
    records_add(&records, PARAMS, 1, pairs.data, pairs.len, 0);
    records_add(&records, PARAMS, 1, NULL, 0, 0);
    records_add(&records, STDIN, 1, trial->body, strlen(trial->body), 0);
    records_add(&records, STDIN, 1, NULL, 0, 0);
    buf_clear(&pairs);
    return records;
}

/* The status and the body of the records that arrived. */
static void
read_records(int fd, struct trial *trial)
{
    static char bytes[65536];
    struct buf all = {.data = bytes}, content = {0};
    ssize_t len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    int type = STDOUT;
    char *body;

    cr_assert_gt(len, 0, "n %u: no answer", trial->n);
    all.len = (size_t)len;
    for (size_t at = 0, next = 0; next < all.len; at = next) {
        const unsigned char *header = (const unsigned char *)all.data + at;

        type = records_next_type(&all, &next);
        if (type == STDOUT)
            cr_assert(buf_add(&content, header + 8,
                              (size_t)(header[4] << 8 | header[5])));
    }
    cr_assert_eq(type, END);
    cr_assert(buf_add(&content, "", 1));
    cr_assert_eq(sscanf(content.data, "Status: %d", &trial->status), 1);
    body = strstr(content.data, "\r\n\r\n");
    cr_assert_not_null(body);
    snprintf(trial->answer, sizeof(trial->answer), "%s", body + 4);
    buf_clear(&content);
}

/* In place of the real one, which has a thread: serve_conn waits in place, so
 * that all allocations are in one order. */
void
waiting_park(struct waiting *waiting, struct exchange *exchange, void *owner)
{
    (void)waiting;
    (void)exchange;
    (void)owner;
}

/* The same over a FastCGI connection. */
static void
serve_conn(struct trial *trial)
{
    struct buf kept = {0};
    const struct conn_service service = {.api = &api, .kept = &kept};
    struct buf records = make_records(trial);
    struct conn *conn;
    int fds[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    cr_assert_eq(write(fds[1], records.data, records.len),
                 (ssize_t)records.len);
    begin(trial);
    conn = conn_new(fds[0], &service);
    if (conn != NULL) {
        conn_read(conn);
        if (conn->state == CONN_WAITING) {
            exchange_wait_here(&api, &conn->exchange);
            conn_resume(conn);
        }
    }
    trial->has_failed = no_memory_end();
    trial->is_unheard = conn == NULL;
    if (conn != NULL) {
        conn_free(conn);
        read_records(fds[1], trial);
    } else {
        close(fds[0]);
        trial->status = 0;
    }
    close(fds[1]);
    buf_clear(&records);
    buf_clear(&kept);
}

static uint64_t
version_of(const char *value)
{
    struct record record;
    uint64_t version;

    cr_assert_eq(store_get(api.store, "acme", KEY, &record), ERR_OK);
    version = record.version;
    if (value != NULL)
        cr_assert_str_eq(record.value, value);
    record_clear(&record);
    return version;
}

/* ctx: the trial that wrote the newest version. */
static enum err
check_newest(void *ctx, const struct record *record,
             const struct record_origin *origin)
{
    const struct trial *trial = ctx;

    cr_assert_str_eq(record->value, trial->value);
    cr_assert_str_eq(origin->request_id, trial->id);
    cr_assert_str_eq(record->author, "ada");
    return ERR_OK;
}

/* The store is as it was, or has the one new version with its history. */
static void
check_store(struct trial *trial)
{
    const uint64_t before = trial->before;
    uint64_t version = version_of(NULL);
    uint64_t next = version;

    cr_assert(version == before || version == before + 1);
    if (is_post(trial) && !trial->is_gone && trial->status == 200)
        cr_assert_eq(version, before + 1, "n %u: answered 200", trial->n);
    if (version > before) {
        cr_assert(is_post(trial));
        version_of(trial->value);
        cr_assert_eq(
            store_history(api.store, "acme", KEY, 0, 1, check_newest, trial),
            ERR_OK);
    }
    cr_assert_eq(store_history(api.store, "acme", KEY, 0, SIZE_MAX,
                               count_version, &next),
                 ERR_OK);
    cr_assert_eq(next, 0, "n %u: a hole in the history", trial->n);
}

static void
check_answer(const struct trial *trial)
{
    json_auto_t *body = json_loads(trial->answer, 0, NULL);
    const json_t *status = json_object_get(body, "status");

    cr_assert(trial->has_failed || trial->status == 200);
    if (trial->is_unheard || trial->is_gone)
        return;
    cr_assert_not_null(body, "n %u: %s", trial->n, trial->answer);
    if (trial->status == 200) {
        cr_assert_not_null(json_object_get(body, "value"));
    } else {
        cr_assert(trial->status == 500 || trial->status == 503, "n %u: %d: %s",
                  trial->n, trial->status, trial->answer);
        cr_assert_eq(json_integer_value(status), trial->status);
    }
}

static void
prepare(struct trial *trial, unsigned n)
{
    static unsigned number;

    number++;
    trial->n = n;
    snprintf(trial->value, sizeof(trial->value),
             "{\"soft_limit_for_big_orders\":%u}", number);
    snprintf(trial->id, sizeof(trial->id), "r-%u", number);
    if (is_post(trial))
        snprintf(trial->body, sizeof(trial->body), "{\"value\":%s}",
                 trial->value);
}

/* The token is not known yet, and the key set not loaded. */
static void
open_api(void)
{
    api.store = open_store();
    world_restart((struct auth_options){0});
    api.auth = world.auth;
}

static void
close_api(void)
{
    auth_free(world.auth);
    world.auth = NULL;
    store_close(api.store);
}

static void
serve_next(const struct trial *trial)
{
    struct trial next = {.method = "GET"};

    prepare(&next, NEVER);
    trial->serve(&next);
    cr_assert_eq(next.status, 200, "after n %u: %d", trial->n, next.status);
}

/* One that fails, and one behind it. Returns what is in use after that. */
static long
serve_both(struct trial *trial)
{
    open_api();
    trial->before = version_of(NULL);
    trial->serve(trial);
    check_answer(trial);
    check_store(trial);
    serve_next(trial);
    close_api();
    return no_memory_used();
}

/* The first pass leaves behind what libraries keep on purpose, the second
 * nothing. ctx: the trial. */
static void
serve_twice(void *ctx)
{
    long before = serve_both(ctx);
    long after = serve_both(ctx);

    cr_assert_eq(after, before, "%ld blocks or bytes are lost", after - before);
}

static void
run(struct trial *trial, unsigned n)
{
    prepare(trial, n);
    trial->has_failed = true;
    trial->is_gone = gone_in(serve_twice, trial);
    open_api();
    if (trial->is_gone)
        check_store(trial);
    serve_next(trial);
    close_api();
}

/* All there are; under valgrind, which takes a while for each process, some. */
static void
check(const char *method, serve_fn *serve, bool is_lasting)
{
    const unsigned step = getenv("VALGRIND") != NULL ? 16 : 1;
    struct trial *trial = gone_share(sizeof(*trial));
    unsigned n = 0, refused = 0, gone = 0;

    *trial = (struct trial){
        .serve = serve, .method = method, .is_lasting = is_lasting};
    do {
        run(trial, n);
        gone += trial->is_gone;
        refused += !trial->is_gone && trial->status != 200;
        n += step;
    } while (trial->has_failed);
    /* Nearly all memory is Jansson's and OpenSSL's, also that of a 503. */
    cr_assert(is_lasting || step > 1 || refused > 3, "%u", refused);
    cr_assert_gt(gone * step, 50, "%u", gone);
}

Test(no_memory, get)
{
    check("GET", serve_alone, false);
}

Test(no_memory, get_and_none_comes_back)
{
    check("GET", serve_alone, true);
}

Test(no_memory, post)
{
    check("POST", serve_alone, false);
}

Test(no_memory, post_and_none_comes_back)
{
    check("POST", serve_alone, true);
}

Test(no_memory, get_over_fastcgi)
{
    check("GET", serve_conn, false);
}

Test(no_memory, get_over_fastcgi_and_none_comes_back)
{
    check("GET", serve_conn, true);
}

Test(no_memory, post_over_fastcgi)
{
    check("POST", serve_conn, false);
}

Test(no_memory, post_over_fastcgi_and_none_comes_back)
{
    check("POST", serve_conn, true);
}
