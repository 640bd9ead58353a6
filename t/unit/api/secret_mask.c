// SPDX-License-Identifier: MIT
/* The mask in place of the webhook's secret: what it keeps, and when it is
 * refused. */
#include "api/exchange.h"

#include "api/get.h"
#include "api/history.h"
#include "api/list.h"
#include "api/write.h"
#include "base/util.h"
#include "lib/api_secrets.h"
#include "lib/api_world.h"
#include "lib/asked.h"
#include "model/seal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(api_secret_mask, .init = api_secrets_set_up,
          .fini = api_secrets_tear_down);

Test(api_secret_mask, the_mask_keeps_it)
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
    auto_char *text = stored_text();
    cr_expect_null(strstr(text, "s3cret"));
    cr_expect_null(strstr(text, SEAL_MASK));
}

Test(api_secret_mask, the_mask_keeps_it_in_the_clear_too)
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

Test(api_secret_mask, the_mask_with_another_server_is_refused)
{
    api.has_mask = true;
    set(&api, KEY, HOOK("s3cret"));
    for (int i = 0; i < 4; i++) {
        ASK(&api, api_post, &answer, .key = KEY, .body = EVIL("********"),
            .is_masked = i % 2, .query = i < 2 ? "validate_only=true" : "");
        assert_problem(&answer, 400,
                       "value.api_key: is the mask, but the scheme, user, host "
                       "or port of value.url differs from the stored one: "
                       "send the api_key itself");
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

Test(api_secret_mask, the_mask_with_nothing_to_keep_is_refused)
{
    api.has_mask = true;
    for (int is_dry = 0; is_dry < 2; is_dry++) {
        ASK(&api, api_post, &answer, .key = KEY, .body = BODY("********"),
            .query = is_dry ? "validate_only=true" : "");
        assert_problem(&answer, 400,
                       "value.api_key: is the mask, but there is no stored "
                       "api_key to keep");
        expect_part("validation_failed", true);
    }
    cr_expect_eq(version_of(&api, KEY), 0);
}

Test(api_secret_mask, an_unset_webhook_has_none)
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

Test(api_secret_mask, without_a_scope_the_mask_is_a_secret_like_any)
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

Test(api_secret_mask, what_is_kept_is_of_the_version_it_is_based_on)
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

Test(api_secret_mask, preconditions_come_before_the_mask)
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

Test(api_secret_mask, a_sealed_one_cannot_be_posted)
{
    ASK(&api, api_post, &answer, .key = KEY,
        .body = "{\"value\":{\"url\":\"https://a.example\",\"api_key\":"
                "{\"sealed\":{\"kid\":\"one\",\"data\":\"AAAA\"}}}}");
    assert_answer(&answer, 400, NULL, NULL);
}
