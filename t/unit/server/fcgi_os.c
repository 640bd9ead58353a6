// SPDX-License-Identifier: MIT
#include "server/fcgi_os.h"

#include "lib/no_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcgios.h>
#include <string.h>

static void
tear_down(void)
{
    fcgi_os_use(NULL);
}

TestSuite(fcgi_os, .fini = tear_down, .timeout = 60);

Test(fcgi_os, reads_what_is_there_and_then_the_end)
{
    struct fcgi_os os = {.in = "12345", .in_len = 5};
    char bytes[8];

    fcgi_os_use(&os);
    cr_assert_eq(OS_Read(1, bytes, 2), 2);
    cr_assert_arr_eq(bytes, "12", 2);
    cr_assert_eq(OS_Read(1, bytes, sizeof(bytes)), 3);
    cr_assert_arr_eq(bytes, "345", 3);
    cr_assert_eq(OS_Read(1, bytes, sizeof(bytes)), 0);
    fcgi_os_use(NULL);
    cr_assert_eq(OS_Read(1, bytes, sizeof(bytes)), 0);
}

Test(fcgi_os, writes_all)
{
    struct buf out = {0};
    struct fcgi_os os = {.out = &out};
    char bytes[] = "12345";

    fcgi_os_use(&os);
    cr_assert_eq(OS_Write(1, bytes, 5), 5);
    cr_assert_eq(OS_Write(1, bytes, 1), 1);
    cr_assert_eq(out.len, 6);
    cr_assert_arr_eq(out.data, "123451", 6);
    buf_clear(&out);
}

/* At 0, libfcgi would try again for ever. */
Test(fcgi_os, what_cannot_be_written_is_an_error_and_never_nothing)
{
    static char bytes[2000];
    struct buf out = {0};
    struct fcgi_os os = {.out = &out};

    cr_assert_eq(OS_Write(1, bytes, sizeof(bytes)), -1);
    cr_assert_eq(errno, EBADF);
    fcgi_os_use(&os);
    no_memory_from(0);
    cr_assert_eq(OS_Write(1, bytes, sizeof(bytes)), -1);
    cr_assert_eq(errno, ENOMEM);
    cr_assert(no_memory_end());
    cr_assert_eq(out.len, 0);
    os.out = NULL;
    cr_assert_eq(OS_Write(1, bytes, sizeof(bytes)), -1);
    cr_assert_eq(errno, EBADF);
    buf_clear(&out);
}

/* What libfcgi cannot read it closes, and accepts the next, and so on. */
Test(fcgi_os, a_request_that_cannot_be_read_is_no_endless_loop)
{
    struct fcgi_os os = {.in = "GET / HTTP/1.1\r\n\r\n", .in_len = 18};
    FCGX_Request request;

    cr_assert_eq(FCGX_Init(), 0);
    cr_assert_eq(FCGX_InitRequest(&request, 0, 0), 0);
    cr_assert_lt(FCGX_Accept_r(&request), 0, "nothing is in use");
    fcgi_os_use(&os);
    cr_assert_eq(FCGX_Accept_r(&request), -ECONNABORTED);
    cr_assert_null(request.in);
}

/* The library that is linked calls these functions, and not its own. */
Test(fcgi_os, libfcgi_has_no_other_way_to_the_system)
{
    cr_assert_eq(FCGX_OpenSocket("/tmp/orderconf-no-such-socket", 5), -1);
    cr_assert_eq(errno, ENOTSUP);
    cr_assert(!FCGX_IsCGI());
    FCGX_ShutdownPending();
}
