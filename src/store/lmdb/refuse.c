// SPDX-License-Identifier: MIT
#include "store/lmdb/refuse.h"

#include "store/lmdb/datafile.h"

#include <errno.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <unistd.h>

/* Only the limits of the process tell this from other wants of memory. */
static bool
has_room_for(size_t map_size)
{
    void *map = mmap(NULL, map_size, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED)
        return errno != ENOMEM;
    munmap(map, map_size);
    return true;
}

/* A process that reads holds a lock of its pid, which shows others that it is
 * alive. */
static enum err
refuse_pid(const char *what, const char *path, char *why, size_t why_size)
{
    (void)store_file_refuse(why, why_size,
                            "%s %s: a process of another pid namespace, such "
                            "as another container, has it open and has the "
                            "same pid, %ld; try again, or let them share one "
                            "pid namespace",
                            what, path, (long)getpid());
    return ERR_BUSY;
}

enum err
lmdb_refuse(const char *what, const char *path, size_t map_size, int rc,
            char *why, size_t why_size)
{
    if (rc == EAGAIN)
        return refuse_pid(what, path, why, why_size);
    if (rc == ENOMEM && !has_room_for(map_size))
        return store_file_refuse(why, why_size,
                                 "%s %s: there is no address space for a map "
                                 "of %zu bytes; set a smaller --map-size, or "
                                 "raise the limit (ulimit -v)",
                                 what, path, map_size);
    return store_file_refuse(why, why_size, "%s %s: %s", what, path,
                             mdb_strerror(rc));
}
