// SPDX-License-Identifier: MIT
#include "server/notify.h"

#include "base/util.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

/* How long a manager that is busy is waited for: it may be the one that hangs,
 * and nobody serves or stops meanwhile. */
static const struct timeval patience = {.tv_sec = 2};

void
notify_manager(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    auto_fd fd = -1;
    size_t len;

    if (path == NULL || (*path != '/' && *path != '@'))
        return;
    len = strlen(path);
    if (len >= sizeof(name.sun_path))
        return;
    memcpy(name.sun_path, path, len);
    if (*path == '@') /* the abstract namespace */
        name.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
                             sizeof(patience)) != 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                 (const struct sockaddr *)&name,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}
