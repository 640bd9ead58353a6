// SPDX-License-Identifier: MIT
/* The webhook's secret: sealed in the store, masked for some, kept by the mask,
 * and never shown when it cannot be opened. */
#include "api/exchange.h"

#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/write.h"
#include "base/buf.h"
#include "base/util.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/no_memory.h"
#include "lib/ring.h"
#include "lib/store_mem.h"
#include "model/seal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define KEY "external_order_webhook"
#define HOOK(secret)                                                           \
    "{\"url\":\"https://a.example\",\"api_key\":\"" secret "\",\"timeout\":"   \
    "15}"
#define BODY(secret) "{\"value\":" HOOK(secret) "}"
#define UNREADABLE KEY ": the stored api_key cannot be read, see the log"

static void
set_up(void)
{
    api_world_set_up();
    api.secrets = ring_make("one");
}

static void
tear_down(void)
{
    api_world_tear_down();
    secrets_close(api.secrets);
}

TestSuite(api_secret, .init = set_up, .fini = tear_down);

static void
use_keys(const char *kids)
{
    secrets_close(api.secrets);
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

/* From malloc. */
static char *
stored(void)
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

/* The answer's text has this part, or has it not. */
static void
expect_part(const char *part, bool is_there)
{
    const struct response *response = &answer.response;

    cr_expect_eq(
        memmem(response->body, response->body_len, part, strlen(part)) != NULL,
        is_there, "%s: %.*s", part, (int)response->body_len, response->body);
    cr_expect_str_eq(response->cache, "no-store");
}

/* Every way to read it shows this. */
static void
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

Test(api_secret, is_sealed_in_the_store_and_read_open)
{
    set(&api, KEY, HOOK("s3cret"));

    auto_char *text = stored();
    cr_expect_null(strstr(text, "s3cret"));
    cr_expect_not_null(strstr(text, "\"kid\":\"one\""));
    cr_expect_not_null(strstr(text, "https://a.example"));
    expect_reads("s3cret", false);
    expect_reads(SEAL_MASK, true);
}

Test(api_secret, is_shown_by_the_answer_to_a_write)
{
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("s3cret"));
    assert_answer(&answer, 200, "{1}", NULL);
    expect_part(HOOK("s3cret"), true);
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("s3cret"),
        .query = "validate_only=true");
    assert_answer(&answer, 200, "{1}", NULL);
    expect_part(HOOK("s3cret"), true);
    ASK(&api, api_restore, &answer, .key = KEY,
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{2}", NULL);
    expect_part(HOOK("s3cret"), true);
}

Test(api_secret, is_masked_in_the_answer_to_a_write)
{
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("s3cret"),
        .is_masked = true);
    assert_answer(&answer, 200, "{1}", NULL);
    expect_part(HOOK(SEAL_MASK), true);
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("s3cret"),
        .query = "validate_only=true", .is_masked = true);
    expect_part(HOOK(SEAL_MASK), true);
    ASK(&api, api_restore, &answer, .key = KEY,
        .body = "{\"restore_version\":1}", .is_masked = true);
    assert_answer(&answer, 200, "{2}", NULL);
    expect_part(HOOK(SEAL_MASK), true);
    expect_reads("s3cret", false);
}

Test(api_secret, from_before_the_keys_reads_on)
{
    use_keys(NULL);
    set(&api, KEY, HOOK("s3cret"));
    expect_reads("s3cret", false);
    use_keys("one");
    expect_reads("s3cret", false);
    expect_reads(SEAL_MASK, true);
    set(&api, KEY, HOOK("s3cret"));
    expect_reads("s3cret", false);
}

