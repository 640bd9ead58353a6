// SPDX-License-Identifier: MIT
/*
 * A data file on a disk that can lose power. A write reaches the cache at once
 * and the disk at some time until the flush: sector by sector, in any order.
 */
#ifndef CRASH_DISK_H
#define CRASH_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECTOR = 512, PAGE = 4096 };

/* A sector that a write has changed and that may or may not be on disk. */
struct sector {
    size_t number;
    uint32_t write; /* which one */
    unsigned char bytes[SECTOR];
};

struct crash_disk {
    unsigned char *durable, *cache;
    size_t size_max; /* of both, in whole sectors */
    size_t durable_size, size;
    struct sector *pending; /* in the order of the writes */
    size_t count, count_max;
    uint32_t writes; /* so far */
};

void crash_disk_clear(struct crash_disk *disk);
void crash_disk_write(struct crash_disk *disk, size_t offset,
                      const unsigned char *bytes, size_t len);
void crash_disk_resize(struct crash_disk *disk, size_t size);

/* What was pending when a flush began is on disk: the first count sectors, and
 * a size. */
void crash_disk_flush(struct crash_disk *disk, size_t count, size_t size);

/* The last write by itself is on disk. */
void crash_disk_make_last_durable(struct crash_disk *disk);

/* How a power failure chooses among what is pending. */
enum crash_choice {
    CRASH_NONE,
    CRASH_ALL,
    CRASH_SECTORS,      /* each sector or not */
    CRASH_PAGES,        /* each page or not */
    CRASH_WRITES,       /* each write or not */
    CRASH_PREFIX,       /* up to some sector, in order */
    CRASH_ALL_BUT_ONE,  /* sector */
    CRASH_ONE,          /* sector */
    CRASH_ALL_BUT_PAGE, /* one */
    CRASH_BITS,         /* bits of seed say which sectors, if they are few */
    CRASH_CHOICE_MAX
};

/* The file after a power failure, *size_out bytes of the caller's. */
unsigned char *crash_disk_image(const struct crash_disk *disk,
                                enum crash_choice choice, uint64_t seed,
                                size_t *size_out);

/* The next of a sequence of random numbers. */
uint64_t crash_random(uint64_t *state);

#endif
