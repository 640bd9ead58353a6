// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What the last log_event wrote, parsed. */
static json_t *
logged(void)
{
    json_error_t error;
    json_t *line = json_loadf(cr_get_redirected_stderr(), 0, &error);

    cr_assert_not_null(line, "%s", error.text);
    return line;
}

static void
assert_text(const json_t *line, const char *name, const char *expected)
{
    cr_assert_str_eq(json_string_value(json_object_get(line, name)), expected);
}

Test(log, event_is_one_json_object, .init = cr_redirect_stderr)
{
    json_t *line;

    log_event(LOG_LEVEL_NOTICE, "stored", LOG_TEXT("tenant", "dodici"),
              LOG_NUMBER("version", -7));
    line = logged();
    assert_text(line, "level", "notice");
    assert_text(line, "event", "stored");
    assert_text(line, "tenant", "dodici");
    cr_assert_eq(json_integer_value(json_object_get(line, "version")), -7);
    cr_assert_eq(json_object_size(line), 6);
    json_decref(line);
}

Test(log, client_text_cannot_break_the_line, .init = cr_redirect_stderr)
{
    json_t *line;

    log_event(LOG_LEVEL_INFO, "refused",
              LOG_TEXT("path", "a\"b\\c\n{\"event\":\"forged\"}\x1b[0m\xff"));
    line = logged();
    assert_text(line, "event", "refused");
    assert_text(line, "path",
                "a\"b\\c\n{\"event\":\"forged\"}\x1b[0m\xef\xbf\xbd");
    json_decref(line);
}

Test(log, long_text_is_cut_and_the_line_stays_valid, .init = cr_redirect_stderr)
{
    char text[10000];
    json_t *line;

    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_event(LOG_LEVEL_INFO, "refused", LOG_TEXT("path", text),
              LOG_TEXT("next", text), LOG_NUMBER("last", 1));
    line = logged();
    cr_assert_gt(json_string_length(json_object_get(line, "path")), 100);
    json_decref(line);
}

/* Criterion's stderr as text, of which there is one line. */
static void
take_line(char *text, size_t size)
{
    FILE *file = cr_get_redirected_stderr();

    cr_assert_not_null(fgets(text, (int)size, file));
    cr_assert_eq(text[strlen(text) - 1], '\n');
}

Test(log, characters_stay_what_they_are_and_the_line_ascii,
     .init = cr_redirect_stderr)
{
    char text[512];
    json_t *line;

    /* Two, three and four bytes, and one that turns the direction of writing;
     * a surrogate, overlong forms, beyond the end, and cut short. */
    log_event(LOG_LEVEL_INFO, "x",
              LOG_TEXT("good", "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 "
                               "\xe2\x80\xae \xf4\x8f\xbf\xbf"),
              LOG_TEXT("bad", "\xed\xa0\x80 \xc0\xaf \xe0\x9f\xbf "
                              "\xf0\x8f\xbf\xbf \xf4\x90\x80\x80 \xf8 "
                              "\xe2\x82 \xf0\x9f\x98"));
    take_line(text, sizeof(text));
    for (const char *at = text; *at != '\n'; at++)
        cr_assert(*at >= 0x20 && *at < 0x7f);
    line = json_loads(text, 0, NULL);
    assert_text(line, "good",
                "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xae "
                "\xf4\x8f\xbf\xbf");
#define BAD "\xef\xbf\xbd"
    assert_text(line, "bad",
                BAD BAD BAD " " BAD BAD " " BAD BAD BAD " " BAD BAD BAD BAD
                            " " BAD BAD BAD BAD " " BAD " " BAD BAD
                            " " BAD BAD BAD);
    json_decref(line);
}

Test(log, the_longest_stored_line_is_whole, .init = cr_redirect_stderr)
{
    char tenant[64], subject[256], id[129];
    json_t *line;

    memset(tenant, 't', sizeof(tenant));
    memset(subject, 1, sizeof(subject));
    memset(id, 'i', sizeof(id));
    tenant[63] = subject[255] = id[128] = '\0';
    log_event(LOG_LEVEL_NOTICE, "stored", LOG_TEXT("tenant", tenant),
              LOG_TEXT("key", "sales_order_generator_sequence"),
              LOG_NUMBER("version", INT64_MAX), LOG_TEXT("subject", subject),
              LOG_TEXT("request_id", id));
    line = logged();
    assert_text(line, "tenant", tenant);
    assert_text(line, "subject", subject);
    assert_text(line, "request_id", id);
    json_decref(line);
}

/* Makes JOURNAL_STREAM name stderr, or a neighbour of it. */
static void
set_journal(ino_t offset)
{
    struct stat file;
    char stream[64];

    cr_assert_eq(fstat(STDERR_FILENO, &file), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu",
             (unsigned long long)file.st_dev,
             (unsigned long long)(file.st_ino + offset));
    setenv("JOURNAL_STREAM", stream, 1);
}