Test(api_secret, a_restored_one_is_sealed_by_the_first_key)
{
    set(&api, KEY, HOOK("s3cret"));
    use_keys("two one");
    ASK(&api, api_restore, &answer, .key = KEY,
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{2}", NULL);
    use_keys("two");
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part(HOOK("s3cret"), true);
}

static void
expect_unreadable(handler_fn *handler, const struct asked *asked)
{
    ask_all(&api, handler, asked, &answer);
    assert_problem(&answer, 500, UNREADABLE);
    expect_part("secret_unreadable", true);
    expect_part("s3cret", false);
    cr_expect_str_eq(answer.response.etag, "");
    cr_expect_eq(answer.wait.what, WAIT_NONE);
}

/* Every way to it is a 500, whatever the token may see. */
static void
expect_all_unreadable(void)
{
    uint64_t version = version_of(&api, KEY);

    for (int is_masked = 0; is_masked < 2; is_masked++) {
        struct asked asked = {.key = KEY, .is_masked = is_masked};

        expect_unreadable(api_get, &asked);
        asked.if_none_match = "*";
        expect_unreadable(api_get, &asked);
        asked.if_none_match = NULL;
        asked.query = "version=1";
        expect_unreadable(api_get, &asked);
        asked.query = NULL;
        expect_unreadable(api_list, &asked);
        expect_unreadable(api_history, &asked);
        asked.body = "{\"restore_version\":1}";
        expect_unreadable(api_restore, &asked);
        asked.body = BODY("********");
        api.has_mask = true;
        expect_unreadable(api_post, &asked);
    }
    cr_expect_eq(version_of(&api, KEY), version);
}

Test(api_secret, without_its_key_is_a_500)
{
    set(&api, KEY, HOOK("s3cret"));
    use_keys(NULL);
    expect_all_unreadable();
    use_keys("two");
    expect_all_unreadable();
    use_keys("one/other");
    expect_all_unreadable();
}

Test(api_secret, of_another_tenant_is_a_500)
{
    struct record record;
    struct store_write write = {
        .tenant = "acme", .key = KEY, .base = STORE_ANY_VERSION};

    set(&api, KEY, HOOK("s3cret"));
    cr_assert_eq(store_get(api.store, "acme", KEY, &record), ERR_OK);
    store_close(api.store);
    api.store = store_mem_new();
    write.value = record.value;
    write.value_len = record.value_len;
    write.tenant = "brio";
    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    write.tenant = "acme";
    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part("s3cret", true);

    ask(&api, api_list, &(struct asked){.key = NULL}, &answer);
    snprintf(answer.principal.tenant, sizeof(answer.principal.tenant), "brio");
    response_clear(&answer.response);
    answer.key = config_key_find(KEY);
    api_get(&api, &answer);
    assert_problem(&answer, 500, UNREADABLE);
    record_clear(&record);
}

Test(api_secret, other_keys_go_on_without_it)
{
    set(&api, KEY, HOOK("s3cret"));
    set(&api, "big_sales_order", "{\"soft_limit_for_big_orders\":7}");
    use_keys("two");
    ASK(&api, api_get, &answer, .key = "big_sales_order");
    assert_answer(&answer, 200, "{1}", NULL);
    set(&api, "external_oms", "{\"enabled\":true}");
    ASK(&api, api_history, &answer, .key = "external_oms");
    assert_answer(&answer, 200, NULL, NULL);
    /* A new secret mends it. */
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("fresh"));
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part(HOOK("fresh"), true);
}

Test(api_secret, is_not_replaced_by_one_in_the_clear_for_lack_of_keys)
{
    set(&api, KEY, HOOK("s3cret"));
    use_keys(NULL);
    expect_unreadable(api_post,
                      &(struct asked){.key = KEY, .body = BODY("fresh")});
    set(&api, "external_oms", "{\"enabled\":true}");
    use_keys("one");
    expect_reads("s3cret", false);
    cr_expect_eq(version_of(&api, KEY), 1);
}

Test(api_secret, the_mask_keeps_it)
{
    api.has_mask = true;
    set(&api, KEY, HOOK("s3cret"));
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        ASK(&api, api_post, &answer, .key = KEY,
            .body = "{\"value\":{\"url\":\"https://a.example/b\","
                    "\"api_key\":\"********\"}}",
            .is_masked = is_masked);
        assert_answer(&answer, 200, is_masked ? "{3}" : "{2}", NULL);
        expect_part(is_masked ? SEAL_MASK : "s3cret", true);
        ASK(&api, api_get, &answer, .key = KEY);
        expect_part("{\"url\":\"https://a.example/b\",\"api_key\":\"s3cret\","
                    "\"timeout\":15}",
                    true);
    }
    auto_char *text = stored();
    cr_expect_null(strstr(text, "s3cret"));
    cr_expect_null(strstr(text, SEAL_MASK));
}

Test(api_secret, the_mask_keeps_it_in_the_clear_too)
{
    use_keys(NULL);
    api.has_mask = true;
    set(&api, KEY, HOOK("s3cret"));
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"),
        .is_masked = true);
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part(HOOK("s3cret"), true);
}

#define EVIL(secret)                                                           \
    "{\"value\":{\"url\":\"https://evil.example\",\"api_key\":\"" secret "\"}" \
    "}"

Test(api_secret, the_mask_with_another_server_is_refused)
{
    api.has_mask = true;
    set(&api, KEY, HOOK("s3cret"));
    for (int i = 0; i < 4; i++) {
        ASK(&api, api_post, &answer, .key = KEY, .body = EVIL("********"),
            .is_masked = i % 2, .query = i < 2 ? "validate_only=true" : "");
        assert_problem(&answer, 400,
                       "value.api_key: is the mask, but value.url has another "
                       "scheme, user, host or port than the one that is "
                       "stored: send the api_key along");
        expect_part("validation_failed", true);
        expect_part("s3cret", false);
    }
    expect_reads("s3cret", false);
    cr_expect_eq(version_of(&api, KEY), 1);

    /* It may be replaced by a secret of its own, and that not be kept, too. */
    ASK(&api, api_post, &answer, .key = KEY, .body = EVIL("own"),
        .is_masked = true);
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"),
        .is_masked = true);
    assert_answer(&answer, 400, NULL, NULL);
    /* A version has its own. */
    ASK(&api, api_restore, &answer, .key = KEY,
        .body = "{\"restore_version\":1}", .is_masked = true);
    assert_answer(&answer, 200, "{3}", NULL);
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part(HOOK("s3cret"), true);
}

