// SPDX-License-Identifier: MIT
/* How often the handlers decode and encode: a body once, what is stored only
 * if its secret matters, and each text that leaves once. */
#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/write.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/coded.h"
#include "lib/ring.h"

#include <criterion/criterion.h>

#define KEY "external_order_webhook"
/* A default that is left out would be decoded from the schema. */
#define HOOK(secret)                                                           \
    "{\"url\":\"https://a.example\",\"api_key\":\"" secret "\",\"timeout\":"   \
    "15}"
#define BODY(secret) "{\"value\":" HOOK(secret) "}"

static struct key_ring *ring;

static void
set_up(void)
{
    api_world_set_up();
    ring = ring_make("one");
    api.secrets = ring;
    api.has_mask = true;
}

static void
tear_down(void)
{
    api_world_tear_down();
    key_ring_close(ring);
}

TestSuite(api_coded, .init = set_up, .fini = tear_down);

/* Serves it, and counts. */
static void
assert_coded(handler_fn *handler, const struct asked *asked, unsigned decoded,
             unsigned encoded, unsigned measured)
{
    struct coded coded;

    (void)coded_take();
    ask_all(&api, handler, asked, &answer);
    coded = coded_take();
    cr_assert_eq(answer.response.status, 200);
    cr_expect_eq(coded.decoded, decoded, "decoded %u", coded.decoded);
    cr_expect_eq(coded.encoded, encoded, "encoded %u", coded.encoded);
    cr_expect_eq(coded.measured, measured, "measured %u", coded.measured);
}

#define ASSERT_CODED(handler, decoded, encoded, measured, ...)                 \
    assert_coded(handler, &(struct asked){__VA_ARGS__}, decoded, encoded,      \
                 measured)

Test(api_coded, a_value_without_a_secret)
{
    const char *key = "big_sales_order";

    ASSERT_CODED(api_post, 1, 1, 0, .key = key,
                 .body = "{\"value\":{\"soft_limit_for_big_orders\":7}}");
    ASSERT_CODED(api_get, 0, 0, 0, .key = key);
    ASSERT_CODED(api_history, 0, 0, 0, .key = key);
    ASSERT_CODED(api_list, 0, 0, 0, .key = NULL);
    /* The body, and the old value, which is checked again. */
    ASSERT_CODED(api_restore, 2, 1, 0, .key = key,
                 .body = "{\"restore_version\":1}");
}

/* One text for the store, and one for the answer. */
Test(api_coded, a_secret_that_is_set)
{
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        ASSERT_CODED(api_post, 1, 2, 0, .key = KEY, .body = BODY("s3cret"),
                     .is_masked = is_masked);
        ASSERT_CODED(api_post, 1, 2, 0, .key = KEY, .body = BODY("s3cret"),
                     .is_masked = is_masked, .query = "validate_only=true");
        ASSERT_CODED(api_restore, 2, 2, 0, .key = KEY,
                     .body = "{\"restore_version\":1}", .is_masked = is_masked);
    }
}

/* The value that it is kept of is one more to decode, and together they must
 * not be too large. */
Test(api_coded, a_secret_that_is_kept)
{
    set(&api, KEY, HOOK("s3cret"));
    for (int is_masked = 0; is_masked < 2; is_masked++)
        ASSERT_CODED(api_post, 2, 2, 1, .key = KEY, .body = BODY("********"),
                     .is_masked = is_masked);
}

/* What is there must not be sealed. If the token sees what is stored, both are
 * one text. */
Test(api_coded, a_secret_without_keys)
{
    api.secrets = NULL;
    ASSERT_CODED(api_post, 1, 1, 0, .key = KEY, .body = BODY("s3cret"));
    ASSERT_CODED(api_post, 2, 1, 0, .key = KEY, .body = BODY("s3cret"));
    ASSERT_CODED(api_post, 2, 2, 0, .key = KEY, .body = BODY("s3cret"),
                 .is_masked = true);
}

Test(api_coded, a_secret_that_is_read)
{
    set(&api, KEY, HOOK("s3cret"));
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        ASSERT_CODED(api_get, 1, 1, 0, .key = KEY, .is_masked = is_masked);
        ASSERT_CODED(api_history, 1, 1, 0, .key = KEY, .is_masked = is_masked);
        ASSERT_CODED(api_list, 1, 1, 0, .is_masked = is_masked);
    }
}
