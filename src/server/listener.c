// SPDX-License-Identifier: MIT
#include "server/listener.h"

#include "base/number.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define UNIX_PREFIX "unix:"

/* The kernel cuts it to net.core.somaxconn. */
#define BACKLOG 4096

/* How long the workers of a supervisor that was killed may take to let go of
 * its socket, in steps of 50 ms. */
#define TAKEOVER_TRIES 40

static const char *
unix_path(const char *address)
{
    size_t len = strlen(UNIX_PREFIX);

    return strncmp(address, UNIX_PREFIX, len) == 0 ? address + len : NULL;
}

const char *
listener_check(const char *address)
{
    const char *path = unix_path(address);
    const char *colon = strrchr(address, ':');

    if (path != NULL && *path == '\0')
        return "must have a path after unix:";
    if (path != NULL &&
        strlen(path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return "the path is too long for a unix socket";
    if (path == NULL &&
        (colon == NULL || colon == address || colon[1] == '\0' ||
         strspn(colon + 1, "0123456789") != strlen(colon + 1)))
        return "must be unix:PATH, HOST:PORT or [IPV6]:PORT";
    return NULL;
}

/* True if somebody accepts connections on the path; or could, but has a full
 * queue of them, and so may never do. */
static bool
is_served(const struct sockaddr_un *name)
{
    auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd >= 0 &&
           (connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 ||
            errno == EAGAIN);
}

/* Removes a socket that nobody serves; leaves anything else. */
static bool
remove_stale(const struct sockaddr_un *name, char *why, size_t why_size)
{
    struct stat status;

    if (lstat(name->sun_path, &status) != 0)
        return true; /* bind says what is wrong, if anything is */
    if (!S_ISSOCK(status.st_mode)) {
        snprintf(why, why_size, "%s exists and is not a socket",
                 name->sun_path);
        return false;
    }
    for (int i = 0; i < TAKEOVER_TRIES; i++) {
        if (!is_served(name)) {
            (void)unlink(name->sun_path);
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    snprintf(why, why_size, "another process already serves %s",
             name->sun_path);
    return false;
}

static int
open_unix(const char *path, char *why, size_t why_size)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    mode_t mask;
    int fd;

    memcpy(name.sun_path, path, strlen(path) + 1);
    if (!remove_stale(&name, why, why_size))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Whoever can write to the socket is trusted: owner and group. */
    mask = umask(0117);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        listen(fd, BACKLOG) != 0) {
        snprintf(why, why_size, "could not listen on %s: %s", path,
                 strerror(errno));
        close_fd(&fd);
        fd = -1;
    }
    umask(mask);
    return fd;
}

/* Splits HOST:PORT or [IPV6]:PORT, and looks it up. */
static struct addrinfo *
look_up(const char *address, char *why, size_t why_size)
{
    const struct addrinfo hints = {
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    auto_char *host = strdup(address);
    char *name = host, *port;
    int error = EAI_MEMORY;

    if (host != NULL) {
        port = strrchr(host, ':');
        *port++ = '\0';
        if (*name == '[' && name[strlen(name) - 1] == ']') {
            name[strlen(name) - 1] = '\0';
            name++;
        }
        error = getaddrinfo(name, port, &hints, &found);
    }
    if (error != 0)
        snprintf(why, why_size, "could not look up %s: %s", address,
                 gai_strerror(error));
    return found;
}

static int
open_inet(const char *address, char *why, size_t why_size)
{
    struct addrinfo *found = look_up(address, why, why_size);
    int fd = -1;

    for (struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 &&
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ==
                0 &&
            bind(fd, at->ai_addr, at->ai_addrlen) == 0 &&
            listen(fd, BACKLOG) == 0)
            break;
        snprintf(why, why_size, "could not listen on %s: %s", address,
                 strerror(errno));
        close_fd(&fd);
        fd = -1;
    }
    if (found != NULL)
        freeaddrinfo(found);
    return fd;
}

int
listener_open(const char *address, char *why, size_t why_size)
{
    const char *path = unix_path(address);

    return path != NULL ? open_unix(path, why, why_size)
                        : open_inet(address, why, why_size);
}

void
listener_unlink(const char *address)
{
    const char *path = unix_path(address);

    if (path != NULL)
        (void)unlink(path);
}

int
listener_activated(void)
{
    const int first_fd = 3; /* SD_LISTEN_FDS_START */
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    uint64_t own = (uint64_t)getpid();
    bool is_ours = pid != NULL && fds != NULL &&
                   number_read(pid, own, own, &own) && strcmp(fds, "1") == 0 &&
                   listener_is_listening(first_fd);

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (!is_ours || fcntl(first_fd, F_SETFD, FD_CLOEXEC) != 0)
        return -1;
    return first_fd;
}

bool
listener_is_listening(int fd)
{
    int is_listening = 0;
    socklen_t len = sizeof(is_listening);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) ==
               0 &&
           is_listening;
}
