// SPDX-License-Identifier: MIT
/*
 * Replays what flush_record.so wrote down: at every flush, loses power in some
 * of the ways in which that could happen, opens what is left on the disk, and
 * looks for everything that a client had been told by then.
 *
 *   crash_images RECORD DIR SEED IMAGES [--ignore-data|--ignore-meta]
 *
 * Makes about IMAGES images in DIR/db. --ignore-data and --ignore-meta take no
 * notice of flushes, as a disk that lies would, and of the writes with O_DSYNC:
 * the checks below must find that. Prints what was done as JSON; exits with 1
 * if something was lost.
 */
#include "lib/crash_disk.h"
#include "lib/flush_record.h"
#include "lib/promises.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_MAX = 8, THREADS_MAX = 64, COMPLAINTS_MAX = 5 };

struct file {
    uint64_t inode;
    struct crash_disk disk;
};

/* A flush that has begun. */
struct flush {
    uint32_t thread;
    uint64_t inode;
    size_t count, size;
};

struct replay {
    const char *db;
    uint64_t random;
    bool ignores_data, ignores_meta;
    double chance; /* of an image at a boundary, beyond the first few */

    struct file files[FILES_MAX];
    size_t file_count;
    uint64_t named, naming; /* inodes: the data file, and one whose renaming to
                               that is not on disk yet */
    struct flush flushes[THREADS_MAX];
    struct promises promises;

    size_t events, boundaries, images, lost;
};

static void
die(const char *why)
{
    fprintf(stderr, "crash_images: %s\n", why);
    exit(2);
}

/* --- images --------------------------------------------------------------- */

static void
spit(const struct replay *replay, const char *name, const void *bytes,
     size_t len)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", replay->db, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0)
        die("cannot write an image");
}

static void
remove_all(const struct replay *replay)
{
    static const char *const names[] = {"data.mdb", "data.mdb.new", "lock.mdb"};
    char path[4096];

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", replay->db, names[i]);
        (void)unlink(path);
    }
}

/* The lock file is written through a mapping and never flushed: after a power
 * failure it may hold anything, or not be there. */
static void
spit_lock(const struct replay *replay, uint64_t seed)
{
    uint64_t garbage[1024];

    if (seed % 3 == 0)
        return;
    for (size_t i = 0; i < 1024; i++)
        garbage[i] = seed % 3 == 1 ? 0 : crash_random(&seed);
    spit(replay, "lock.mdb", garbage, sizeof(garbage));
}

static const struct file *
find_file(const struct replay *replay, uint64_t inode)
{
    for (size_t i = 0; i < replay->file_count; i++)
        if (replay->files[i].inode == inode)
            return &replay->files[i];
    return NULL;
}

static void
lose_power(struct replay *replay, enum crash_choice choice)
{
    uint64_t seed = crash_random(&replay->random);
    bool is_renamed =
        replay->naming != 0 && (choice == CRASH_ALL || (seed & 1));
    uint64_t inode = is_renamed ? replay->naming : replay->named;
    int status = 0;
    pid_t pid;

    remove_all(replay);
    for (size_t i = 0; i < replay->file_count; i++) {
        const struct file *file = &replay->files[i];
        size_t size;
        unsigned char *image =
            crash_disk_image(&file->disk, choice, seed, &size);

        if (file->inode == inode)
            spit(replay, "data.mdb", image, size);
        else if (inode == 0)
            spit(replay, "data.mdb.new", image, size);
        free(image);
    }
    spit_lock(replay, seed);
    replay->images++;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        const char *wrong;

        if (replay->lost >= COMPLAINTS_MAX)
            (void)!freopen("/dev/null", "w", stderr);
        wrong = promises_examine(&replay->promises, replay->db);
        if (wrong != NULL)
            fprintf(stderr, "# event %zu, choice %d, seed %#jx: %s\n",
                    replay->events, (int)choice, (uintmax_t)seed, wrong);
        fflush(NULL);
        _exit(wrong != NULL);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        die("cannot fork");
    if (status == 0)
        return;
    if (WIFSIGNALED(status) && replay->lost < COMPLAINTS_MAX)
        fprintf(stderr, "# event %zu, choice %d, seed %#jx: signal %d\n",
                replay->events, (int)choice, (uintmax_t)seed, WTERMSIG(status));
    replay->lost++;
}

/* How many sectors may or may not be on disk. */
static size_t
count_pending(const struct replay *replay)
{
    size_t count = 0;

    for (size_t i = 0; i < replay->file_count; i++)
        count += replay->files[i].disk.count;
    return count;
}

/* Just before a flush takes effect, when most is at stake. */
static void
reach_boundary(struct replay *replay)
{
    size_t pending = count_pending(replay);
    double random =
        (double)(crash_random(&replay->random) >> 11) / (1ull << 53);

    replay->boundaries++;
    lose_power(replay, CRASH_NONE);
    if (pending == 0 && replay->naming == 0)
        return;
    lose_power(replay, CRASH_ALL);
    if (pending <= 1)
        return;
    for (double n = replay->chance; n > random; n--)
        lose_power(replay,
                   CRASH_SECTORS + crash_random(&replay->random) %
                                       (CRASH_CHOICE_MAX - CRASH_SECTORS));
}

