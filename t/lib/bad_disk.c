// SPDX-License-Identifier: MIT
#include "bad_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { META_LEN = 120 }; /* of LMDB's write to a meta page */

struct bad_disk disk;

static int
meta_error(void)
{
    unsigned int every = disk.meta_every;

    if (every > 0 && disk.meta_writes++ % every != every - 1)
        return 0;
    return disk.meta_error;
}

/* Called once before each write or flush. */
static void
approach(void)
{
    if (disk.kill_before > 0 && --disk.kill_before == 0)
        kill(getpid(), SIGKILL);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    int error = len == META_LEN ? meta_error() : disk.data_error;

    approach();
    if (fcntl(fd, F_GETFL) & O_DSYNC)
        disk.synchronous_writes++;
    if (error != 0) {
        errno = error;
        return -1;
    }
    if (disk.data_limit > 0 && len > disk.data_limit)
        len = disk.data_limit;
    return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    approach();
    if (disk.data_error != 0) {
        errno = disk.data_error;
        return -1;
    }
    return syscall(SYS_writev, fd, parts, disk.data_limit > 0 ? 1 : count);
}

int
fstatvfs(int fd, struct statvfs *status_out)
{
    (void)fd;
    *status_out = (struct statvfs){.f_frsize = 4096,
                                   .f_bavail = disk.has_no_room ? 10 : 1000};
    return 0;
}

int
fallocate(int fd, int mode, off_t offset, off_t len)
{
    if (disk.room_error != 0) {
        errno = disk.room_error;
        return -1;
    }
    return (int)syscall(SYS_fallocate, fd, mode, offset, len);
}

int
fsync(int fd)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        disk.directory_syncs++;
    return (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
    approach();
    disk.data_syncs++;
    if (disk.sync_error != 0) {
        errno = disk.sync_error;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}
