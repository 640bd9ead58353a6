// SPDX-License-Identifier: MIT
#include "auth/wanted.h"

#include "base/log.h"
#include "base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define SECONDS_BETWEEN 60

/* True if it was touched a short while ago. A time to come is none: the clock
 * was set back. */
static bool
is_fresh(const char *path, int64_t now)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_mtime <= now &&
           now - status.st_mtime < SECONDS_BETWEEN;
}

/* Makes the file, or gives it the time of now; and its directory, if need be.
 * False with errno. */
static bool
touch(const char *dir, const char *path, int64_t now)
{
    const struct timespec times[2] = {{.tv_sec = now}, {.tv_sec = now}};
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    auto_fd fd = open(path, flags, 0640);

    if (fd < 0 && errno == ENOENT && mkdir(dir, 0750) == 0)
        fd = open(path, flags, 0640);
    return fd >= 0 && futimens(fd, times) == 0;
}

void
wanted_ask(const char *dir, const char *tenant, int64_t now)
{
    static bool has_failed;
    char directory[PATH_MAX], path[PATH_MAX];

    if (snprintf(directory, sizeof(directory), "%s/wanted", dir) >= PATH_MAX ||
        snprintf(path, sizeof(path), "%s/%s", directory, tenant) >= PATH_MAX ||
        is_fresh(path, now))
        return;
    if (touch(directory, path, now)) {
        log_event(LOG_LEVEL_NOTICE, "keys_wanted", LOG_TEXT("tenant", tenant));
        has_failed = false;
    } else if (!has_failed) {
        log_event(LOG_LEVEL_WARNING, "keys_not_wanted", LOG_TEXT("path", path),
                  LOG_TEXT("reason", strerror(errno)));
        has_failed = true;
    }
}