/* --- events --------------------------------------------------------------- */

static struct crash_disk *
disk_of(struct replay *replay, uint64_t inode)
{
    for (size_t i = 0; i < replay->file_count; i++)
        if (replay->files[i].inode == inode)
            return &replay->files[i].disk;
    if (replay->file_count == FILES_MAX)
        die("too many files");
    replay->files[replay->file_count] = (struct file){.inode = inode};
    return &replay->files[replay->file_count++].disk;
}

static struct flush *
flush_of(struct replay *replay, uint32_t thread)
{
    for (size_t i = 0; i < THREADS_MAX; i++) {
        struct flush *flush = &replay->flushes[i];

        if (flush->thread == 0)
            flush->thread = thread;
        if (flush->thread == thread)
            return flush;
    }
    die("too many threads");
    return NULL;
}

static void
begin_flush(struct replay *replay, const struct flush_event *event)
{
    struct flush *flush = flush_of(replay, event->thread);
    const struct file *file = find_file(replay, event->file);

    flush->inode = event->file;
    flush->count = file != NULL ? file->disk.count : 0;
    flush->size = file != NULL ? file->disk.size : 0;
}

static void
end_flush(struct replay *replay, const struct flush_event *event)
{
    const struct flush *flush = flush_of(replay, event->thread);
    const struct file *file = find_file(replay, event->file);

    reach_boundary(replay);
    if (flush->inode != event->file)
        die("a flush ended that had not begun");
    if (file == NULL) { /* the directory */
        if (replay->naming != 0)
            replay->named = replay->naming;
        replay->naming = 0;
    } else if (!replay->ignores_data) {
        crash_disk_flush(disk_of(replay, event->file), flush->count,
                         flush->size);
    }
}

static void
apply(struct replay *replay, const struct flush_event *event,
      const char *payload)
{
    switch ((enum flush_kind)event->kind) {
    case FLUSH_WRITE:
        crash_disk_write(disk_of(replay, event->file), event->offset,
                         (const unsigned char *)payload, event->len);
        break;
    case FLUSH_TRUNCATE:
        crash_disk_resize(disk_of(replay, event->file), event->offset);
        break;
    case FLUSH_DURABLE:
        reach_boundary(replay);
        if (!replay->ignores_meta)
            crash_disk_make_last_durable(disk_of(replay, event->file));
        break;
    case FLUSH_BEGIN:
        begin_flush(replay, event);
        break;
    case FLUSH_END:
        end_flush(replay, event);
        break;
    case FLUSH_RENAME:
        if (strcmp(payload, "data.mdb") != 0)
            die("a file was renamed");
        replay->naming = event->file;
        break;
    case FLUSH_SENT:
        promises_add(&replay->promises, payload, event->len);
        break;
    case FLUSH_UNKNOWN:
        fprintf(stderr, "crash_images: cannot follow %s\n", payload);
        exit(2);
    }
}

/* Calls visit for each event; a payload is followed by a NUL. */
static void
walk(struct replay *replay, const char *path,
     void (*visit)(struct replay *, const struct flush_event *, const char *))
{
    FILE *stream = fopen(path, "re");
    struct flush_event event;

    if (stream == NULL)
        die("cannot open the record");
    replay->events = 0;
    while (fread(&event, sizeof(event), 1, stream) == 1) {
        char *payload = calloc(1, event.len + 1);

        if (payload == NULL ||
            fread(payload, 1, event.len, stream) != event.len)
            die("the record is cut short");
        replay->events++;
        visit(replay, &event, payload);
        free(payload);
    }
    fclose(stream);
}

static void
count_boundary(struct replay *replay, const struct flush_event *event,
               const char *payload)
{
    (void)payload;
    replay->boundaries +=
        event->kind == FLUSH_END || event->kind == FLUSH_DURABLE;
}

int
main(int argc, char **argv)
{
    struct replay replay = {0};
    char db[4096];
    double images;

    if (argc < 5)
        die("usage: crash_images RECORD DIR SEED IMAGES [--ignore-...]");
    snprintf(db, sizeof(db), "%s/db", argv[2]);
    if (mkdir(db, 0700) != 0)
        die("cannot make the directory of the images");
    replay.db = db;
    replay.random = strtoull(argv[3], NULL, 0);
    images = strtod(argv[4], NULL);
    replay.ignores_data = argc > 5 && strcmp(argv[5], "--ignore-data") == 0;
    replay.ignores_meta = argc > 5 && strcmp(argv[5], "--ignore-meta") == 0;

    walk(&replay, argv[1], count_boundary);
    if (replay.boundaries > 0)
        /* Every other one is that of a single sector. */
        replay.chance = 2 * (images / (double)replay.boundaries - 2);
    replay.boundaries = 0;
    walk(&replay, argv[1], apply);
    reach_boundary(&replay); /* the end */

    printf("{\"events\":%zu,\"boundaries\":%zu,\"images\":%zu,"
           "\"promises\":%zu,\"lost\":%zu}\n",
           replay.events, replay.boundaries, replay.images,
           replay.promises.count, replay.lost);
    for (size_t i = 0; i < replay.file_count; i++)
        crash_disk_clear(&replay.files[i].disk);
    promises_clear(&replay.promises);
    return replay.lost > 0;
}
