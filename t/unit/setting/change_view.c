// SPDX-License-Identifier: MIT
/* Values on their way out of the store. */
#include "setting/change.h"

#include "base/util.h"
#include "lib/ring.h"

#include <criterion/criterion.h>

#define HOOK "external_order_webhook"
#define VALUE_AT(url, secret)                                                  \
    "{\"url\":\"" url "\",\"api_key\":\"" secret "\",\"timeout\":15}"
#define VALUE(secret) VALUE_AT("https://a.example", secret)

static struct key_ring *one, *two;

static void
set_up(void)
{
    one = ring_make("one");
    two = ring_make("two");
}

static void
tear_down(void)
{
    key_ring_close(one);
    key_ring_close(two);
}

TestSuite(change_view, .init = set_up, .fini = tear_down);

static struct seal
seal_of(const struct key_ring *secrets, const char *key)
{
    return (struct seal){secrets, "acme", config_key_find(key)};
}

/* A record that is set to this; its value is the caller's. */
static struct record
record_of(char *value)
{
    return (struct record){
        .version = 3, .value = value, .value_len = strlen(value)};
}

/* expected NULL: ERR_SEALED. */
static void
assert_shown(const struct key_ring *secrets, enum change_view view,
             char *stored, const char *expected)
{
    const struct seal seal = seal_of(secrets, HOOK);
    const struct record record = record_of(stored);
    struct seal_fault fault;
    char *text = NULL;
    enum err err = change_show(&seal, view, &record, &text, &fault);

    cr_expect_eq(err, expected != NULL ? ERR_OK : ERR_SEALED, "%d of %s", view,
                 stored);
    if (expected != NULL)
        cr_expect_str_eq(text, expected, "%d of %s: %s", view, stored, text);
    else
        cr_expect_null(text);
    seal_free(text);
}

Test(change_view, views_of_a_secret)
{
    static char open[] = VALUE("s3cret");
    static char malformed[] = "{\"url\":\"https://a.example\",\"api_key\":7}";
    static char cut[] = "{\"url\":";
    const struct seal seal = seal_of(one, HOOK);
    auto_char *sealed = ring_seal(&seal, open);
    const char *masked = VALUE("********");
    const struct {
        char *stored;
        const struct key_ring *secrets;
        const char *revealed, *masked, *proven, *portable;
    } cases[] = {
        {open, one, open, masked, masked, masked},
        {open, NULL, open, masked, masked, masked},
        {sealed, one, open, masked, masked, sealed},
        {sealed, NULL, NULL, masked, NULL, sealed},
        {sealed, two, NULL, masked, NULL, sealed},
        {malformed, one, NULL,
         "{\"url\":\"https://a.example\",\"api_key\":\"********\"}", NULL,
         malformed},
        {cut, one, NULL, NULL, NULL, cut},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct key_ring *secrets = cases[i].secrets;
        char *stored = cases[i].stored;

        assert_shown(secrets, CHANGE_REVEALED, stored, cases[i].revealed);
        assert_shown(secrets, CHANGE_MASKED, stored, cases[i].masked);
        assert_shown(secrets, CHANGE_PROVEN, stored, cases[i].proven);
        assert_shown(secrets, CHANGE_PORTABLE, stored, cases[i].portable);
    }
    assert_shown(one, CHANGE_COMPARED, sealed, open);
    assert_shown(two, CHANGE_COMPARED, sealed, sealed);
    assert_shown(one, CHANGE_COMPARED, open, open);
}

Test(change_view, a_record_is_shown_in_place)
{
    const struct seal seal = seal_of(NULL, HOOK);
    struct record record = record_of(strdup(VALUE("s3cret")));
    struct record unset = {.version = 4};
    struct seal_fault fault;

    cr_assert_eq(change_show_record(&seal, CHANGE_MASKED, &record, &fault),
                 ERR_OK);
    cr_expect_str_eq(record.value, VALUE("********"));
    cr_expect_eq(record.value_len, strlen(record.value));
    cr_assert_eq(change_show_record(&seal, CHANGE_PROVEN, &unset, &fault),
                 ERR_OK);
    cr_expect_null(unset.value);
    record_clear(&record);
}

Test(change_view, what_has_no_secret_is_shown_as_it_is)
{
    static char stored[] = "{ \"enabled\":true}"; /* it is not even looked at */
    const struct seal seal = seal_of(one, "external_oms");
    const struct record record = record_of(stored);
    struct seal_fault fault;
    auto_char *text = NULL;

    cr_assert_eq(change_show(&seal, CHANGE_MASKED, &record, &text, &fault),
                 ERR_OK);
    cr_expect_str_eq(text, stored);
}

Test(change_view, a_mask_compares_as_any_secret)
{
    static const struct {
        const char *one, *other;
        bool is_same;
    } cases[] = {
        {VALUE("a"), VALUE("a"), true},
        {VALUE("a"), VALUE("b"), false},
        {VALUE("a"), VALUE("********"), true},
        {VALUE("********"), VALUE("a"), true},
        {VALUE("********"), VALUE("********"), true},
        {VALUE("********"), VALUE_AT("https://b.example", "a"), false},
        {VALUE("********"), "{\"api_key\":\"a\"}", false},
        {"{\"api_key\":\"********\"}", VALUE("a"), false},
        {VALUE("********"),
         "{\"url\":\"https://a.example\",\"api_key\":{\"sealed\":1},"
         "\"timeout\":15}",
         true},
    };
    const struct config_key *key = config_key_find(HOOK);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_auto_t *first = json_loads(cases[i].one, 0, NULL);
        json_auto_t *second = json_loads(cases[i].other, 0, NULL);

        cr_expect_eq(change_is_same(key, first, second), cases[i].is_same,
                     "%zu", i);
        cr_expect_not(change_is_same(key, first, NULL));
        cr_expect_not(change_is_same(key, NULL, second));
    }
}

Test(change_view, what_is_renewed_is_sealed_by_the_first_key)
{
    struct key_ring *both = ring_make("two one");
    struct seal seal = seal_of(both, HOOK);
    const struct seal old = seal_of(one, HOOK);
    struct record current = record_of(ring_seal(&old, VALUE("old")));
    struct record fresh = {.version = 3};
    struct seal_fault fault;
    char *again = NULL;

    cr_assert_eq(change_renew(&seal, &current, &fresh.value, &fault), ERR_OK);
    fresh.value_len = strlen(fresh.value);
    cr_expect_not_null(strstr(fresh.value, "\"kid\":\"two\""));
    cr_assert_eq(change_renew(&seal, &fresh, &again, &fault), ERR_OK);
    cr_expect_null(again);
    record_clear(&current);
    record_clear(&fresh);
    key_ring_close(both);
}

/* What is said of one that is not made. */

Test(change_view, what_is_wrong_is_explained)
{
    const struct config_key *key = config_key_find(HOOK);
    json_auto_t *messages = json_array();

    cr_expect_eq(change_explain(key, ERR_SEALED, messages), ERR_OK);
    cr_expect_eq(change_explain(key, ERR_NOMEM, messages), ERR_OK);
    cr_expect_eq(json_array_size(messages), 0);
    cr_expect_eq(change_explain(key, ERR_UNSET, messages), ERR_INVALID);
    cr_expect_eq(change_explain(key, ERR_DENIED, messages), ERR_INVALID);
    cr_expect_eq(change_explain(key, ERR_TOOBIG, messages), ERR_INVALID);
    cr_expect_str_eq(json_string_value(json_array_get(messages, 2)),
                     "value: must be at most 65600 bytes together with the "
                     "stored api_key");
}
