// SPDX-License-Identifier: MIT
#include "server/slot.h"

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"
#include "server/reload.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* How long a worker has to become ready. One that hangs is killed. */
#define START_MS 30000

/* The child's way into the worker. Returns only on failure. */
static void
become_worker(const struct slot *slot, const char *program, int listen_fd,
              const struct reload *reload, int ready_fd, pid_t parent)
{
    const char *cause = slot->cause;
    char *argv[] = {strdup(program), NULL};
    sigset_t none;

    /* A killed supervisor must not leave workers on a socket that its
     * successor will want. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if ((cause != NULL ? setenv(WORKER_CAUSE, cause, 1)
                       : unsetenv(WORKER_CAUSE)) != 0 ||
        !reload_export(reload) || dup2(listen_fd, STDIN_FILENO) < 0 ||
        dup2(ready_fd, STDOUT_FILENO) < 0)
        return;
    execv(program, argv);
}

void
slot_start(struct slot *slot, const char *program, int listen_fd,
           const struct reload *reload)
{
    pid_t parent = getpid(), pid;
    int ends[2] = {-1, -1};

    slot->due = process_now_ms() + SLOT_START_AGAIN_MS;
    pid = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (pid == 0) {
        become_worker(slot, program, listen_fd, reload, ends[1], parent);
        _exit(WORKER_EXIT_CONFIG);
    }
    if (pid < 0)
        log_event(LOG_LEVEL_ERR, "worker_not_started",
                  LOG_TEXT("reason", strerror(errno)));
    close_fd(&ends[1]);
    if (pid < 0) {
        close_fd(&ends[0]);
        return;
    }
    slot->pid = pid;
    slot->ready_fd = ends[0];
    slot->is_ready = false;
    slot->is_old = false;
    slot->started = process_now_ms();
}

bool
slot_kill_overdue(const struct slot *slot, int64_t now)
{
    bool is_starting = slot->pid > 0 && !slot->is_ready;
    bool is_ending = slot->retired > 0 && slot->ended > 0;

    if (is_starting && now - slot->started > START_MS)
        kill(slot->pid, SIGKILL);
    if (is_ending && now - slot->ended > SLOT_STOP_MS)
        kill(slot->retired, SIGKILL);
    return is_starting || is_ending;
}

void
slot_log_death(pid_t pid, int status)
{
    bool is_expected = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    log_event(is_expected ? LOG_LEVEL_INFO : LOG_LEVEL_ERR, "worker_ended",
              LOG_NUMBER("worker", pid),
              LOG_NUMBER("status", WIFEXITED(status) ? WEXITSTATUS(status) : 0),
              LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
}
