// SPDX-License-Identifier: MIT
#include "base/process.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

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
