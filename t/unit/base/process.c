// SPDX-License-Identifier: MIT
#include "base/process.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

Test(process, signals_are_read_and_kill_nobody)
{
    struct signalfd_siginfo info;
    auto_fd fd = process_open_signals((int[]){SIGTERM, SIGUSR1, 0});

    cr_assert_geq(fd, 0);
    cr_expect_eq(read(fd, &info, sizeof(info)), -1);
    cr_expect_eq(errno, EAGAIN);
    kill(getpid(), SIGPIPE);
    kill(getpid(), SIGUSR1);
    cr_assert_eq(read(fd, &info, sizeof(info)), sizeof(info));
    cr_expect_eq(info.ssi_signo, SIGUSR1);
}

Test(process, descriptors_are_raised_as_far_as_the_system_lets_us)
{
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = 200};

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(process_raise_fds(150), 150);
    cr_expect_eq(process_raise_fds(1000), 200);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(limit.rlim_cur, 200);
}

Test(process, the_program_has_a_path)
{
    char path[PATH_MAX];

    cr_assert(process_find_program(path, sizeof(path)));
    cr_expect_eq(path[0], '/');
    cr_expect(strstr(path, "base/process") != NULL, "%s", path);
}

Test(process, time_goes_on)
{
    int64_t before = process_now_ms();

    usleep(20000);
    cr_expect_geq(process_now_ms(), before + 10);
    cr_expect_lt(process_now_ms(), before + 10000);
}

/* How a process ends that goes on in a child, which runs body. */
static int
end_of(void (*body)(void))
{
    pid_t first = fork();
    int status;

    if (first == 0) {
        signal(SIGCHLD, SIG_IGN); /* as it may have been inherited */
        if (!process_renumber())
            _exit(99);
        body();
        _exit(0);
    }
    cr_assert_eq(waitpid(first, &status, 0), first);
    return status;
}

static void
exit_with_7(void)
{
    _exit(7);
}

static void
be_killed(void)
{
    raise(SIGKILL);
}

/* As a process manager would, which only knows the first one. */
static void
tell_the_first(void)
{
    kill(getppid(), SIGTERM);
    pause();
}

static void
go_on_again(void)
{
    if (process_renumber() && process_renumber())
        _exit(8);
}

Test(process, who_goes_on_in_a_child_ends_as_that_does)
{
    int status = end_of(exit_with_7);

    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = end_of(be_killed);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    status = end_of(tell_the_first);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    status = end_of(go_on_again);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 8);
}

static int told[2];

static void
hang(void)
{
    pid_t own = getpid();

    cr_assert_eq(write(told[1], &own, sizeof(own)), sizeof(own));
    pause();
}

/* The pipe's last writer is the child, for the first has closed its own. */
Test(process, who_is_killed_takes_the_child_along)
{
    pid_t first, child;

    cr_assert_eq(pipe(told), 0);
    first = fork();
    if (first == 0) {
        if (process_renumber())
            hang();
        _exit(99);
    }
    close(told[1]);
    cr_assert_eq(read(told[0], &child, sizeof(child)), sizeof(child));
    cr_expect_neq(child, first);
    kill(first, SIGKILL);
    cr_assert_eq(waitpid(first, NULL, 0), first);
    cr_expect_eq(read(told[0], &child, sizeof(child)), 0);
}

static void
renumber_for_ever(void)
{
    while (process_renumber())
        ;
    _exit(9);
}

Test(process, a_chain_of_children_has_an_end)
{
    int status = end_of(renumber_for_ever);

    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 9);
}
