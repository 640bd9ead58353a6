// SPDX-License-Identifier: MIT
#include "base/file_id.h"

#include "base/util.h"

#include <errno.h>
#include <time.h>

#define YOUNG_NS 20000000 /* two ticks of the slowest kernel clock, 100 Hz */

static int64_t
time_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

struct file_id
file_id_of(const struct stat *file)
{
    return (struct file_id){
        .device = (int64_t)file->st_dev,
        .inode = (int64_t)file->st_ino,
        .size = file->st_size,
        .modified = time_ns(&file->st_mtim),
        .changed = time_ns(&file->st_ctim),
    };
}

struct file_id
file_id_read(const char *path)
{
    struct stat file;

    if (stat(path, &file) != 0)
        return (struct file_id){.error = errno};
    return file_id_of(&file);
}

/* There are no bytes between the members. */
bool
file_id_equals(const struct file_id *a, const struct file_id *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool
file_id_is_gone(const struct file_id *id)
{
    return id->error == ENOENT || id->error == ENOTDIR;
}

/* A time stamp ahead of the clock, once that was set back, is not young: the
 * file would stay so for hours. */
bool
file_id_is_young(const struct file_id *id)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return llabs(time_ns(&now) - id->changed) < YOUNG_NS;
}

uint64_t
file_id_hash(const struct file_id *id)
{
    return hash_bytes(id, sizeof(*id)) | 1;
}
