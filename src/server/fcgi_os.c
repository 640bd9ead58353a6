// SPDX-License-Identifier: MIT
#include "server/fcgi_os.h"

#include <errno.h>
#include <fcgios.h>
#include <limits.h>
#include <string.h>

/* The descriptor of whatever is in use; any number will do. */
#define FD 1

static struct fcgi_os *used;

void
fcgi_os_use(struct fcgi_os *os)
{
    used = os;
}

int
OS_LibInit(int stdioFds[3])
{
    (void)stdioFds;
    return 0;
}

/* Once: libfcgi closes what it cannot read, and waits for another. */
int
OS_Accept(int listen_sock, int fail_on_intr, const char *webServerAddrs)
{
    (void)listen_sock;
    (void)fail_on_intr;
    (void)webServerAddrs;
    if (used == NULL || used->is_accepted) {
        errno = ECONNABORTED;
        return -1;
    }
    used->is_accepted = true;
    return FD;
}

int
OS_Read(int fd, char *buf, size_t len)
{
    (void)fd;
    if (used == NULL)
        return 0;
    if (len > used->in_len)
        len = used->in_len;
    if (len > INT_MAX)
        len = INT_MAX;
    memcpy(buf, used->in, len);
    used->in += len;
    used->in_len -= len;
    return (int)len;
}

/* All or nothing, and never 0, at which libfcgi would try again for ever. */
int
OS_Write(int fd, char *buf, size_t len)
{
    (void)fd;
    if (used == NULL || used->out == NULL || len > INT_MAX) {
        errno = EBADF;
        return -1;
    }
    if (!buf_add(used->out, buf, len)) {
        errno = ENOMEM;
        return -1;
    }
    return (int)len;
}

/* The socket is the event loop's. */
int
OS_IpcClose(int ipcFd, int shutdown)
{
    (void)ipcFd;
    (void)shutdown;
    return 0;
}

int
OS_IsFcgi(int sock)
{
    (void)sock;
    return 1;
}

/* Listening is not libfcgi's. */
int
OS_CreateLocalIpcFd(const char *bindPath, int backlog)
{
    (void)bindPath;
    (void)backlog;
    errno = ENOTSUP;
    return -1;
}

void
OS_ShutdownPending(void)
{
}
