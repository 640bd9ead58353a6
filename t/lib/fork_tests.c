// SPDX-License-Identifier: MIT
/*
 * Another main for Criterion programs, to be preloaded: it forks for a test,
 * where Criterion's starts the program again, which takes valgrind a second and
 * does not work at all under ThreadSanitizer.
 * The test programs are as they are: what they call of Criterion's runner is
 * here, and of its assertions in the library as ever.
 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 1, SKIPPED = 77, SECONDS_MAX = 300 };

static bool has_failed;
static char reason[256];
static int reason_fd = -1; /* what the test says to us */

/* --- what the tests call ---------------------------------------------- */

void
criterion_internal_test_setup(void)
{
}

void
criterion_internal_test_main(void (*fn)(void))
{
    fn();
}

void
criterion_internal_test_teardown(void)
{
}

void
cri_asserts_passed_incr(void)
{
}

void
criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (!stats->passed)
        dprintf(reason_fd, "#   %s:%u: %s\n", stats->file, stats->line,
                stats->message);
}

void
criterion_continue_test(void)
{
    has_failed = true;
}

void
criterion_abort_test(void)
{
    _exit(FAILED);
}

void
criterion_skip_test(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vdprintf(reason_fd, format, args);
    va_end(args);
    _exit(SKIPPED);
}

/* One file for what is written and read: the reader has its own offset. */
static FILE *
redirect(int fd)
{
    char path[64];
    int file = memfd_create("redirected", MFD_CLOEXEC);

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (file < 0 || dup2(file, fd) < 0)
        err(99, "cannot redirect");
    fcntl(fd, F_SETFL, O_APPEND);
    return fopen(path, "r");
}

static FILE *redirected[3];

void
cr_redirect_stdout(void)
{
    redirected[STDOUT_FILENO] = redirect(STDOUT_FILENO);
}

void
cr_redirect_stderr(void)
{
    redirected[STDERR_FILENO] = redirect(STDERR_FILENO);
}

FILE *
cr_get_redirected_stderr(void)
{
    return redirected[STDERR_FILENO];
}

/* --- finding and running them ------------------------------------------ */

struct section {
    void **items;
    size_t count;
};

static int
find_base(struct dl_phdr_info *info, size_t size, void *base)
{
    (void)size;
    *(ElfW(Addr) *)base = info->dlpi_addr;
    return 1; /* the first is the program */
}

/* A section of the program's, as it is in memory. */
static struct section
find_section(const char *path, const char *name)
{
    struct section found = {NULL, 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ElfW(Ehdr) * header;
    const ElfW(Shdr) * sections;
    const char *file, *names;
    struct stat status;
    ElfW(Addr) base;

    if (fd < 0 || fstat(fd, &status) != 0)
        err(99, "cannot open %s", path);
    file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        err(99, "cannot map %s", path);
    dl_iterate_phdr(find_base, &base);
    header = (const void *)file;
    sections = (const void *)(file + header->e_shoff);
    names = file + sections[header->e_shstrndx].sh_offset;
    for (int i = 0; i < header->e_shnum; i++) {
        if (strcmp(names + sections[i].sh_name, name) == 0) {
            found.items = (void **)(base + sections[i].sh_addr);
            found.count = sections[i].sh_size / sizeof(void *);
        }
    }
    close(fd);
    return found;
}

static void
call(void (*function)(void))
{
    if (function != NULL)
        function();
}

/* FORK_TESTS_SKIP is a file of lines "suite::test reason". */
static void
skip_if_listed(const struct criterion_test *test)
{
    const char *path = getenv("FORK_TESTS_SKIP");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    char suite[128], name[128], why[128];

    if (path != NULL && file == NULL)
        err(99, "cannot open %s", path);
    while (file != NULL &&
           fscanf(file, " %127[^:]::%127s %127[^\n]", suite, name, why) == 3)
        if (strcmp(suite, test->category) == 0 && strcmp(name, test->name) == 0)
            criterion_skip_test("%s", why);
    if (file != NULL)
        fclose(file);
}

static void
run_test(const struct criterion_test *test, const struct criterion_suite *suite)
{
    skip_if_listed(test);
    alarm(SECONDS_MAX);
    call(suite != NULL ? suite->data->init : NULL);
    call(test->data->init);
    test->test();
    call(test->data->fini);
    call(suite != NULL ? suite->data->fini : NULL);
    exit(has_failed ? FAILED : 0);
}

static const struct criterion_suite *
find_suite(const struct section *suites, const char *name)
{
    for (size_t i = 0; i < suites->count; i++) {
        const struct criterion_suite *suite = suites->items[i];

        if (suite != NULL && suite->data != NULL &&
            strcmp(suite->name, name) == 0)
            return suite;
    }
    return NULL;
}

static void
print_outcome(size_t number, const struct criterion_test *test, int status)
{
    bool is_expected = WIFSIGNALED(status)
                           ? WTERMSIG(status) == test->data->signal
                           : test->data->signal == 0 &&
                                 WEXITSTATUS(status) == test->data->exit_code;
    bool is_skipped = WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED;

    printf("%sok %zu - %s::%s%s%s\n", is_expected || is_skipped ? "" : "not ",
           number, test->category, test->name, is_skipped ? " # SKIP " : "",
           is_skipped ? reason : "");
    if (!is_expected && !is_skipped)
        printf("#   status %#x\n%s", status, reason);
}

int
main(int argc, char **argv)
{
    struct section tests = find_section(argv[0], "cr_tst");
    struct section suites = find_section(argv[0], "cr_sts");
    size_t number = 0;

    (void)argc;
    reason_fd = memfd_create("reason", MFD_CLOEXEC);
    for (size_t i = 0; i < tests.count; i++) {
        const struct criterion_test *test = tests.items[i];
        ssize_t len;
        pid_t pid;
        int status;

        if (test == NULL)
            continue;
        fflush(stdout);
        pid = fork();
        if (pid == 0)
            run_test(test, find_suite(&suites, test->category));
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            err(99, "cannot run %s", test->name);
        len = pread(reason_fd, reason, sizeof(reason) - 1, 0);
        reason[len > 0 ? len : 0] = '\0';
        if (ftruncate(reason_fd, 0) != 0 || lseek(reason_fd, 0, SEEK_SET) != 0)
            err(99, "cannot read %s", test->name);
        print_outcome(++number, test, status);
    }
    printf("1..%zu\n", number);
    return 0;
}
