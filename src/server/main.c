// SPDX-License-Identifier: MIT
/*
 * orderconf.fcgi. How it was started decides what it is:
 *
 *   --listen                  a supervisor, which starts this program again
 *   LISTEN_FDS is set         the same on a socket of systemd's
 *   fd 0 listens              one worker on it (spawn-fcgi, mod_fcgid, …)
 *   GATEWAY_INTERFACE is set  plain CGI, one request
 */
#include "config.h"

#include "api/exchange.h"
#include "api/route.h"
#include "auth/refusal.h"
#include "base/log.h"
#include "base/must_alloc.h"
#include "base/number.h"
#include "base/process.h"
#include "base/util.h"
#include "metrics/metrics.h"
#include "model/key_ring.h"
#include "server/cgi.h"
#include "server/listener.h"
#include "server/options.h"
#include "server/reload_socket.h"
#include "server/supervisor.h"
#include "server/worker.h"
#include "store/open.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WHY_SIZE 512

/* A library was refused memory that it cannot do without. To log needs none,
 * and abort waits for the log. The supervisor starts another worker. */
static void
end_without_memory(size_t bytes)
{
    log_event(LOG_LEVEL_ERR, "out_of_memory",
              LOG_NUMBER("bytes", (int64_t)bytes));
    abort();
}

/* Beside the store, but not beside one that was refused: it may belong to a
 * program whose metrics are others. Without them, the service goes on. */
static void
open_metrics(const struct settings *options, bool has_store)
{
    static struct metrics_names names;
    char why[512];

    route_name(&names);
    for (int refusal = AUTH_MISSING; refusal < AUTH_REFUSAL_MAX; refusal++)
        names.refusals[refusal] = auth_refusal_name((enum auth_refusal)refusal);
    if (!metrics_open(has_store ? options->db : NULL, &names, why, sizeof(why)))
        log_event(LOG_LEVEL_WARNING, "metrics_not_shared",
                  LOG_TEXT("reason", why));
}

static bool
open_store(struct api *api, const struct settings *options, char why[WHY_SIZE])
{
    struct store_options store = {
        .path = options->db,
        .map_size = (size_t)options->map_size,
        .history = (uint64_t)options->history,
    };
    enum err err;

    do
        err = store_open(&store, &api->store, why, WHY_SIZE);
    while (err == ERR_BUSY && process_renumber());
    if (err == ERR_OK)
        return true;
    log_event(LOG_LEVEL_ERR, "store_not_opened", LOG_TEXT("reason", why));
    return false;
}

/* True if there are none, or the keys of the file. */
static bool
open_secrets(const struct settings *options, struct key_ring **secrets_out,
             char why[WHY_SIZE])
{
    if (options->secret_keys == NULL ||
        key_ring_open(options->secret_keys, secrets_out, why, WHY_SIZE) ==
            ERR_OK)
        return true;
    log_event(LOG_LEVEL_ERR, "secret_keys_not_opened", LOG_TEXT("reason", why));
    return false;
}

static void
close_api(struct api *api)
{
    key_ring_close(api->secrets);
    auth_free(api->auth);
    if (!api->is_abandoned) { /* or a thread still uses these */
        store_close(api->store);
        metrics_close();
    }
    *api = (struct api){0};
}

/* Opens what the handlers work with. On failure the log and why say what is
 * wrong, and of store and auth there is neither. */
static bool
open_api(struct api *api, const struct settings *options, char why[WHY_SIZE])
{
    struct auth_options auth = options_of_auth(options);
    bool has_store;

    memcpy(why, "out of memory", sizeof("out of memory"));
    has_store = open_store(api, options, why);

    api->has_mask = options->secret_scope != NULL;
    api->webhook_schemes = options->webhook_schemes;
    open_metrics(options, has_store);
    if (!has_store)
        return false;
    api->auth = auth_new(&auth);
    if (api->auth == NULL)
        log_event(LOG_LEVEL_ERR, "auth_not_opened",
                  LOG_TEXT("reason", "out of memory"));
    else if (open_secrets(options, &api->secrets, why))
        return true;
    auth_free(api->auth);
    api->auth = NULL;
    store_close(api->store);
    api->store = NULL;
    return false;
}

