// SPDX-License-Identifier: MIT
#include "server/reload_socket.h"

#include "base/log.h"
#include "base/process.h"
#include "base/util.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WAIT_MS 60000
#define TEXT_MAX 8192 /* of an answer */

/* The abstract name, which begins with a NUL, of a supervisor's socket. */
static socklen_t
name_of(pid_t supervisor, struct sockaddr_un *name_out)
{
    int len;

    *name_out = (struct sockaddr_un){.sun_family = AF_UNIX};
    len = snprintf(name_out->sun_path + 1, sizeof(name_out->sun_path) - 1,
                   "orderconf.fcgi/%ld", (long)supervisor);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       (size_t)len);
}

void
reload_socket_open(struct reload_socket *reload)
{
    struct sockaddr_un name;
    socklen_t len = name_of(getpid(), &name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *reload = (struct reload_socket){.fd = -1};
    if (fd >= 0 && bind(fd, (struct sockaddr *)&name, len) == 0 &&
        listen(fd, RELOAD_ASKERS_MAX) == 0) {
        reload->fd = fd;
        return;
    }
    log_event(LOG_LEVEL_WARNING, "reload_socket_not_opened",
              LOG_TEXT("reason", strerror(errno)));
    close_fd(&fd);
}

void
reload_socket_close(struct reload_socket *reload)
{
    reload_socket_end(reload, "the service is ending");
    close_fd(&reload->fd);
}

static bool
is_trusted(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

bool
reload_socket_accept(struct reload_socket *reload)
{
    int fd = accept4(reload->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return false;
    if (!is_trusted(fd) || reload->count == RELOAD_ASKERS_MAX) {
        close(fd);
        return false;
    }
    reload->askers[reload->count++] = fd;
    return true;
}

void
reload_socket_tell(struct reload_socket *reload, const char *line)
{
    for (size_t i = 0; i < reload->count; i++) {
        int fd = reload->askers[i];

        (void)!send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_MORE);
        (void)!send(fd, "\n", 1, MSG_NOSIGNAL);
    }
}

void
reload_socket_end(struct reload_socket *reload, const char *line)
{
    reload_socket_tell(reload, line);
    while (reload->count > 0)
        close(reload->askers[--reload->count]);
}

/* Connected to the supervisor, and not to another one that has the same pid in
 * a namespace of its own; -1: it has no such socket. */
static int
connect_to(pid_t supervisor)
{
    struct sockaddr_un name;
    socklen_t len = name_of(supervisor, &name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct ucred peer;
    socklen_t peer_len = sizeof(peer);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&name, len) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_len) == 0 &&
        peer.pid == supervisor)
        return fd;
    close_fd(&fd);
    return -1;
}

static int
send_signal(pid_t supervisor)
{
    if (kill(supervisor, SIGHUP) != 0) {
        log_complain("%ld: %s", (long)supervisor, strerror(errno));
        return 1;
    }
    log_complain("the service was told to reload; see its log for the result");
    return 0;
}

/* Reads until the other end hangs up; false if that takes too long. */
static bool
read_answer(int fd, char text[TEXT_MAX])
{
    int64_t end = process_now_ms() + WAIT_MS;
    size_t len = 0;

    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left = end - process_now_ms();
        ssize_t got;

        text[len] = '\0';
        if (left <= 0)
            return false;
        if (poll(&ready, 1, (int)left) <= 0)
            continue;
        got = read(fd, text + len, TEXT_MAX - 1 - len);
        if (got <= 0)
            return true;
        len += (size_t)got;
    }
}

int
reload_ask(pid_t supervisor)
{
    auto_fd fd = connect_to(supervisor);
    char text[TEXT_MAX];
    bool is_over, is_done = false;
    char *rest = text, *line;

    if (fd < 0)
        return send_signal(supervisor);
    is_over = read_answer(fd, text);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        is_done = strcmp(line, RELOAD_DONE) == 0;
        if (!is_done)
            log_complain("%s", line);
    }
    if (!is_over)
        log_complain("some workers are not replaced after %d s; the reload "
                     "goes on, and the log will have its end",
                     WAIT_MS / 1000);
    return is_done ? 0 : 1;
}