Test(api_secret, the_mask_with_nothing_to_keep_is_refused)
{
    api.has_mask = true;
    for (int is_dry = 0; is_dry < 2; is_dry++) {
        ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"),
            .query = is_dry ? "validate_only=true" : "");
        assert_problem(&answer, 400,
                       "value.api_key: is the mask, but no api_key is stored "
                       "to be kept");
        expect_part("validation_failed", true);
    }
    cr_expect_eq(version_of(&api, KEY), 0);
}

Test(api_secret, an_unset_webhook_has_none)
{
    struct store_write unset = {.op = STORE_UNSET,
                                .tenant = "acme",
                                .key = KEY,
                                .base = STORE_ANY_VERSION};

    api.has_mask = true;
    set(&api, KEY, HOOK("s3cret"));
    cr_assert_eq(store_commit_one(api.store, &unset), ERR_OK);
    ASK(&api, api_get, &answer, .key = KEY, .is_masked = true);
    assert_answer(&answer, 404, NULL, NULL);
    ASK(&api, api_history, &answer, .key = KEY, .is_masked = true);
    assert_answer(&answer, 200, NULL, NULL);
    expect_part(",\"value\":null", true);
    expect_part(HOOK(SEAL_MASK), true);
    ASK(&api, api_list, &answer, .is_masked = true);
    assert_answer(&answer, 200, NULL, NULL);
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"));
    assert_answer(&answer, 400, NULL, NULL);
}

Test(api_secret, without_a_scope_the_mask_is_a_secret_like_any)
{
    set(&api, KEY, HOOK("********"));
    set(&api, KEY, HOOK("s3cret"));
    set(&api, KEY, HOOK("********"));
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part(HOOK("********"), true);
    /* And it is restored as one, whatever the mask means since. */
    api.has_mask = true;
    ASK(&api, api_restore, &answer, .key = KEY,
        .body = "{\"restore_version\":2}");
    ASK(&api, api_restore, &answer, .key = KEY,
        .body = "{\"restore_version\":1}");
    assert_answer(&answer, 200, "{5}", NULL);
    ASK(&api, api_get, &answer, .key = KEY);
    expect_part(HOOK("********"), true);
}

Test(api_secret, what_is_kept_is_of_the_version_it_is_based_on)
{
    static const char *const fields[] = {NULL, "{1}"};

    api.has_mask = true;
    set(&api, KEY, HOOK("first"));
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        struct exchange other = {0};
        uint64_t version = version_of(&api, KEY);
        char tag[32];

        snprintf(tag, sizeof(tag), "{%d}", (int)version);
        ask(&api, api_post,
            &(struct asked){.key = KEY,
                            .body = BODY("********"),
                            .if_match = fields[i] != NULL ? tag : NULL},
            &answer);
        cr_assert_eq(answer.write.base, version);
        ASK(&api, api_post, &other, .key = KEY, .body = BODY("second"));
        assert_answer(&other, 200, NULL, NULL);
        exchange_clear(&other);
        wait_for_answer(&api, &answer);
        assert_answer(&answer, fields[i] != NULL ? 412 : 409, NULL, NULL);
        ASK(&api, api_get, &answer, .key = KEY);
        expect_part(HOOK("second"), true);
    }
}

Test(api_secret, preconditions_come_before_the_mask)
{
    api.has_mask = true;
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"),
        .if_match = "\"1\"");
    assert_answer(&answer, 412, "\"0\"", NULL);
    set(&api, KEY, HOOK("s3cret"));
    ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"),
        .if_match = "{1}", .is_masked = true);
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_get, &answer, .key = KEY, .if_none_match = "{2}",
        .is_masked = true);
    assert_answer(&answer, 304, "{2}", NULL);
}

Test(api_secret, a_sealed_one_cannot_be_posted)
{
    ASK(&api, api_post, &answer, .key = KEY,
        .body = "{\"value\":{\"url\":\"https://a.example\",\"api_key\":"
                "{\"sealed\":{\"kid\":\"one\",\"data\":\"AAAA\"}}}}");
    assert_answer(&answer, 400, NULL, NULL);
}

Test(api_secret, without_memory)
{
    api.has_mask = true;
    set(&api, KEY, HOOK("s3cret"));
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        struct asked asked = {.key = KEY, .is_masked = is_masked};

        ask_without_memory(&api, api_get, &asked, 200);
        ask_without_memory(&api, api_list, &asked, 200);
        ask_without_memory(&api, api_history, &asked, 200);
        asked.body = BODY("********");
        ask_without_memory(&api, api_post, &asked, 200);
        asked.body = "{\"restore_version\":1}";
        ask_without_memory(&api, api_restore, &asked, 200);
    }
    expect_reads("s3cret", false);
}
