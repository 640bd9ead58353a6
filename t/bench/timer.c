// SPDX-License-Identifier: MIT
/*
 * How long a program takes from its start, without the starter's own weight.
 *
 *   timer RUNS PROGRAM [ARGUMENT …]           to its end
 *   timer RUNS -s SOCKET FILE PROGRAM […]     to the first bytes that come from
 *                                             the unix socket, once it has been
 *                                             sent the file
 *
 * Prints the ms of each run as a JSON list. The program's output is dropped.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double
ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static pid_t
start(char **argv)
{
    posix_spawn_file_actions_t files;
    pid_t pid = -1;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    if (posix_spawn(&pid, argv[0], &files, NULL, argv, environ) != 0)
        pid = -1;
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static int
connect_soon(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timespec pause = {.tv_nsec = 50000};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    for (int tries = 0; tries < 100000; tries++) {
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
            return fd;
        nanosleep(&pause, NULL);
    }
    close(fd);
    return -1;
}

/* True if an answer came that says 200. */
static bool
ask(const char *path, const char *bytes, size_t len)
{
    char answer[4096];
    int fd = connect_soon(path);
    ssize_t got = -1;

    if (fd >= 0 && write(fd, bytes, len) == (ssize_t)len)
        got = read(fd, answer, sizeof(answer));
    close(fd);
    return got > 0 && memmem(answer, (size_t)got, "Status: 200", 11) != NULL;
}

/* The ms of one run; negative if it went wrong. */
static double
time_run(char **argv, const char *path, const char *bytes, size_t len)
{
    double begin = ms_now(), end;
    pid_t pid = start(argv);
    bool is_good = pid > 0;
    int status;

    if (path != NULL) {
        is_good = is_good && ask(path, bytes, len);
        end = ms_now();
        if (pid > 0)
            kill(pid, SIGTERM);
    }
    if (pid <= 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    if (path == NULL) {
        end = ms_now();
        is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return is_good ? end - begin : -1;
}

int
main(int argc, char **argv)
{
    static char bytes[65536];
    const char *path = NULL;
    size_t len = 0;
    char **program = argv + 2;
    long runs;

    if (argc > 5 && strcmp(argv[2], "-s") == 0) {
        FILE *file = fopen(argv[4], "rb");

        path = argv[3];
        program = argv + 5;
        len = file != NULL ? fread(bytes, 1, sizeof(bytes), file) : 0;
        if (file != NULL)
            fclose(file);
    }
    if (argc < 3 || (path != NULL && len == 0)) {
        fprintf(stderr, "usage: timer RUNS [-s SOCKET FILE] PROGRAM …\n");
        return 2;
    }
    runs = strtol(argv[1], NULL, 10);
    printf("[");
    for (long i = 0; i < runs; i++) {
        double ms = time_run(program, path, bytes, len);

        if (ms < 0) {
            fprintf(stderr, "timer: run %ld went wrong\n", i);
            return 1;
        }
        printf("%s%.3f", i > 0 ? "," : "", ms);
    }
    printf("]\n");
    return 0;
}