/* On the socket that systemd gave, or -1: on one of its own. */
static int
run_supervisor(const struct settings *options, char **arguments, int listen_fd)
{
    char why[512];
    int status;

    log_queue(LOG_BY_CHILD, NULL);
    if (listen_fd < 0)
        listen_fd = listener_open(options->listen, why, sizeof(why));
    if (listen_fd < 0) {
        log_event(LOG_LEVEL_ERR, "not_listening", LOG_TEXT("reason", why));
        return 1;
    }
    status = supervisor_run(listen_fd, options, arguments);
    close(listen_fd);
    return status;
}

static void
count_dropped(uint64_t lines)
{
    metrics_add(METRIC_LOG_DROPPED, lines);
}

/* A worker that takes another one's place counts itself. */
static void
count_restart(void)
{
    const char *cause = getenv(WORKER_CAUSE);

    for (size_t i = 0; cause != NULL && i < ARRAY_SIZE(metrics_causes); i++)
        if (strcmp(cause, metrics_causes[i]) == 0)
            metrics_inc(METRIC_RESTARTS_DIED + (unsigned int)i);
}

static int
run_worker(const struct settings *options)
{
    auto_fd signal_fd = worker_open_signals();
    struct api api = {0};
    int status = WORKER_EXIT_CONFIG;
    char why[WHY_SIZE];
    bool is_open;

    log_queue(LOG_BY_THREAD, count_dropped);
    is_open = open_api(&api, options, why);
    count_restart();
    if (is_open)
        status = worker_run(STDIN_FILENO, signal_fd, &api);
    else /* for the supervisor; whoever does not listen need not */
        (void)!write(STDOUT_FILENO, why, strlen(why));
    close_api(&api);
    return status;
}

/* A server must get an answer, also if there is no store to give it from. */
static int
run_cgi(const struct settings *options)
{
    struct api api = {0};
    char why[WHY_SIZE];
    int status;

    log_queue(LOG_BY_THREAD, count_dropped);
    (void)open_api(&api, options, why); /* says so in the log */
    status = cgi_run(&api);
    close_api(&api);
    return status;
}

/* As what it was started as; 2: it was not. */
static int
run(const struct settings *options, char **arguments)
{
    int activated_fd;

    if (options->listen != NULL)
        return run_supervisor(options, arguments, -1);
    activated_fd = listener_activated();
    if (activated_fd >= 0)
        return run_supervisor(options, arguments, activated_fd);
    if (listener_is_listening(STDIN_FILENO))
        return run_worker(options);
    if (getenv("GATEWAY_INTERFACE") != NULL)
        return run_cgi(options);
    log_complain("nothing to serve: give --listen, a listening socket on fd 0, "
                 "or a CGI environment");
    return 2;
}

/* As ExecReload of systemd.service(5), which says whom in the environment. */
static int
ask_to_reload(void)
{
    const char *text = getenv("MAINPID");
    uint64_t pid;

    if (text == NULL || !number_read(text, 1, INT32_MAX, &pid)) {
        log_complain("--reload: MAINPID in the environment must be the "
                     "process id of the service");
        return 2;
    }
    return reload_ask((pid_t)pid);
}

/* Until it ends; returns the exit status. */
static int
serve(const struct settings *options, char **arguments)
{
    const char *wrong = options_check(options);
    int status;

    log_open(options->syslog);
    if (wrong != NULL) {
        log_complain("%s", wrong);
        return 2;
    }
    if (options->listen != NULL && (wrong = listener_check(options->listen))) {
        log_complain("--listen: %s", wrong);
        return 2;
    }

    /* A file that may not grow is an error of the write, not a reason to die.
     * Workers inherit it. */
    signal(SIGXFSZ, SIG_IGN);

    status = run(options, arguments);
    log_close();
    return status;
}

int
main(int argc, char **argv)
{
    char **arguments = argv + (argc > 0);
    struct settings options;
    int status;

    if (!must_alloc_set(end_without_memory)) {
        fprintf(stderr, "orderconf.fcgi: OpenSSL was used before main: is a "
                        "library preloaded?\n");
        return EXIT_FAILURE;
    }
    switch (options_read(&options, arguments)) {
    case OPTIONS_EXIT_OK:
        return EXIT_SUCCESS;
    case OPTIONS_EXIT_USAGE:
        return 2;
    case OPTIONS_RELOAD:
        return ask_to_reload();
    case OPTIONS_RUN:
        break;
    }
    status = serve(&options, arguments);
    options_clear(&options);
    return status;
}
