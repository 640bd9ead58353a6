// SPDX-License-Identifier: MIT
/* Entity tags on their way through the handlers: they stand for one version of
 * one store, wherever they are read, and also for those of record layout 1. */
#include "api/exchange.h"
#include "base/util.h"
#include "model/seal.h"
#include "setting/etag.h"
#include "setting/setting.h"

#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/write.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "lib/ring.h"
#include "lib/store_mem.h"

#include <criterion/criterion.h>
#include <string.h>

#define TIMER "on_hold_timer_duration"
#define WEBHOOK "external_order_webhook"
#define SEQUENCE "sales_order_generator_sequence"
#define HOOK                                                                   \
    "{\"url\":\"https://a.example/\",\"api_key\":\"s3cret\",\"timeout\":3}"

TestSuite(api_etag, .init = api_world_set_up, .fini = api_world_tear_down);

/* The tag of the last answer, from malloc. */
static char *
tag_of_answer(void)
{
    char *tag = strdup(answer.response.etag);

    cr_assert_not_null(tag);
    return tag;
}

static char *
tag_of(const char *key, bool is_masked)
{
    ASK(&api, api_get, &answer, .key = key, .is_masked = is_masked);
    return tag_of_answer();
}

Test(api_etag, the_same_writes_in_another_store_make_other_tags)
{
    auto_char *first = NULL;

    set(&api, TIMER, "10");
    first = tag_of(TIMER, false);
    store_close(api.store);
    api.store = store_mem_new();
    set(&api, TIMER, "10");
    ASK(&api, api_get, &answer, .key = TIMER, .if_none_match = first);
    assert_answer(&answer, 200, "{1}", NULL);
    cr_expect_str_neq(answer.response.etag, first);
    ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":20}",
        .if_match = first);
    assert_answer(&answer, 412, "{1}", NULL);
}

Test(api_etag, a_plain_number_matches_nothing)
{
    static const char said[] =
        "If-Match: the entity tag of " TIMER " is \\\"1-";

    set(&api, TIMER, "10");
    ASK(&api, api_get, &answer, .key = TIMER, .if_none_match = "\"1\"");
    assert_answer(&answer, 200, "{1}", NULL);
    ASK(&api, api_get, &answer, .key = TIMER, .if_match = "\"1\"");
    assert_answer(&answer, 412, "{1}", NULL);
    ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":20}",
        .if_match = "\"1\"");
    assert_answer(&answer, 412, "{1}", NULL);
    cr_expect_not_null(memmem(answer.response.body, answer.response.body_len,
                              said, sizeof(said) - 1));
    cr_expect_eq(version_of(&api, TIMER), 1);
}

/* What the list and the history say of it, from malloc. */
static char *
listed_tag(void)
{
    json_auto_t *body = body_of(&answer);
    const json_t *setting = json_object_get(body, TIMER);

    if (setting == NULL)
        setting = json_array_get(json_object_get(body, "history"), 0);
    return strdup(json_string_value(json_object_get(setting, "etag")));
}

Test(api_etag, of_the_list_and_the_history_are_for_if_match)
{
    handler_fn *const handlers[] = {api_list, api_history};

    set(&api, TIMER, "10");
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        auto_char *tag = NULL;

        ASK(&api, handlers[i], &answer, .key = TIMER);
        tag = listed_tag();
        ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":20}",
            .if_match = tag);
        assert_answer(&answer, 200, NULL, NULL);
        cr_expect_str_neq(answer.response.etag, tag);
    }
    cr_expect_eq(version_of(&api, TIMER), 3);
}

static void
expect_author(const char *key, const char *author)
{
    json_auto_t *body = NULL;
    const char *said;

    ASK(&api, api_list, &answer);
    assert_answer(&answer, 200, NULL, NULL);
    body = body_of(&answer);
    said = json_string_value(
        json_object_get(json_object_get(body, key), "updated_by"));
    if (author != NULL)
        cr_expect_str_eq(said, author);
    else
        cr_expect_null(said);
}

Test(api_etag, the_list_has_the_author_of_an_old_record_from_its_history)
{
    struct store_write anonymous = {.tenant = "acme",
                                    .key = "big_sales_order",
                                    .value =
                                        "{\"soft_limit_for_big_orders\":1}",
                                    .value_len = 31,
                                    .base = STORE_ANY_VERSION};

    cr_assert_eq(store_commit_one(api.store, &anonymous), ERR_OK);
    set(&api, TIMER, "10");
    store_mem_age(api.store);
    expect_author(TIMER, "alice");
    expect_author("big_sales_order", NULL);
    expect_author(WEBHOOK, NULL);
    cr_assert_eq(store_commit_one(api.store, &anonymous), ERR_OK);
    expect_author("big_sales_order", NULL);
}

