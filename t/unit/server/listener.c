// SPDX-License-Identifier: MIT
#include "server/listener.h"

#include "base/util.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char dir[] = "/tmp/orderconf-listener-XXXXXX";
static char address[128];

static void
make_dir(void)
{
    cr_assert_not_null(mkdtemp(dir));
    snprintf(address, sizeof(address), "unix:%s/socket", dir);
}

static void
remove_dir(void)
{
    listener_unlink(address);
    rmdir(dir);
}

TestSuite(listener, .init = make_dir, .fini = remove_dir);

Test(listener, addresses_are_checked)
{
    static const char *const good[] = {"unix:/run/a", "127.0.0.1:0",
                                       "[::1]:9000", "localhost:9000"};
    static const char *const bad[] = {"",      "unix:", "/run/a",    "host",
                                      "host:", ":9000", "host:http", "host:-1"};
    char far[200] = "unix:/";

    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        cr_assert_null(listener_check(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        cr_assert_not_null(listener_check(bad[i]), "%s", bad[i]);
    memset(far + 6, 'a', sizeof(far) - 7);
    cr_assert_not_null(listener_check(far));
}

Test(listener, a_unix_socket_is_for_owner_and_group)
{
    char why[256];
    struct stat status;
    auto_fd fd = listener_open(address, why, sizeof(why));

    cr_assert_geq(fd, 0, "%s", why);
    cr_assert(listener_is_listening(fd));
    cr_assert_eq(stat(address + strlen("unix:"), &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0660);
}

Test(listener, a_socket_left_behind_is_replaced)
{
    char why[256];
    int first = listener_open(address, why, sizeof(why));
    auto_fd second = -1;

    close(first);
    second = listener_open(address, why, sizeof(why));
    cr_assert_geq(second, 0, "%s", why);
}

Test(listener, a_socket_that_is_served_is_not_taken)
{
    char why[256];
    auto_fd first = listener_open(address, why, sizeof(why));
    int second = listener_open(address, why, sizeof(why));

    cr_assert_geq(first, 0);
    cr_assert_eq(second, -1);
    cr_assert_not_null(strstr(why, "another process already serves "));
    cr_assert_eq(access(address + strlen("unix:"), F_OK), 0);
}

/* Its owner may hang, and so its queue be full for ever. */
Test(listener, a_socket_with_a_full_queue_is_not_taken_nor_waited_for,
     .timeout = 20)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const char *path = address + strlen("unix:");
    int queued[8], count = 0;
    char why[256];
    auto_fd first = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(name.sun_path, path, strlen(path) + 1);
    cr_assert_eq(bind(first, (struct sockaddr *)&name, sizeof(name)), 0);
    cr_assert_eq(listen(first, 1), 0);
    do {
        queued[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    } while (connect(queued[count++], (struct sockaddr *)&name, sizeof(name)) ==
                 0 &&
             count < 8);
    cr_assert_eq(errno, EAGAIN);
    cr_assert_eq(listener_open(address, why, sizeof(why)), -1);
    cr_assert_not_null(strstr(why, "another process already serves "));
    cr_assert_eq(access(path, F_OK), 0);
    while (count > 0)
        close(queued[--count]);
}

Test(listener, a_file_in_the_way_stays)
{
    char why[256];
    const char *path = address + strlen("unix:");
    auto_fd file = open(path, O_CREAT | O_WRONLY, 0600);

    cr_assert_geq(file, 0);
    cr_assert_eq(listener_open(address, why, sizeof(why)), -1);
    cr_assert_not_null(strstr(why, "exists and is not a socket"));
    cr_assert_eq(access(path, F_OK), 0);
}

Test(listener, a_port_in_use_is_named)
{
    char why[256], taken[64];
    auto_fd first = listener_open("127.0.0.1:0", why, sizeof(why));
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);
    unsigned char port[2];

    cr_assert_geq(first, 0, "%s", why);
    cr_assert(listener_is_listening(first));
    cr_assert_eq(getsockname(first, (struct sockaddr *)&name, &len), 0);
    memcpy(port, (char *)&name + 2, 2); /* sin_port, in network order */
    snprintf(taken, sizeof(taken), "127.0.0.1:%d", port[0] << 8 | port[1]);
    cr_assert_eq(listener_open(taken, why, sizeof(why)), -1);
    cr_assert_not_null(strstr(why, taken));
}

Test(listener, what_does_not_listen_is_told_apart)
{
    int pair[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    cr_assert(!listener_is_listening(pair[0]));
    cr_assert(!listener_is_listening(-1));
    cr_assert_eq(listener_activated(), -1);
    close(pair[0]);
    close(pair[1]);
}
