// SPDX-License-Identifier: MIT
#include "setting/etag.h"

#include "base/util.h"
#include "model/seal.h"

#include "lib/no_memory.h"
#include "lib/ring.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define TIMER "on_hold_timer_duration"
#define HOOK "external_order_webhook"
#define HOOK_VALUE(api_key)                                                    \
    "{\"url\":\"https://a.example/\",\"api_key\":\"" api_key                   \
    "\",\"timeout\":15}"

/* A record of layout 1, which has no write id; its value is static. */
static struct record
old_record(uint64_t version, int64_t updated_at, const char *value)
{
    union {
        const char *in;
        char *out;
    } text = {.in = value};

    return (struct record){
        .version = version,
        .updated_at = updated_at,
        .value = text.out,
        .value_len = value != NULL ? strlen(value) : 0,
    };
}

static void
assert_tag(const char *key, const struct record *record, const char *expected)
{
    char etag[ETAG_SIZE];

    cr_assert_eq(etag_of_record(config_key_find(key), record, etag), ERR_OK);
    cr_expect_str_eq(etag, expected);
}

Test(etag, of_a_version_is_its_number_and_write_id)
{
    struct record record = old_record(5, 1700000000, "10");
    struct store_write write = {.version = UINT64_MAX, .has_write_id = true};
    char etag[ETAG_SIZE];

    record.has_write_id = true;
    memcpy(record.write_id, "\x01\x23\x45\x67\x89\xab\xcd\xef????????", 16);
    assert_tag(TIMER, &record, "\"5-0123456789abcdef\"");
    record.value_len = 0; /* what unset the key is a version like any */
    assert_tag(TIMER, &record, "\"5-0123456789abcdef\"");

    memset(write.write_id, 0xff, sizeof(write.write_id));
    etag_of_write(&write, etag);
    cr_expect_str_eq(etag, "\"18446744073709551615-ffffffffffffffff\"");
    cr_expect_eq(strlen(etag), ETAG_SIZE - 1);
}

Test(etag, of_what_was_never_set)
{
    assert_tag(TIMER, &(struct record){0}, "\"0\"");
    assert_tag(HOOK, &(struct record){0}, "\"0\"");
}

/* They must stay: BLAKE2b-256 of version, time and value. */
Test(etag, of_a_version_without_a_write_id)
{
    struct record record = old_record(5, 1700000000, "10");

    assert_tag(TIMER, &record, "\"5-68dc25438c5eb78d\"");
    record.version = 4;
    assert_tag(TIMER, &record, "\"4-99fdb75b78162466\"");
    record.updated_at++;
    assert_tag(TIMER, &record, "\"4-021b6d59b3005747\"");
    record.value_len = 1;
    assert_tag(TIMER, &record, "\"4-3d5c077fbaed55c8\"");
    record = old_record(4, 1700000001, NULL);
    assert_tag(TIMER, &record, "\"4-3063d8479c19aee6\"");
}

/* By any key, in the clear, or masked: rekey and the reader change nothing. */
Test(etag, of_a_secret_without_a_write_id)
{
    static const char *const rings[] = {"one", "two one"};
    struct record record = old_record(2, 1700000000, HOOK_VALUE("s3cret"));
    char expected[ETAG_SIZE];

    cr_assert_eq(etag_of_record(config_key_find(HOOK), &record, expected),
                 ERR_OK);
    record = old_record(2, 1700000000, HOOK_VALUE(SEAL_MASK));
    assert_tag(HOOK, &record, expected);
    for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
        struct key_ring *secrets = ring_make(rings[i]);
        const struct seal seal = {secrets, "acme", config_key_find(HOOK)};
        auto_char *sealed = ring_seal(&seal, HOOK_VALUE("s3cret"));

        record = old_record(2, 1700000000, sealed);
        assert_tag(HOOK, &record, expected);
        key_ring_close(secrets);
    }
}

Test(etag, of_a_damaged_value)
{
    struct record record = old_record(2, 1700000000, "{\"url\":");

    assert_tag(HOOK, &record, "\"2-9a8d44857a513d2c\"");
}

Test(etag, of_all_changes_with_each)
{
    struct record records[CONFIG_KEYS_MAX] = {{.version = 0}};
    char etags[CONFIG_KEYS_MAX][ETAG_SIZE];
    char none[ETAG_SIZE], all[ETAG_SIZE];

    cr_assert_eq(etag_of_records(records, etags), ERR_OK);
    etag_of_all(etags, none);
    cr_expect_eq(strlen(none), 18);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        records[i] = (struct record){.version = 1, .has_write_id = true};
        cr_assert_eq(etag_of_records(records, etags), ERR_OK);
        cr_expect_str_eq(etags[i], "\"1-0000000000000000\"");
        etag_of_all(etags, all);
        cr_expect_str_neq(all, none);
        records[i] = (struct record){.version = 0};
    }
}

Test(etag, without_memory)
{
    struct record record = old_record(2, 1700000000, HOOK_VALUE("s3cret"));
    char etag[ETAG_SIZE];
    bool has_failed = true;
    unsigned n;

    for (n = 0; has_failed && n < 100; n++) {
        enum err err;

        no_memory_after(n);
        err = etag_of_record(config_key_find(HOOK), &record, etag);
        has_failed = no_memory_end();
        cr_expect_eq(err, has_failed ? ERR_NOMEM : ERR_OK);
    }
    cr_expect_gt(n, 1);
}
