// SPDX-License-Identifier: MIT
#include "server/supervisor.h"

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "server/listener.h"
#include "server/notify.h"
#include "server/reload.h"
#include "server/reload_socket.h"
#include "server/slot.h"
#include "server/worker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* From the start of a worker that died, if it had become ready, to that of the
 * next one: what cannot live does not keep a core busy. */
#define RESTART_MS 100

#define TICK_MS 1000
#define OWN_FDS 2 /* that are polled beside those of the slots */

struct supervisor {
    struct reload reload;
    char program[PATH_MAX];
    int listen_fd;
    int signal_fd;
    struct reload_socket askers;
    struct slot *slots;
    size_t count;
    bool was_ready;
    int64_t renewing;  /* since when all are renewed, in monotonic ms; 0: they
                          are not */
    char refused[512]; /* why a worker of the renewal did not become ready, as
                          it said; "": none did not */
    bool is_stopping;
    int status;
};

static void
signal_all(const struct supervisor *supervisor, int signal_number)
{
    for (size_t i = 0; i < supervisor->count; i++) {
        if (supervisor->slots[i].pid > 0)
            kill(supervisor->slots[i].pid, signal_number);
        if (supervisor->slots[i].retired > 0)
            kill(supervisor->slots[i].retired, signal_number);
    }
}

static void
stop(struct supervisor *supervisor, int status)
{
    if (supervisor->is_stopping)
        return;
    supervisor->is_stopping = true;
    supervisor->status = status;
    notify_manager("STOPPING=1");
    /* Nobody new may connect; what has connected is in the socket's queue,
     * which the workers empty before they end. */
    if (supervisor->reload.first->listen != NULL)
        listener_unlink(supervisor->reload.first->listen);
    signal_all(supervisor, SIGTERM);
}

static void
set_old(struct supervisor *supervisor, bool is_old)
{
    for (size_t i = 0; i < supervisor->count; i++)
        supervisor->slots[i].is_old = is_old;
}

/* The old worker that is renewed next; NULL if there is none, or if another
 * renewal is under way. */
static struct slot *
find_old(const struct supervisor *supervisor)
{
    struct slot *found = NULL;

    for (size_t i = supervisor->count; i-- > 0;) {
        struct slot *slot = &supervisor->slots[i];

        if (slot->retired > 0)
            return NULL;
        if (slot->is_old && slot->is_ready && slot->pid > 0)
            found = slot;
    }
    return found;
}

static void end_renewal(struct supervisor *supervisor, struct slot *slot);

/* Starts the successor of the next worker, if a renewal is under way. Whatever
 * keeps it from that leads here again when it is over. */
static void
renew_next(struct supervisor *supervisor)
{
    struct slot *slot = find_old(supervisor);

    if (slot == NULL || supervisor->is_stopping)
        return;
    slot->retired = slot->pid;
    slot->ended = 0;
    slot->pid = 0;
    slot->cause = "replaced";
    slot_start(slot, supervisor->program, supervisor->listen_fd,
               &supervisor->reload);
    if (slot->pid != 0)
        return;
    slot->is_old = false;
    reload_go_back(&supervisor->reload);
    end_renewal(supervisor, slot);
}

static void
renew_all(struct supervisor *supervisor)
{
    supervisor->renewing = process_now_ms();
    *supervisor->refused = '\0';
    set_old(supervisor, true);
    renew_next(supervisor);
}

static void
reload(struct supervisor *supervisor)
{
    char said[RELOAD_SAID_SIZE];

    if (!reload_read(&supervisor->reload, said)) {
        reload_socket_end(&supervisor->askers, said);
        return;
    }
    if (*said != '\0')
        reload_socket_tell(&supervisor->askers, said);
    renew_all(supervisor);
}

static bool
is_all_ready(const struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->slots[i].pid == 0 || !supervisor->slots[i].is_ready)
            return false;
    return true;
}

