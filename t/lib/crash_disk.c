// SPDX-License-Identifier: MIT
#include "crash_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64. */
uint64_t
crash_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static void *
allocate(void *old, size_t size)
{
    void *bytes = realloc(old, size);

    if (bytes == NULL) {
        perror("crash_disk");
        abort();
    }
    return bytes;
}

/* Room for size bytes; what is new is zero. */
static void
reserve(struct crash_disk *disk, size_t size)
{
    size_t want = (size + 1048575) / 1048576 * 1048576;

    if (want <= disk->size_max)
        return;
    disk->durable = allocate(disk->durable, want);
    disk->cache = allocate(disk->cache, want);
    memset(disk->durable + disk->size_max, 0, want - disk->size_max);
    memset(disk->cache + disk->size_max, 0, want - disk->size_max);
    disk->size_max = want;
}

void
crash_disk_clear(struct crash_disk *disk)
{
    free(disk->durable);
    free(disk->cache);
    free(disk->pending);
    *disk = (struct crash_disk){0};
}

void
crash_disk_write(struct crash_disk *disk, size_t offset,
                 const unsigned char *bytes, size_t len)
{
    size_t end = offset + len;

    reserve(disk, end);
    memcpy(disk->cache + offset, bytes, len);
    if (end > disk->size)
        disk->size = end;
    disk->writes++;
    for (size_t number = offset / SECTOR; number * SECTOR < end; number++) {
        struct sector *sector;

        if (disk->count == disk->count_max) {
            disk->count_max = disk->count_max * 2 + 64;
            disk->pending =
                allocate(disk->pending, disk->count_max * sizeof(*sector));
        }
        sector = &disk->pending[disk->count++];
        sector->number = number;
        sector->write = disk->writes;
        memcpy(sector->bytes, disk->cache + number * SECTOR, SECTOR);
    }
}

/* A size alone can be on disk or not, as long as nothing is cut off. */
void
crash_disk_resize(struct crash_disk *disk, size_t size)
{
    if (size < disk->size) {
        fprintf(stderr, "crash_disk: a file became shorter\n");
        abort();
    }
    reserve(disk, size);
    disk->size = size;
}

void
crash_disk_flush(struct crash_disk *disk, size_t count, size_t size)
{
    for (size_t i = 0; i < count; i++)
        memcpy(disk->durable + disk->pending[i].number * SECTOR,
               disk->pending[i].bytes, SECTOR);
    memmove(disk->pending, disk->pending + count,
            (disk->count - count) * sizeof(*disk->pending));
    disk->count -= count;
    if (size > disk->durable_size)
        disk->durable_size = size;
}

static bool
is_in_last_write(const struct crash_disk *disk, size_t number)
{
    for (size_t i = disk->count;
         i > 0 && disk->pending[i - 1].write == disk->writes; i--)
        if (disk->pending[i - 1].number == number)
            return true;
    return false;
}

void
crash_disk_make_last_durable(struct crash_disk *disk)
{
    size_t kept = 0;

    /* Older content of the same sectors cannot come back. */
    for (size_t i = 0; i < disk->count; i++) {
        const struct sector *sector = &disk->pending[i];
        size_t end = (sector->number + 1) * SECTOR;

        if (!is_in_last_write(disk, sector->number)) {
            disk->pending[kept++] = *sector;
            continue;
        }
        if (sector->write != disk->writes)
            continue;
        memcpy(disk->durable + sector->number * SECTOR, sector->bytes, SECTOR);
        if (end > disk->size)
            end = disk->size;
        if (end > disk->durable_size)
            disk->durable_size = end;
    }
    disk->count = kept;
}

/* A coin for each group of sectors: one group, one side. */
static bool
flip(uint64_t seed, uint64_t group)
{
    uint64_t state = seed ^ group * 0x9e3779b97f4a7c15;

    return crash_random(&state) & 1;
}

static bool
is_chosen(const struct crash_disk *disk, size_t i, enum crash_choice choice,
          uint64_t seed)
{
    const struct sector *sector = &disk->pending[i];
    size_t one = (size_t)(seed % disk->count);
    size_t per_page = PAGE / SECTOR;

    switch (choice) {
    case CRASH_ALL:
        return true;
    case CRASH_SECTORS:
        return flip(seed, i);
    case CRASH_PAGES:
        return flip(seed, sector->number / per_page);
    case CRASH_WRITES:
        return flip(seed, sector->write);
    case CRASH_PREFIX:
        return i <= one;
    case CRASH_ALL_BUT_ONE:
        return i != one;
    case CRASH_ONE:
        return i == one;
    case CRASH_ALL_BUT_PAGE:
        return sector->number / per_page !=
               disk->pending[one].number / per_page;
    case CRASH_BITS:
        return i < 64 && (seed >> i & 1);
    case CRASH_NONE:
    case CRASH_CHOICE_MAX:
        break;
    }
    return false;
}

unsigned char *
crash_disk_image(const struct crash_disk *disk, enum crash_choice choice,
                 uint64_t seed, size_t *size_out)
{
    unsigned char *image = allocate(NULL, disk->size_max + 1);
    size_t size = disk->durable_size;

    memcpy(image, disk->durable, disk->size_max);
    for (size_t i = 0; i < disk->count; i++) {
        const struct sector *sector = &disk->pending[i];
        size_t end = (sector->number + 1) * SECTOR;

        if (!is_chosen(disk, i, choice, seed))
            continue;
        memcpy(image + sector->number * SECTOR, sector->bytes, SECTOR);
        if (end > size)
            size = end < disk->size ? end : disk->size;
    }
    /* The file's new length may be on disk without its new content. */
    if (choice == CRASH_ALL || flip(seed, UINT64_MAX))
        size = disk->size;
    *size_out = size;
    return image;
}
