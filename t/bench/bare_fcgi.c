// SPDX-License-Identifier: MIT
/*
 * The least that any program can do behind the front end: an event loop that
 * answers whatever arrives with the same bytes, and reads nothing of it. What
 * is left is what the front end and the two hops between cost.
 *
 *   bare_fcgi SOCKET PROCESSES FILE
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_REQUEST = 3, STDOUT = 6, CONTENT_MAX = 65535 };

static char answer[2 * CONTENT_MAX];
static size_t answer_len;

static void
add_record(uint8_t type, const char *content, size_t len)
{
    const uint8_t header[8] = {1,           type, 0, 1, (uint8_t)(len >> 8),
                               (uint8_t)len};

    memcpy(answer + answer_len, header, sizeof(header));
    memcpy(answer + answer_len + sizeof(header), content, len);
    answer_len += sizeof(header) + len;
}

/* The answer to every request, with the file as its body. */
static bool
make_answer(const char *path)
{
    static char content[CONTENT_MAX], body[CONTENT_MAX - 200];
    FILE *file = fopen(path, "rb");
    size_t len;
    int head_len;

    if (file == NULL)
        return false;
    len = fread(body, 1, sizeof(body), file);
    fclose(file);
    head_len = snprintf(content, sizeof(content),
                        "Content-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        len);
    memcpy(content + head_len, body, len);
    add_record(STDOUT, content, (size_t)head_len + len);
    add_record(END_REQUEST, (char[8]){0}, 8);
    return true;
}

static int
open_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (strlen(path) >= sizeof(name.sun_path))
        return -1;
    memcpy(name.sun_path, path, strlen(path) + 1);
    if (bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        listen(fd, 512) != 0)
        return -1;
    return fd;
}

static void
watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* A request of the bench is one write of the front end's, and one read here. */
static void
serve(int listen_fd)
{
    static char request[65536];
    struct epoll_event events[64];
    int epoll_fd = epoll_create1(0);

    watch(epoll_fd, listen_fd);
    for (;;) {
        int count = epoll_wait(epoll_fd, events, 64, -1);

        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;

            if (fd == listen_fd) {
                int conn = accept(listen_fd, NULL, NULL);

                if (conn >= 0)
                    watch(epoll_fd, conn);
            } else if (recv(fd, request, sizeof(request), 0) <= 0 ||
                       send(fd, answer, answer_len, MSG_NOSIGNAL) < 0) {
                close(fd);
            }
        }
    }
}

int
main(int argc, char **argv)
{
    pid_t parent = getpid();
    int listen_fd;

    if (argc != 4) {
        fprintf(stderr, "usage: bare_fcgi SOCKET PROCESSES FILE\n");
        return 2;
    }
    if (!make_answer(argv[3]) || (listen_fd = open_socket(argv[1])) < 0) {
        perror("bare_fcgi");
        return 1;
    }
    for (long left = strtol(argv[2], NULL, 10); left > 0; left--) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() == parent)
                serve(listen_fd);
            _exit(0);
        }
    }
    while (wait(NULL) > 0)
        ;
    return 0;
}
