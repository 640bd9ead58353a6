// SPDX-License-Identifier: MIT
/* Secrets sealed, opened and sealed again. */
#include "model/seal.h"

#include "base/util.h"
#include "lib/no_memory.h"
#include "lib/ring.h"
#include "lib/seal_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void
assert_opens(const struct seal *seal, const char *stored, const char *expected)
{
    struct seal_fault fault;
    char *value = NULL;

    cr_assert_eq(text_open(seal, stored, strlen(stored), &value, &fault),
                 ERR_OK, "%s", fault.reason);
    cr_expect_str_eq(value, expected);
    seal_free(value);
}

static void
assert_fault(const struct seal *seal, const char *stored, const char *kid,
             const char *reason)
{
    struct seal_fault fault = {.reason = ""};
    char *value = NULL;

    cr_expect_eq(text_open(seal, stored, strlen(stored), &value, &fault),
                 ERR_SEALED, "%s", stored);
    cr_expect_null(value);
    cr_expect_str_eq(fault.kid, kid);
    cr_expect_str_eq(fault.reason, reason);
    fault = (struct seal_fault){.reason = ""};
    if (seal->secrets == NULL)
        return;
    cr_expect_eq(text_renew(seal, stored, strlen(stored), &value, &fault),
                 ERR_SEALED);
    cr_expect_str_eq(fault.reason, reason);
}

Test(seal, a_secret_is_sealed_and_nothing_else)
{
    static const char before[] = "{\"url\":\"https://a.example/\",\"api_key\":"
                                 "{\"sealed\":{\"kid\":\"one\",\"data\":\"";
    struct key_ring *secrets = ring_make("one two");
    struct seal seal = seal_of(secrets, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);

    cr_expect_null(strstr(stored, "s3cr"));
    cr_expect_eq(strncmp(stored, before, strlen(before)), 0, "%s", stored);
    cr_expect_str_eq(strstr(stored, ",\"timeout\""), ",\"timeout\":-3}");
    assert_opens(&seal, stored, CANONICAL);
    key_ring_close(secrets);
}

Test(seal, keys_without_a_secret_stay_as_they_are)
{
    struct key_ring *secrets = ring_make("one");
    const char *value = "{\"enabled\":true}";
    struct seal seal = seal_of(secrets, "acme", "external_oms");
    auto_char *stored = sealed(&seal, value);
    struct seal_fault fault;
    char *other = NULL;
    bool is_masked = true;

    cr_expect_str_eq(stored, value);
    assert_opens(&seal, stored, value);
    cr_expect_eq(text_mask(seal.key, value, strlen(value), &other), ERR_OK);
    cr_expect_str_eq(other, value);
    seal_free(other);
    cr_expect_eq(text_is_masked(seal.key, value, strlen(value), &is_masked),
                 ERR_OK);
    cr_expect_not(is_masked);
    other = NULL;
    cr_expect_eq(text_renew(&seal, value, strlen(value), &other, &fault),
                 ERR_OK);
    cr_expect_null(other);
    key_ring_close(secrets);
}

Test(seal, without_keys_nothing_is_sealed)
{
    struct seal seal = seal_of(NULL, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);

    cr_expect_str_eq(stored, CANONICAL);
    assert_opens(&seal, stored, CANONICAL);
}

Test(seal, plain_text_opens_with_keys_too)
{
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);

    assert_opens(&seal, CANONICAL, CANONICAL);
    key_ring_close(secrets);
}

Test(seal, what_cannot_be_opened_says_why)
{
    struct key_ring *one = ring_make("one");
    struct key_ring *two = ring_make("two");
    struct key_ring *other = ring_make("one/other");
    struct seal seal = seal_of(one, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);
    char *at;

    seal.secrets = NULL;
    assert_fault(&seal, stored, "one", "no secret keys are set");
    seal.secrets = two;
    assert_fault(&seal, stored, "one", "there is no such secret key");
    seal.secrets = other;
    assert_fault(&seal, stored, "one",
                 "it is damaged, or belongs to another tenant, config key or "
                 "secret key");
    seal.secrets = one;
    seal.tenant = "brio";
    assert_fault(&seal, stored, "one",
                 "it is damaged, or belongs to another tenant, config key or "
                 "secret key");
    seal.tenant = "acme";
    assert_opens(&seal, stored, CANONICAL);
    at = strstr(stored, "\"data\":\"") + 10;
    *at = *at == 'A' ? 'B' : 'A';
    assert_fault(&seal, stored, "one",
                 "it is damaged, or belongs to another tenant, config key or "
                 "secret key");
    key_ring_close(one);
    key_ring_close(two);
    key_ring_close(other);
}

Test(seal, what_is_malformed_is_no_secret)
{
    static const char *const secrets_of[] = {
        "7",
        "null",
        "{}",
        "[]",
        "{\"sealed\":1}",
        "{\"sealed\":{\"kid\":\"one\"}}",
        "{\"sealed\":{\"data\":\"AAAA\"}}",
        "{\"sealed\":{\"kid\":1,\"data\":\"AAAA\"}}",
        "{\"sealed\":{\"kid\":\"one\",\"data\":\"AAAA\",\"more\":1}}",
        "{\"sealed\":{\"kid\":\"one\",\"data\":\"AAAA\"},\"more\":1}",
        "{\"sealed\":{\"kid\":\"0123456789012345678901234567890123456789"
        "0123456789012345678901234\",\"data\":\"AAAA\"}}",
    };
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);

    for (size_t i = 0; i < ARRAY_SIZE(secrets_of); i++) {
        auto_char *stored = NULL;

        cr_assert_gt(
            asprintf(&stored, "{\"url\":\"u\",\"api_key\":%s}", secrets_of[i]),
            0);
        assert_fault(&seal, stored, "", "the stored value is malformed");
    }
    assert_fault(&seal, "{\"url\":\"u\"}", "", "the stored value is malformed");
    assert_fault(&seal, "{\"api_key\":", "", "the stored value is malformed");
    assert_fault(&seal, "", "", "the stored value is malformed");
    key_ring_close(secrets);
}

