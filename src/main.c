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

#include "api.h"
#include "cgi.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "supervisor.h"
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct auth_options
auth_options(const struct options *options)
{
    return (struct auth_options){
        .issuer = options->issuer,
        .tenant_claim = options->tenant_claim,
        .jwks = options->jwks,
        .audience = options->audience,
        .read_scope = options->read_scope,
        .write_scope = options->write_scope,
    };
}

/* Opens what the handlers work with. On failure the log says why. */
static bool
open_api(struct api *api, const struct options *options)
{
    struct auth_options auth = auth_options(options);
    struct store_options store = {
        .path = options->db,
        .map_size = (size_t)options->map_size,
        .history = (uint64_t)options->history,
    };
    char why[512] = "out of memory";

    if (store_open(&store, &api->store, why, sizeof(why)) != ERR_OK) {
        log_event(LOG_LEVEL_ERR, "store_not_opened", LOG_TEXT("reason", why));
        return false;
    }
    api->auth = auth_new(&auth);
    if (api->auth == NULL) {
        log_event(LOG_LEVEL_ERR, "auth_not_opened",
                  LOG_TEXT("reason", "out of memory"));
        store_close(api->store);
        return false;
    }
    return true;
}

static void
close_api(struct api *api)
{
    auth_free(api->auth);
    store_close(api->store);
}

static int
run_supervisor(const struct options *options)
{
    char why[512];
    int listen_fd = listener_open(options->listen, why, sizeof(why));
    int status;

    if (listen_fd < 0) {
        log_event(LOG_LEVEL_ERR, "not_listening", LOG_TEXT("reason", why));
        return 1;
    }
    status = supervisor_run(listen_fd, options);
    close(listen_fd);
    return status;
}

static int
run_worker(const struct options *options)
{
    struct api api;
    int status;

    if (!open_api(&api, options))
        return SUPERVISOR_EXIT_CONFIG;
    status = worker_run(STDIN_FILENO, &api);
    close_api(&api);
    return status;
}

static int
run_cgi(const struct options *options)
{
    struct api api;
    bool is_open = open_api(&api, options);
    int status = cgi_run(is_open ? &api : NULL);

    if (is_open)
        close_api(&api);
    return status;
}

/* What is wrong with the settings as a whole, or NULL. */
static const char *
check(const struct options *options)
{
    struct auth_options auth = auth_options(options);

    if (options->issuer == NULL)
        return "issuer: is required";
    return auth_options_check(&auth);
}

int
main(int argc, char **argv)
{
    struct options options;
    const char *wrong;
    int activated_fd;

    switch (options_read(&options, argc, argv)) {
    case OPTIONS_EXIT_OK:
        return EXIT_SUCCESS;
    case OPTIONS_EXIT_USAGE:
        return 2;
    case OPTIONS_RUN:
        break;
    }
    log_open(options.syslog);
    wrong = check(&options);
    if (wrong != NULL) {
        fprintf(stderr, "orderconf.fcgi: %s\n", wrong);
        return 2;
    }
    if (options.listen != NULL && (wrong = listener_check(options.listen))) {
        fprintf(stderr, "orderconf.fcgi: --listen: %s\n", wrong);
        return 2;
    }

    if (options.listen != NULL)
        return run_supervisor(&options);
    activated_fd = listener_activated();
    if (activated_fd >= 0)
        return supervisor_run(activated_fd, &options);
    if (listener_is_listening(STDIN_FILENO))
        return run_worker(&options);
    if (getenv("GATEWAY_INTERFACE") != NULL)
        return run_cgi(&options);
    fprintf(stderr, "orderconf.fcgi: nothing to serve: give --listen, a "
                    "listening socket on fd 0, or a CGI environment\n");
    return 2;
}
