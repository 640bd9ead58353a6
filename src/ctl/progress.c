// SPDX-License-Identifier: MIT
#include "ctl/progress.h"

#include "base/util.h"

#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define SECOND_NS UINT64_C(1000000000)
#define WIDTH_USUAL 80
#define WIDTH_MAX 120
#define TEXT_SIZE 256 /* two lines of WIDTH_MAX */
#define BAR_MIN 10
#define BAR_MAX 40

void
progress_start(struct progress *progress, int fd, const char *label,
               uint64_t total)
{
    uint64_t now = now_ns();

    *progress = (struct progress){
        .fd = fd,
        .label = label,
        .total = total,
        .started = now,
        .drawn = now,
        .is_shown = isatty(fd),
    };
}

/* Columns that may be written without a line break. */
static int
read_width(int fd)
{
    struct winsize size;

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_USUAL - 1;
    return size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col - 1;
}

/* "1:05 left", or "" while it cannot be told. */
static void
put_rest(const struct progress *progress, uint64_t done, uint64_t now,
         char *text, size_t size)
{
    uint64_t spent = now - progress->started;
    double left;

    *text = '\0';
    if (done == 0 || done >= progress->total || spent < SECOND_NS)
        return;
    left = (double)spent / (double)SECOND_NS *
           (double)(progress->total - done) / (double)done;
    if (left < 360000)
        snprintf(text, size, " %d:%02d left", (int)left / 60, (int)left % 60);
}

static int
put_bar(char *text, size_t size, int columns, double share)
{
    static const char full[] = "########################################";
    static const char rest[] = "----------------------------------------";
    int filled;

    columns = columns > BAR_MAX ? BAR_MAX : columns;
    filled = (int)(share * columns);
    return snprintf(text, size, " [%.*s%.*s]", filled, full, columns - filled,
                    rest);
}

static void
write_text(const struct progress *progress, const char *text, size_t len)
{
    struct pollfd room = {.fd = progress->fd, .events = POLLOUT};

    /* A terminal that is stopped or gone does not stop the work. */
    if (poll(&room, 1, 0) > 0)
        (void)!write(progress->fd, text, len);
}

static void
draw(struct progress *progress, uint64_t done, uint64_t now)
{
    int width = read_width(progress->fd);
    char text[TEXT_SIZE], numbers[TEXT_SIZE / 2], rest[32];
    int len, room;

    if (progress->total == 0) {
        snprintf(numbers, sizeof(numbers), " %ju", (uintmax_t)done);
        len = snprintf(text, sizeof(text), "%s%s", progress->label, numbers);
    } else {
        double share = (double)done / (double)progress->total;

        share = share > 1 ? 1 : share;
        put_rest(progress, done, now, rest, sizeof(rest));
        snprintf(numbers, sizeof(numbers), " %3d%%%s", (int)(share * 100),
                 rest);
        len = snprintf(text, sizeof(text), "%s", progress->label);
        room = width - len - (int)strlen(numbers) - 3;
        if (room >= BAR_MIN)
            len += put_bar(text + len, sizeof(text) - (size_t)len, room, share);
        len += snprintf(text + len, sizeof(text) - (size_t)len, "%s", numbers);
    }
    if (len > width)
        len = width > 0 ? width : 0;
    memmove(text + 1, text, (size_t)len);
    text[0] = '\r';
    memcpy(text + 1 + len, "\033[K", 3); /* clears what is left of before */
    write_text(progress, text, (size_t)len + 4);
    progress->is_drawn = true;
    progress->drawn = now;
}

void
progress_update(struct progress *progress, uint64_t done)
{
    uint64_t now;

    if (!progress->is_shown)
        return;
    now = now_ns();
    if (now - progress->drawn >= PROGRESS_INTERVAL_NS)
        draw(progress, done, now);
}

void
progress_hide(struct progress *progress)
{
    if (progress->is_drawn)
        write_text(progress, "\r\033[K", 4);
    progress->is_drawn = false;
}

void
progress_end(struct progress *progress)
{
    progress_hide(progress);
    progress->is_shown = false;
}