static char *
renewed(const struct seal *seal, const char *stored)
{
    struct seal_fault fault;
    char *text = NULL;

    cr_assert_eq(text_renew(seal, stored, strlen(stored), &text, &fault),
                 ERR_OK);
    return text;
}

Test(seal, renewing_is_by_the_first_key_and_once)
{
    struct key_ring *one = ring_make("one");
    struct key_ring *both = ring_make("two one");
    struct key_ring *two = ring_make("two");
    struct seal seal = seal_of(one, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);
    auto_char *fresh = NULL, *from_plain = NULL;

    cr_expect_null(renewed(&seal, stored));
    seal.secrets = both;
    fresh = renewed(&seal, stored);
    from_plain = renewed(&seal, CANONICAL);
    cr_expect_null(renewed(&seal, fresh));
    seal.secrets = two;
    cr_expect_null(strstr(from_plain, "s3cr"));
    assert_opens(&seal, fresh, CANONICAL);
    assert_opens(&seal, from_plain, CANONICAL);
    key_ring_close(one);
    key_ring_close(both);
    key_ring_close(two);
}

Test(seal, the_canonical_text_survives)
{
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);
    json_auto_t *messages = json_array();
    const struct config_rules rules = {.is_strict = false};
    char *value = NULL;
    json_t *json = NULL;

    cr_assert_eq(config_key_check(seal.key, VALUE, strlen(VALUE), &rules,
                                  messages, &json),
                 ERR_OK);
    cr_assert_eq(finish(seal.key, ERR_OK, json, &value), ERR_OK);
    cr_expect_str_eq(value, CANONICAL);
    auto_char *stored = sealed(&seal, value);
    assert_opens(&seal, stored, value);
    seal_free(value);
    seal_free(NULL);
    key_ring_close(secrets);
}

/* What is tried without memory, over and over. */
typedef enum err try_fn(const struct seal *seal, const char *stored,
                        char **text_out);

static enum err
try_value(const struct seal *seal, const char *stored, char **text_out)
{
    (void)stored;
    return text_close(seal, CANONICAL, strlen(CANONICAL), text_out);
}

static enum err
try_open(const struct seal *seal, const char *stored, char **text_out)
{
    struct seal_fault fault;

    return text_open(seal, stored, strlen(stored), text_out, &fault);
}

static enum err
try_renew(const struct seal *seal, const char *stored, char **text_out)
{
    struct seal_fault fault;

    return text_renew(seal, stored, strlen(stored), text_out, &fault);
}

static enum err
try_mask(const struct seal *seal, const char *stored, char **text_out)
{
    return text_mask(seal->key, stored, strlen(stored), text_out);
}

static enum err
try_keep(const struct seal *seal, const char *stored, char **text_out)
{
    (void)stored;
    return text_keep(seal->key, MASKED, strlen(MASKED), CANONICAL,
                     strlen(CANONICAL), text_out);
}

Test(seal, without_memory)
{
    static try_fn *const tries[] = {try_value, try_open, try_renew, try_mask,
                                    try_keep};
    struct key_ring *one = ring_make("one");
    struct key_ring *both = ring_make("two one");
    struct seal seal = seal_of(one, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);

    seal.secrets = both;
    for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
        unsigned n = 0;
        bool has_failed = true;

        for (; has_failed; n++) {
            char *text = NULL;
            enum err err;

            no_memory_after(n);
            err = tries[i](&seal, stored, &text);
            has_failed = no_memory_end();
            cr_assert_eq(err, has_failed ? ERR_NOMEM : ERR_OK, "%zu, %u", i, n);
            cr_assert_eq(text == NULL, has_failed);
            seal_free(text);
        }
        cr_expect_gt(n, 5, "%zu", i);
    }
    key_ring_close(one);
    key_ring_close(both);
}

/* Jansson does not wipe what it frees, so that the last one who has a secret
 * must; but not while another one has it. */
Test(seal, a_secret_that_is_shared_is_wiped_by_nobody)
{
    const struct config_key *key = config_key_find(HOOK);
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);
    json_t *value = json_loads(CANONICAL, 0, NULL);
    json_t *sealed_copy = json_copy(value), *masked_copy = json_copy(value);
    json_t *keeps = json_loads(MASKED, 0, NULL);
    const json_t *secret = json_object_get(value, "api_key");

    cr_assert_eq(seal_close(&seal, sealed_copy), ERR_OK);
    cr_assert_eq(seal_mask(key, masked_copy), ERR_OK);
    cr_assert_eq(seal_keep(key, keeps, value), ERR_OK);
    seal_drop(key, sealed_copy);
    seal_drop(key, masked_copy);
    seal_drop(key, json_incref(value));
    cr_expect_str_eq(json_string_value(secret), "s3cr\"et\xc3\xa9");
    seal_drop(key, value);
    cr_expect_str_eq(json_string_value(json_object_get(keeps, "api_key")),
                     "s3cr\"et\xc3\xa9");
    seal_drop(key, keeps);
    seal_drop(key, NULL);
    key_ring_close(secrets);
}
