// SPDX-License-Identifier: MIT
#include "gone.h"

#include "base/must_alloc.h"

#include <criterion/criterion.h>
#include <criterion/event.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 1, GONE = 42 };

void __wrap___assert_fail(const char *assertion, const char *file,
                          unsigned line, const char *function);

static char (*failure)[512]; /* of a child, shared with it */

static void
end(size_t bytes)
{
    (void)bytes;
    _exit(GONE);
}

/* Criterion uses OpenSSL, by way of libgit2, before any test runs. */
__attribute__((constructor)) static void
set_end(void)
{
    if (!must_alloc_set(end))
        abort();
}

/* What our own code calls: an assertion of ours is a fault. libfcgi's, by which
 * it ends, calls this only where it is linked statically. */
void
__wrap___assert_fail(const char *assertion, const char *file, unsigned line,
                     const char *function)
{
    if (strcmp(file, "fcgiapp.c") == 0)
        _exit(GONE);
    fprintf(stderr, "%s:%u: %s: %s\n", file, line, function, assertion);
    _exit(FAILED);
}

/* Criterion's own would wait in a child for threads that it does not have. */
void
criterion_send_assert(struct criterion_assert_stats *stats)
{
    void (*real)(struct criterion_assert_stats *);

    if (failure != NULL && !stats->passed) {
        snprintf(*failure, sizeof(*failure), "%s:%u: %s", stats->file,
                 stats->line, stats->message);
        _exit(FAILED);
    }
    *(void **)&real = dlsym(RTLD_NEXT, "criterion_send_assert");
    real(stats);
}

void *
gone_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(memory, MAP_FAILED);
    return memory;
}

bool
gone_in(void (*body)(void *ctx), void *ctx)
{
    static char(*text)[sizeof(*failure)];
    int status;
    pid_t pid;

    if (text == NULL)
        text = gone_share(sizeof(*text));
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        failure = text;
        body(ctx);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return true; /* by an assertion that is not ours */
    cr_assert(WIFEXITED(status), "signal %d", WTERMSIG(status));
    cr_assert_neq(WEXITSTATUS(status), FAILED, "%s", *text);
    return WEXITSTATUS(status) == GONE;
}
