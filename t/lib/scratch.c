// SPDX-License-Identifier: MIT
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

char *
scratch_path(const char *dir, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", dir, name) < 0)
        abort();
    return path;
}

char *
scratch_make(void)
{
    const char *parent = getenv("TMPDIR");
    char *path =
        scratch_path(parent != NULL ? parent : "/tmp", "orderconf-test-XXXXXX");

    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
    return path;
}

static int
remove_one(const char *path, const struct stat *status, int type,
           struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

void
scratch_remove(char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}
