// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char secret[] = "s3cret";

static size_t
count_secrets(const char *bytes, size_t len)
{
    size_t count = 0;

    for (size_t at = 0; at + sizeof(secret) - 1 <= len; at++)
        count += memcmp(bytes + at, secret, sizeof(secret) - 1) == 0;
    return count;
}

static const char *watched_data;
static size_t watched_len, freed, leaked;

void __real_free(void *memory);
void __wrap_free(void *memory);

/* Linked with --wrap: what the buffer gives back, while it is watched. */
void
__wrap_free(void *memory)
{
    if (memory != NULL && memory == watched_data) {
        freed++;
        leaked += count_secrets(memory, watched_len);
    }
    __real_free(memory);
}

static void
watch(struct buf *buf)
{
    watched_data = buf->data;
    watched_len = buf->len;
}

static void
fill(struct buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        watch(buf);
        cr_assert(buf_add(buf, secret, sizeof(secret) - 1));
    }
    watch(buf);
}

Test(buf, grows_and_holds_what_was_added)
{
    struct buf buf = {0};

    fill(&buf, 1000);
    cr_expect_eq(buf.len, 1000 * (sizeof(secret) - 1));
    cr_expect_eq(count_secrets(buf.data, buf.len), 1000);
    cr_assert(buf_add(&buf, NULL, 0));
    buf_clear(&buf);
    cr_expect_null(buf.data);
    cr_expect_eq(buf.size, 0);
    buf_clear(&buf);
}

Test(buf, leaves_nothing_where_it_was)
{
    struct buf buf = {0};

    fill(&buf, 1000);
    cr_expect_gt(freed, 0);
    cr_expect_eq(leaked, 0);
    buf_clear(&buf);
    cr_expect_gt(freed, 1);
    cr_expect_eq(leaked, 0);
}

Test(buf, leaves_nothing_of_what_was_consumed)
{
    struct buf buf = {0};
    size_t size = sizeof(secret) - 1;

    fill(&buf, 10);
    buf_consume(&buf, 7 * size);
    cr_expect_eq(buf.len, 3 * size);
    cr_expect_eq(count_secrets(buf.data, 10 * size), 3);
    buf_consume(&buf, 0);
    cr_expect_eq(count_secrets(buf.data, buf.len), 3);
    buf_consume(&buf, 3 * size);
    cr_expect_eq(buf.len, 0);
    cr_expect_eq(count_secrets(buf.data, 10 * size), 0);
    buf_clear(&buf);
}
