// SPDX-License-Identifier: MIT
/* A disk that can fail: functions of libc that LMDB and the store call, in the
 * program's own version, which comes before libc's. */
#ifndef BAD_DISK_H
#define BAD_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

extern struct bad_disk {
    atomic_int meta_error;  /* errno of a write to a meta page; 0: none */
    atomic_uint meta_every; /* only every so many of them fail, if not 0 */
    atomic_uint meta_writes;
    int data_error;    /* errno of other writes */
    size_t data_limit; /* a longer write is cut to it, if not 0 */
    int sync_error;    /* of fdatasync */
    int room_error;    /* of fallocate */
    bool has_no_room;  /* says statvfs */
    int kill_before; /* SIGKILL before which write or flush, from 1; 0: none */
    atomic_int data_syncs, directory_syncs; /* counted */
    atomic_int synchronous_writes;          /* to a descriptor with O_DSYNC */
} disk;

#endif
