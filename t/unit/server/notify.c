// SPDX-License-Identifier: MIT
#include "server/notify.h"

#include "base/process.h"
#include "base/util.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Listens as a service manager would, at path ('@' for abstract). */
static int
listen_at(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(name.sun_path, path, strlen(path));
    if (*path == '@')
        name.sun_path[0] = '\0';
    cr_assert_eq(bind(fd, (struct sockaddr *)&name,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                  strlen(path))),
                 0);
    cr_assert_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
    return fd;
}

static void
assert_heard(int fd, const char *expected)
{
    char heard[64];
    ssize_t len = recv(fd, heard, sizeof(heard), MSG_DONTWAIT);

    cr_assert_eq(len, (ssize_t)strlen(expected));
    cr_assert_eq(memcmp(heard, expected, strlen(expected)), 0);
}

Test(notify, reaches_a_socket_with_a_path)
{
    char path[64];
    auto_fd fd = -1;

    snprintf(path, sizeof(path), "/tmp/orderconf-notify-%d", getpid());
    fd = listen_at(path);
    notify_manager("READY=1");
    unlink(path);
    assert_heard(fd, "READY=1");
}

Test(notify, reaches_an_abstract_socket)
{
    char path[64];
    auto_fd fd = -1;

    snprintf(path, sizeof(path), "@orderconf-notify-%d", getpid());
    fd = listen_at(path);
    notify_manager("STOPPING=1");
    assert_heard(fd, "STOPPING=1");
}

/* Its queue is full: each of what it never reads is waited for a while. */
Test(notify, a_manager_that_hangs_is_not_waited_for, .timeout = 30)
{
    char path[64];
    int64_t started = process_now_ms();
    auto_fd fd = -1;
    bool is_over = false;

    snprintf(path, sizeof(path), "@orderconf-notify-%d", getpid());
    fd = listen_at(path);
    for (int i = 0; i < 100000 && !is_over; i++) {
        notify_manager("STATUS=");
        is_over = process_now_ms() - started > 1500;
    }
    cr_assert(is_over, "the queue was never full");
}

Test(notify, without_a_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    notify_manager("READY=1");
    setenv("NOTIFY_SOCKET", "relative", 1);
    notify_manager("READY=1");
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    notify_manager("READY=1");
}