Test(log, the_journal_gets_the_level, .init = cr_redirect_stderr)
{
    static const char *const prefixes[] = {
        [LOG_LEVEL_ERR] = "<3>{\"time\":",
        [LOG_LEVEL_WARNING] = "<4>{\"time\":",
        [LOG_LEVEL_NOTICE] = "<5>{\"time\":",
        [LOG_LEVEL_INFO] = "<6>{\"time\":",
    };
    char text[512];

    set_journal(0);
    log_open(false);
    for (int level = LOG_LEVEL_ERR; level <= LOG_LEVEL_INFO; level++) {
        json_t *line;

        log_event((enum log_level)level, "x", LOG_NUMBER("n", 1));
        take_line(text, sizeof(text));
        cr_assert_eq(strncmp(text, prefixes[level], strlen(prefixes[level])), 0,
                     "%s", text);
        line = json_loads(text + strlen("<3>"), 0, NULL);
        assert_text(line, "event", "x");
        json_decref(line);
    }
}

Test(log, another_stderr_than_the_journal_gets_no_level,
     .init = cr_redirect_stderr)
{
    set_journal(1);
    log_open(false);
    log_event(LOG_LEVEL_ERR, "x", LOG_NUMBER("n", 1));
    json_decref(logged());
}

/* A /dev/log of this process's own; skips the test where that is not allowed.
 * Descriptor of what is sent there. */
static int
open_dev_log(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX,
                                  .sun_path = "/dev/log"};
    int flags = CLONE_NEWNS | (geteuid() != 0 ? CLONE_NEWUSER : 0);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    if (unshare(flags) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", "/dev", "tmpfs", 0, NULL) != 0)
        cr_skip_test("not allowed to mount");
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* The next message begins with "<priority>", and is the event. */
static void
assert_message(int fd, int priority, const char *event)
{
    char text[8192], start[32], ident[64];
    ssize_t len = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    const char *body;
    json_t *line;

    cr_assert_gt(len, 0);
    text[len] = '\0';
    snprintf(start, sizeof(start), "<%d>", priority);
    cr_assert_eq(strncmp(text, start, strlen(start)), 0, "%s", text);
    snprintf(ident, sizeof(ident), " %s[%d]: {", program_invocation_short_name,
             (int)getpid());
    body = strstr(text, ident);
    cr_assert_not_null(body, "%s", text);
    line = json_loads(strchr(body, '{'), 0, NULL);
    assert_text(line, "event", event);
    json_decref(line);
}

Test(log, syslog_gets_the_line_and_stderr_nothing, .init = cr_redirect_stderr)
{
    enum { DAEMON = 3 << 3 };
    int fd = open_dev_log();

    log_open(true);
    log_event(LOG_LEVEL_ERR, "100% %s %n", LOG_NUMBER("n", 1));
    log_event(LOG_LEVEL_WARNING, "warned", LOG_NUMBER("n", 1));
    log_event(LOG_LEVEL_NOTICE, "noted", LOG_NUMBER("n", 1));
    log_event(LOG_LEVEL_INFO, "told", LOG_NUMBER("n", 1));
    assert_message(fd, DAEMON | 3, "100% %s %n");
    assert_message(fd, DAEMON | 4, "warned");
    assert_message(fd, DAEMON | 5, "noted");
    assert_message(fd, DAEMON | 6, "told");
    fflush(stderr);
    cr_assert_stderr_eq_str("");
}

/* Nobody takes its messages, and then somebody does. */
Test(log, a_stalled_syslog_stalls_nobody, .init = cr_redirect_stderr,
     .timeout = 60)
{
    enum { MANY = 20000 };
    struct pollfd in = {.fd = open_dev_log(), .events = POLLIN};
    uint64_t heard = 0, told = 0;
    char text[8192];
    ssize_t len;

    log_open(true);
    log_queue(LOG_BY_THREAD, NULL);
    for (int i = 0; i < MANY; i++)
        log_event(LOG_LEVEL_INFO, "numbered", LOG_NUMBER("n", i));
    while (poll(&in, 1, 1000) > 0 &&
           (len = recv(in.fd, text, sizeof(text) - 1, 0)) > 0) {
        const char *lines;

        text[len] = '\0';
        lines = strstr(text, "\"lines\":");
        if (lines != NULL)
            told += strtoull(lines + strlen("\"lines\":"), NULL, 10);
        else
            heard++;
    }
    cr_assert_gt(told, 0);
    cr_assert_eq(heard + told, MANY);
    log_close();
}

Test(log, without_a_syslog_nothing_waits, .init = cr_redirect_stderr)
{
    int fd = open_dev_log();

    close(fd);
    unlink("/dev/log");
    log_open(true);
    log_event(LOG_LEVEL_ERR, "x", LOG_NUMBER("n", 1));
    cr_assert_stderr_eq_str("");
}
