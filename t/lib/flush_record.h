// SPDX-License-Identifier: MIT
/*
 * What flush_record.so writes down and crash_images reads: events in the
 * order in which they happened, each with its payload behind it.
 */
#ifndef FLUSH_RECORD_H
#define FLUSH_RECORD_H

#include <stdint.h>

enum flush_kind {
    FLUSH_WRITE,    /* payload: the bytes, now in the cache at offset */
    FLUSH_TRUNCATE, /* the file has offset bytes */
    FLUSH_DURABLE,  /* the thread's last write to the file is on disk: it was
                       opened with O_DSYNC */
    FLUSH_BEGIN,    /* the thread asks to flush the file, or the directory */
    FLUSH_END,      /* and that has been done */
    FLUSH_RENAME,   /* payload: the file's new name */
    FLUSH_SENT,     /* payload: what is about to be sent to a client */
    FLUSH_UNKNOWN,  /* payload: what happened that nothing here can follow */
};

struct flush_event {
    uint32_t kind;
    uint32_t thread;
    uint64_t file; /* inode of a data file or of the directory */
    uint64_t offset;
    uint64_t len; /* of the payload */
};

#endif
