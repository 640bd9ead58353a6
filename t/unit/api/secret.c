// SPDX-License-Identifier: MIT
/* The webhook's secret: sealed in the store, masked for some, and never shown
 * when it cannot be opened. */
#include "api/exchange.h"

#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/write.h"
#include "base/util.h"
#include "lib/api_secrets.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/store_mem.h"
#include "model/seal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_secret, .init = api_secrets_set_up,
          .fini = api_secrets_tear_down);

Test(api_secret, is_sealed_in_the_store_and_read_open)
{
    set(&api, KEY, HOOK("s3cret"));

    auto_char *text = stored_text();
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
