// SPDX-License-Identifier: MIT
/* The mask in place of a secret, and what it keeps. */
#include "model/seal.h"

#include "base/util.h"
#include "lib/ring.h"
#include "lib/seal_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void
assert_masked(const char *value)
{
    const struct config_key *key = config_key_find(HOOK);
    auto_char *masked = NULL;
    bool is_masked = false;

    cr_assert_eq(text_mask(key, value, strlen(value), &masked), ERR_OK);
    cr_expect_str_eq(masked, MASKED);
    cr_assert_eq(text_is_masked(key, value, strlen(value), &is_masked), ERR_OK);
    cr_expect_not(is_masked);
    cr_assert_eq(text_is_masked(key, masked, strlen(masked), &is_masked),
                 ERR_OK);
    cr_expect(is_masked);
}

Test(seal_mask, a_mask_hides_a_secret_open_or_sealed)
{
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);

    assert_masked(CANONICAL);
    assert_masked(stored);
    key_ring_close(secrets);
}

Test(seal_mask, a_kept_secret_takes_the_place_of_the_mask)
{
    const struct config_key *key = config_key_find(HOOK);
    const char *value = "{\"url\":\"https://a.example/b\","
                        "\"api_key\":\"********\",\"timeout\":1}";
    auto_char *kept = NULL;

    cr_assert_eq(text_keep(key, value, strlen(value), CANONICAL,
                           strlen(CANONICAL), &kept),
                 ERR_OK);
    cr_expect_str_eq(kept, "{\"url\":\"https://a.example/b\","
                           "\"api_key\":\"s3cr\\\"et\xc3\xa9\",\"timeout\":1}");
}

/* Whoever may not read it must not have it sent anywhere else. */
Test(seal_mask, a_kept_secret_goes_to_no_other_server)
{
    static const char *const values[] = {
        "{\"url\":\"https://b.example/\",\"api_key\":\"********\"}",
        "{\"url\":\"http://a.example/\",\"api_key\":\"********\"}",
        "{\"url\":\"mailto:a@a.example\",\"api_key\":\"********\"}",
        "{\"url\":7,\"api_key\":\"********\"}",
        "{\"api_key\":\"********\"}",
    };
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);
    auto_char *stored = sealed(&seal, CANONICAL);
    const char *const from[] = {CANONICAL, stored};

    for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(from); i++) {
        const char *value = values[i / 2];
        char *kept = NULL;

        cr_expect_eq(text_keep(seal.key, value, strlen(value), from[i % 2],
                               strlen(from[i % 2]), &kept),
                     ERR_DENIED, "%s", value);
        cr_expect_null(kept);
    }
    key_ring_close(secrets);
}

Test(seal_mask, every_secret_has_a_recipient_that_is_a_uri)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        const struct config_key *key = &config_keys[i];
        const struct schema_member *member = NULL;

        cr_assert_eq(key->secret == NULL, key->recipient == NULL);
        if (key->recipient != NULL)
            member = schema_find(&key->value, key->recipient);
        cr_assert(key->recipient == NULL ||
                  (member->is_required && member->schema.is_uri));
    }
}

/* A webhook with so many bytes in its URL and its secret; from malloc. */
static char *
make_large(int url, int secret)
{
    char *text = NULL;

    cr_assert_gt(asprintf(&text,
                          "{\"url\":\"a://b/%0*d\",\"api_key\":\"%0*d\","
                          "\"timeout\":15}",
                          url, 0, secret, 0),
                 0);
    return text;
}

static char *
make_masked(int url)
{
    char *text = NULL;

    cr_assert_gt(asprintf(&text,
                          "{\"url\":\"a://b/%0*d\",\"api_key\":\"" SEAL_MASK
                          "\",\"timeout\":15}",
                          url, 0),
                 0);
    return text;
}

/* In the clear to the byte, and a little more if it is sealed. */
Test(seal_mask, what_is_kept_is_no_larger_than_what_is_sent)
{
    static const char frame[] = "{\"url\":\"a://b/\",\"api_key\":\"\","
                                "\"timeout\":15}";
    const int room = CONFIG_VALUE_MAX - (int)strlen(frame);
    struct key_ring *secrets = ring_make("one");
    struct seal seal = seal_of(secrets, "acme", HOOK);
    auto_char *secret = make_large(1, room - 1000);
    auto_char *stored = sealed(&seal, secret);
    const char *const from[] = {secret, secret, stored, stored};
    const int urls[] = {1000, 1001, 1000, 1300};

    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        auto_char *value = make_masked(urls[i]);
        char *kept = NULL;
        enum err err = text_keep(seal.key, value, strlen(value), from[i],
                                 strlen(from[i]), &kept);

        cr_expect_eq(err, i % 2 == 0 ? ERR_OK : ERR_TOOBIG, "%zu", i);
        cr_expect_eq(kept != NULL, i % 2 == 0);
        if (i == 0)
            cr_expect_eq(strlen(kept), CONFIG_VALUE_MAX);
        seal_free(kept);
    }
    key_ring_close(secrets);
}