Test(api_etag, of_an_old_record_are_for_preconditions)
{
    auto_char *old = NULL;

    set(&api, TIMER, "10");
    set(&api, TIMER, "20");
    store_mem_age(api.store);
    old = tag_of(TIMER, false);
    ASK(&api, api_get, &answer, .key = TIMER, .if_none_match = old);
    assert_answer(&answer, 304, "{2}", "");
    ASK(&api, api_get, &answer, .key = TIMER, .query = "version=1");
    assert_answer(&answer, 200, "{1}", NULL);
    ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":30}",
        .if_match = "{1}");
    assert_answer(&answer, 412, "{2}", NULL);
    ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":30}",
        .query = "validate_only=true");
    assert_answer(&answer, 200, "{2}", NULL);
    ASK(&api, api_post, &answer, .key = TIMER, .body = "{\"value\":30}",
        .if_match = old);
    assert_answer(&answer, 200, "{3}", NULL);
}

/* As rekey does. */
static void
seal_hook(struct key_ring *secrets)
{
    const struct seal seal = {secrets, "acme", config_key_find(WEBHOOK)};
    struct store_write write = {
        .op = STORE_REPLACE,
        .tenant = "acme",
        .key = WEBHOOK,
        .base = 1,
        .replaces = HOOK,
        .replaces_len = strlen(HOOK),
    };
    auto_char *sealed = ring_seal(&seal, HOOK);

    write.value = sealed;
    write.value_len = strlen(sealed);
    cr_assert_eq(store_commit_one(api.store, &write), ERR_OK);
    cr_expect(write.is_new);
}

Test(api_etag, of_an_old_secret_are_the_same_for_all_and_by_all_keys)
{
    struct key_ring *secrets = ring_make("one");
    auto_char *open = NULL;
    auto_char *list = NULL;

    set(&api, WEBHOOK, HOOK);
    store_mem_age(api.store);
    open = tag_of(WEBHOOK, false);
    ASK(&api, api_list, &answer);
    list = tag_of_answer();
    for (int i = 0; i < 4; i++) {
        bool is_masked = i % 2 == 0;
        auto_char *tag = tag_of(WEBHOOK, is_masked);

        cr_expect_str_eq(tag, open);
        ASK(&api, api_list, &answer, .is_masked = is_masked);
        cr_expect_str_eq(answer.response.etag, list);
        if (i == 1) {
            seal_hook(secrets);
            api.secrets = secrets;
        }
    }
    key_ring_close(secrets);
}

Test(api_etag, of_an_old_record_after_a_write_that_made_none)
{
    static const char same[] = "{\"value\":{\"size\":5}}";
    auto_char *old = NULL;

    set(&api, SEQUENCE, "{\"size\":5}");
    store_mem_age(api.store);
    old = tag_of(SEQUENCE, false);
    ASK(&api, api_post, &answer, .key = SEQUENCE, .body = same);
    assert_answer(&answer, 200, old, NULL);
    ASK(&api, api_post, &answer, .key = SEQUENCE,
        .body = "{\"value\":{\"size\":6}}");
    assert_answer(&answer, 400, old, NULL);
}

/* Between a write and its answer, an old record was replaced. */
Test(api_etag, of_an_old_record_that_is_gone_by_then)
{
    const struct config_key *key = config_key_find(SEQUENCE);
    struct store_write write = {
        .tenant = "acme", .key = SEQUENCE, .version = 1, .result = ERR_OK};
    struct store_write unset = {.op = STORE_UNSET,
                                .tenant = "acme",
                                .key = SEQUENCE,
                                .base = STORE_ANY_VERSION};
    char tag[ETAG_SIZE];

    set(&api, SEQUENCE, "{\"size\":5}");
    store_mem_age(api.store);
    cr_assert_eq(store_commit_one(api.store, &unset), ERR_OK);
    cr_expect_eq(setting_etag_after(api.store, key, &write, tag), ERR_OK);
    cr_expect_str_eq(tag, "", "no other value's");
    write.result = ERR_CONFLICT;
    cr_expect_eq(setting_etag_after(api.store, key, &write, tag), ERR_OK);
    ASK(&api, api_get, &answer, .key = SEQUENCE);
    cr_expect_str_eq(tag, answer.response.etag);
}
