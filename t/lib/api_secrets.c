// SPDX-License-Identifier: MIT
#include "api_secrets.h"

#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "base/buf.h"
#include "base/util.h"
#include "api_world.h"
#include "asked.h"
#include "ring.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

void
api_secrets_set_up(void)
{
    api_world_set_up();
    api.secrets = ring_make("one");
}

void
api_secrets_tear_down(void)
{
    api_world_tear_down();
    key_ring_close(api.secrets);
}

void
use_keys(const char *kids)
{
    key_ring_close(api.secrets);
    api.secrets = kids != NULL ? ring_make(kids) : NULL;
}

/* What the store itself holds, with its origin, of all versions. */
static enum err
add_stored(void *ctx, const struct record *record,
           const struct record_origin *origin)
{
    (void)origin;
    return buf_add(ctx, record->value, record->value_len) ? ERR_OK : ERR_NOMEM;
}

char *
stored_text(void)
{
    struct record record = {0};
    struct buf text = {0};

    cr_assert_eq(store_get(api.store, "acme", KEY, &record), ERR_OK);
    cr_assert(buf_add(&text, record.value, record.value_len));
    record_clear(&record);
    cr_assert_eq(
        store_history(api.store, "acme", KEY, 0, SIZE_MAX, add_stored, &text),
        ERR_OK);
    cr_assert(buf_add(&text, "", 1));
    return text.data;
}

void
expect_part(const char *part, bool is_there)
{
    const struct response *response = &answer.response;

    cr_expect_eq(
        memmem(response->body, response->body_len, part, strlen(part)) != NULL,
        is_there, "%s: %.*s", part, (int)response->body_len, response->body);
    cr_expect_str_eq(response->cache, "no-store");
}

void
expect_reads(const char *secret, bool is_masked)
{
    auto_char *part = NULL;

    cr_assert_gt(asprintf(&part, "\"api_key\":\"%s\"", secret), 0);
    ASK(&api, api_get, &answer, .key = KEY, .is_masked = is_masked);
    assert_answer(&answer, 200, NULL, NULL);
    expect_part(part, true);
    ASK(&api, api_get, &answer, .key = KEY, .query = "version=1",
        .is_masked = is_masked);
    assert_answer(&answer, 200, "{1}", NULL);
    expect_part(part, true);
    ASK(&api, api_list, &answer, .is_masked = is_masked);
    assert_answer(&answer, 200, NULL, NULL);
    expect_part(part, true);
    ASK(&api, api_history, &answer, .key = KEY, .is_masked = is_masked);
    assert_answer(&answer, 200, NULL, NULL);
    expect_part(part, true);
    expect_part("sealed", false);
}