/* Tells when the last old worker is gone, or stays for good. */
static void
conclude_renewal(struct supervisor *supervisor)
{
    if (supervisor->renewing == 0 || !is_all_ready(supervisor))
        return;
    for (size_t i = 0; i < supervisor->count; i++)
        if (supervisor->slots[i].is_old || supervisor->slots[i].retired > 0)
            return;
    if (*supervisor->refused == '\0') {
        log_event(LOG_LEVEL_NOTICE, "workers_replaced",
                  LOG_NUMBER("workers", (int64_t)supervisor->count),
                  LOG_NUMBER("ms", process_now_ms() - supervisor->renewing));
        reload_socket_end(&supervisor->askers, RELOAD_DONE);
    } else {
        reload_socket_tell(&supervisor->askers, supervisor->refused);
        reload_socket_end(&supervisor->askers,
                          "a new worker did not become ready; the old workers "
                          "go on with the old settings");
    }
    supervisor->renewing = 0;
}

/* The worker has said that it is ready, or why not; or it is dead. SIGCHLD
 * tells of its end. */
static void
end_start(struct supervisor *supervisor, struct slot *slot)
{
    char word[sizeof(supervisor->refused)];
    ssize_t len = read(slot->ready_fd, word, sizeof(word) - 1);

    word[len > 0 ? len : 0] = '\0';
    slot->is_ready = strncmp(word, WORKER_READY, strlen(WORKER_READY)) == 0;
    if (!slot->is_ready && len > 0)
        memcpy(supervisor->refused, word, (size_t)len + 1);
    close(slot->ready_fd);
    slot->ready_fd = -1;
    if (!slot->is_ready)
        return;
    if (!slot->is_old)
        reload_prove(&supervisor->reload);
    if (slot->retired > 0) {
        kill(slot->retired, SIGTERM);
        slot->ended = process_now_ms();
    }
    if (!supervisor->was_ready && is_all_ready(supervisor)) {
        supervisor->was_ready = true;
        log_event(LOG_LEVEL_NOTICE, "ready",
                  LOG_NUMBER("workers", (int64_t)supervisor->count));
        notify_manager("READY=1");
    }
    renew_next(supervisor);
}

/* The successor failed: its predecessor stays, and so do the others, unless
 * SIGHUP came meanwhile. What failed knew nothing of what that was for. */
static void
end_renewal(struct supervisor *supervisor, struct slot *slot)
{
    log_event(LOG_LEVEL_ERR, "renewal_failed",
              LOG_NUMBER("worker", slot->retired));
    if (*supervisor->refused == '\0')
        memcpy(supervisor->refused, "see the log", sizeof("see the log"));
    slot->pid = slot->retired;
    slot->retired = 0;
    slot->is_ready = true;
    set_old(supervisor, slot->is_old);
    renew_next(supervisor);
}

/* A slot lost its current worker. */
static void
replace(struct supervisor *supervisor, struct slot *slot, int status)
{
    bool is_config =
        WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_CONFIG;

    close_fd(&slot->ready_fd);
    slot->ready_fd = -1;
    slot->pid = 0;
    if (!slot->is_ready && !slot->is_old)
        reload_go_back(&supervisor->reload);
    if (slot->retired > 0 && slot->ended == 0) {
        end_renewal(supervisor, slot);
    } else if (is_config && !supervisor->was_ready) {
        stop(supervisor, 1);
    } else {
        slot->cause = "died";
        slot->due =
            slot->started + (slot->is_ready ? RESTART_MS : SLOT_START_AGAIN_MS);
    }
}

static void
reap(struct supervisor *supervisor)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (log_ended(pid))
            continue;
        slot_log_death(pid, status);
        for (size_t i = 0; i < supervisor->count; i++) {
            struct slot *slot = &supervisor->slots[i];

            if (slot->pid == pid) {
                replace(supervisor, slot, status);
            } else if (slot->retired == pid) {
                slot->retired = 0;
                renew_next(supervisor);
            }
        }
    }
}

