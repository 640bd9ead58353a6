// SPDX-License-Identifier: MIT
#include "ctl/progress.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

static int screen, terminal; /* the two ends of a terminal */

static void
set_up(void)
{
    struct termios raw;

    screen = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(screen >= 0 && grantpt(screen) == 0 && unlockpt(screen) == 0);
    terminal = open(ptsname(screen), O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0);
    cr_assert_eq(tcgetattr(terminal, &raw), 0);
    cfmakeraw(&raw);
    cr_assert_eq(tcsetattr(terminal, TCSANOW, &raw), 0);
    cr_assert_eq(fcntl(screen, F_SETFL, O_NONBLOCK), 0);
}

static void
tear_down(void)
{
    close(terminal);
    close(screen);
}

TestSuite(progress, .init = set_up, .fini = tear_down);

static void
set_width(unsigned short columns)
{
    struct winsize size = {.ws_row = 24, .ws_col = columns};

    cr_assert_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
}

/* What was written to the terminal since the last call. */
static const char *
shown(void)
{
    static char text[4096];
    ssize_t len = read(screen, text, sizeof(text) - 1);

    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void
wait_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Starts a bar, and draws it once. */
static const char *
draw(struct progress *progress, uint64_t total, uint64_t done)
{
    progress_start(progress, terminal, "backup", total);
    wait_ms(110);
    progress_update(progress, done);
    return shown();
}

Test(progress, a_bar_fits_the_terminal)
{
    struct progress progress;
    const char *text;

    set_width(40);
    text = draw(&progress, 200, 100);
    cr_expect_str_eq(text, "\rbackup [############-------------]  50%\033[K");
    set_width(200); /* not wider than is pleasant */
    text = draw(&progress, 4, 1);
    cr_expect_str_eq(text, "\rbackup [##########------------------------------"
                           "]  25%\033[K");
}

Test(progress, a_narrow_terminal_gets_less)
{
    struct progress progress;

    set_width(20);
    cr_expect_str_eq(draw(&progress, 100, 30), "\rbackup  30%\033[K");
    set_width(8);
    cr_expect_str_eq(draw(&progress, 100, 30), "\rbackup \033[K");
}

Test(progress, an_unknown_width_is_80)
{
    struct progress progress;

    set_width(0);
    cr_expect_eq(strlen(draw(&progress, 100, 0)),
                 strlen("\rbackup [] 100%\033[K") + 40);
}

Test(progress, an_unknown_total_is_counted_up)
{
    struct progress progress;

    set_width(80);
    cr_expect_str_eq(draw(&progress, 0, 12345), "\rbackup 12345\033[K");
}

Test(progress, more_than_the_total_is_all_of_it)
{
    struct progress progress;

    set_width(20);
    cr_expect_str_eq(draw(&progress, 10, 30), "\rbackup 100%\033[K");
}

Test(progress, it_is_drawn_ten_times_a_second_at_most)
{
    struct progress progress;
    uint64_t start = now_ns();
    size_t drawn = 0;

    set_width(20);
    progress_start(&progress, terminal, "x", 1000);
    while (now_ns() - start < 350000000) {
        progress_update(&progress, 1);
        drawn += strlen(shown()) > 0;
    }
    cr_expect(drawn >= 1 && drawn <= 3, "%zu", drawn);
}

Test(progress, short_work_shows_nothing)
{
    struct progress progress;

    set_width(80);
    progress_start(&progress, terminal, "x", 10);
    progress_update(&progress, 5);
    progress_end(&progress);
    cr_expect_str_empty(shown());
}

Test(progress, the_end_clears_the_line)
{
    struct progress progress;

    set_width(80);
    cr_expect_str_not_empty(draw(&progress, 10, 5));
    progress_end(&progress);
    cr_expect_str_eq(shown(), "\r\033[K");
    wait_ms(110);
    progress_update(&progress, 10);
    progress_end(&progress);
    cr_expect_str_empty(shown());
}

Test(progress, a_hidden_bar_comes_back)
{
    struct progress progress;

    set_width(20);
    cr_expect_str_not_empty(draw(&progress, 10, 5));
    progress_hide(&progress);
    cr_expect_str_eq(shown(), "\r\033[K");
    progress_hide(&progress);
    cr_expect_str_empty(shown());
    wait_ms(110);
    progress_update(&progress, 5);
    cr_expect_str_eq(shown(), "\rbackup  50%\033[K");
}

Test(progress, the_rest_is_told_after_a_second)
{
    struct progress progress;

    set_width(40);
    progress_start(&progress, terminal, "x", 100);
    wait_ms(1010);
    progress_update(&progress, 1);
    cr_expect_not_null(strstr(shown(), "  1% 1:"));
}

Test(progress, what_is_no_terminal_gets_nothing)
{
    struct progress progress;
    int ends[2];
    char byte;

    cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
    progress_start(&progress, ends[1], "x", 10);
    wait_ms(110);
    progress_update(&progress, 5);
    progress_end(&progress);
    cr_expect_eq(read(ends[0], &byte, 1), -1);
    close(ends[0]);
    close(ends[1]);
}

/* By Ctrl-S; the work behind the bar goes on. */
Test(progress, a_stopped_terminal_stops_nothing, .timeout = 30)
{
    struct progress progress;

    set_width(40);
    progress_start(&progress, terminal, "x", 100);
    cr_assert_eq(tcflow(terminal, TCOOFF), 0);
    wait_ms(110);
    progress_update(&progress, 50);
    progress_end(&progress);
    cr_expect_str_empty(shown());
    cr_assert_eq(tcflow(terminal, TCOON), 0);
}

Test(progress, a_zeroed_one_shows_nothing)
{
    struct progress progress = {.fd = terminal};

    progress_update(&progress, 5);
    progress_end(&progress);
    cr_expect_str_empty(shown());
}
