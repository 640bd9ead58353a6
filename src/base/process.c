// SPDX-License-Identifier: MIT
#include "base/process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS_USUAL 1024

/* Each of them waits for the next one. */
#define RENUMBER_MAX 32

int64_t
process_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
process_open_signals(const int *numbers)
{
    sigset_t mask;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&mask);
    for (; *numbers != 0; numbers++)
        sigaddset(&mask, *numbers);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
}

size_t
process_raise_fds(size_t most)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return FDS_USUAL;
    limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 &&
        getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return FDS_USUAL;
    return limit.rlim_cur;
}

bool
process_find_program(char *path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);

    if (len < 0)
        return false;
    path[len] = '\0';
    return true;
}

/* In the child's place: without a core of its own, if that is how it ended. */
static void __attribute__((noreturn)) end_as(int status)
{
    const struct rlimit none = {0};
    sigset_t fatal;

    if (!WIFSIGNALED(status))
        _exit(WEXITSTATUS(status));
    setrlimit(RLIMIT_CORE, &none);
    signal(WTERMSIG(status), SIG_DFL);
    sigemptyset(&fatal);
    sigaddset(&fatal, WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &fatal, NULL);
    raise(WTERMSIG(status));
    _exit(EXIT_FAILURE);
}

static void __attribute__((noreturn))
wait_for(pid_t child, const sigset_t *signals)
{
    siginfo_t info;
    int status;

    closefrom(0); /* a pipe's reader waits for the last who could write to it */
    for (;;) {
        if (sigwaitinfo(signals, &info) < 0)
            continue;
        if (waitpid(child, &status, WNOHANG) == child)
            end_as(status);
        /* What the terminal sends has reached the child, too. */
        if (info.si_signo != SIGCHLD && info.si_code != SI_KERNEL)
            kill(child, info.si_signo);
    }
}

bool
process_renumber(void)
{
    static const int numbers[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    static int renumbered;
    struct sigaction usual = {.sa_handler = SIG_DFL}, before;
    sigset_t signals, mask;
    pid_t parent = getpid(), child;

    if (++renumbered > RENUMBER_MAX)
        return false;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        sigaddset(&signals, numbers[i]);
    sigprocmask(SIG_BLOCK, &signals, &mask);
    sigaction(SIGCHLD, &usual, &before); /* ignored, it would not be told */
    child = fork();
    if (child > 0)
        wait_for(child, &signals);
    sigaction(SIGCHLD, &before, NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (child < 0)
        return false;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    return true;
}