static void
handle_signal(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;

    if (read(supervisor->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (info.ssi_signo == SIGCHLD) {
        reap(supervisor);
    } else if (info.ssi_signo == SIGHUP) {
        reload(supervisor);
    } else {
        stop(supervisor, 0);
    }
}

/* Looks after the workers whose time has come; returns the ms until it is to be
 * done again. */
static int
tend(struct supervisor *supervisor)
{
    int64_t now = process_now_ms(), wait = -1;

    for (size_t i = 0; i < supervisor->count; i++) {
        struct slot *slot = &supervisor->slots[i];

        if (slot_kill_overdue(slot, now) && wait < 0)
            wait = TICK_MS;
        if (slot->pid != 0 || supervisor->is_stopping)
            continue;
        if (slot->due <= now)
            slot_start(slot, supervisor->program, supervisor->listen_fd,
                       &supervisor->reload);
        else if (wait < 0 || slot->due - now < wait)
            wait = slot->due - now;
    }
    return (int)wait;
}

static size_t
count_alive(const struct supervisor *supervisor)
{
    size_t alive = 0;

    for (size_t i = 0; i < supervisor->count; i++)
        alive +=
            (supervisor->slots[i].pid > 0) + (supervisor->slots[i].retired > 0);
    return alive;
}

/* Waits for a signal, a worker's word, whoever asks, or timeout_ms. */
static void
turn(struct supervisor *supervisor, struct pollfd *polled, int timeout_ms)
{
    struct pollfd *signalled = &polled[supervisor->count];
    struct pollfd *asked = &polled[supervisor->count + 1];

    *signalled = (struct pollfd){.fd = supervisor->signal_fd, .events = POLLIN};
    *asked = (struct pollfd){.fd = supervisor->askers.fd, .events = POLLIN};
    for (size_t i = 0; i < supervisor->count; i++)
        polled[i] = (struct pollfd){.fd = supervisor->slots[i].ready_fd,
                                    .events = POLLIN};
    if (poll(polled, supervisor->count + OWN_FDS, timeout_ms) <= 0)
        return;
    for (size_t i = 0; i < supervisor->count; i++)
        if (polled[i].revents != 0)
            end_start(supervisor, &supervisor->slots[i]);
    if (signalled->revents != 0)
        handle_signal(supervisor);
    if (asked->revents != 0 && reload_socket_accept(&supervisor->askers))
        reload(supervisor);
    conclude_renewal(supervisor);
}

static void
supervise(struct supervisor *supervisor, struct pollfd *polled)
{
    int64_t end;

    while (!supervisor->is_stopping) {
        int wait = tend(supervisor);

        turn(supervisor, polled, wait);
    }
    end = process_now_ms() + SLOT_STOP_MS;
    while (count_alive(supervisor) > 0) {
        turn(supervisor, polled, TICK_MS);
        if (process_now_ms() > end)
            signal_all(supervisor, SIGKILL);
    }
}

int
supervisor_run(int listen_fd, const struct settings *settings, char **arguments)
{
    struct supervisor supervisor = {
        .listen_fd = listen_fd,
        .count = (size_t)settings->workers,
    };
    struct pollfd *polled = calloc(supervisor.count + OWN_FDS, sizeof(*polled));

    reload_init(&supervisor.reload, settings, arguments);
    reload_socket_open(&supervisor.askers);
    supervisor.slots = calloc(supervisor.count, sizeof(*supervisor.slots));
    supervisor.signal_fd = process_open_signals(
        (int[]){SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD, 0});
    if (polled == NULL || supervisor.slots == NULL ||
        supervisor.signal_fd < 0 ||
        !process_find_program(supervisor.program, sizeof(supervisor.program))) {
        log_event(LOG_LEVEL_ERR, "supervisor_failed",
                  LOG_TEXT("reason", strerror(errno)));
        supervisor.status = 1;
    } else {
        for (size_t i = 0; i < supervisor.count; i++)
            supervisor.slots[i].ready_fd = -1;
        supervise(&supervisor, polled);
    }
    reload_socket_close(&supervisor.askers);
    reload_clear(&supervisor.reload);
    close_fd(&supervisor.signal_fd);
    free(supervisor.slots);
    free(polled);
    return supervisor.status;
}
