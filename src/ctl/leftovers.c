// SPDX-License-Identifier: MIT
#include "ctl/leftovers.h"

#include "base/util.h"
#include "ctl/command.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int
leftovers_claim(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close_fd(&fd);
    return -1;
}

/* True if mkdtemp made the name of base and LEFTOVERS_SUFFIX. */
static bool
is_made_of(const char *name, const char *base)
{
    size_t len = strlen(base);

    return strncmp(name, base, len) == 0 && name[len] == '.' &&
           strlen(name + len) == strlen(LEFTOVERS_SUFFIX);
}

void
leftovers_tell(const char *dest)
{
    const char *slash = strrchr(dest, '/');
    const char *base = slash != NULL ? slash + 1 : dest;
    auto_char *parent =
        slash != NULL ? strndup(dest, (size_t)(base - dest)) : strdup("./");
    DIR *dir = parent != NULL ? opendir(parent) : NULL;
    const struct dirent *item;

    while (dir != NULL && (item = readdir(dir)) != NULL) {
        auto_char *path = NULL;
        auto_fd lock = -1;

        if (!is_made_of(item->d_name, base))
            continue;
        if (asprintf(&path, "%s%s", parent, item->d_name) < 0) {
            path = NULL;
            continue;
        }
        lock = leftovers_claim(path);
        if (lock >= 0)
            (void)ctl_fail("%s: was left by a backup that did not end, and "
                           "can be removed",
                           path);
    }
    if (dir != NULL)
        closedir(dir);
}
