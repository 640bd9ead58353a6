// SPDX-License-Identifier: MIT
#include "tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the tests say of a failure; stderr may be anything by then. -1: this is
 * no program of such tests. */
static int out = -1;

void
tap_fail(const char *file, int line, const char *claim)
{
    dprintf(out >= 0 ? out : STDERR_FILENO, "# %s:%d: %s\n", file, line, claim);
    abort();
}

static void
run(const struct tap_test *test, void (*set_up)(void))
{
    alarm(60);
    if (set_up != NULL)
        set_up();
    test->run();
    exit(0);
}

int
tap_run(const struct tap_test *tests, size_t count, void (*set_up)(void))
{
    out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    printf("1..%zu\n", count);
    for (size_t i = 0; i < count; i++) {
        int status = -1;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0)
            run(&tests[i], set_up);
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            printf("# status %#x\nnot ", (unsigned int)status);
        printf("ok %zu - %s\n", i + 1, tests[i].name);
    }
    return 0;
}
