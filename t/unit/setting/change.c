// SPDX-License-Identifier: MIT
/* Values on their way into the store. */
#include "setting/change.h"

#include "base/util.h"
#include "lib/no_memory.h"
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

TestSuite(change, .init = set_up, .fini = tear_down);

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

enum keys { NO_KEYS, KEYS, OTHER_KEYS };

enum stored { NOTHING, UNSET, OPEN, SEALED };

enum expected { AS_OPEN, AS_SEALED, AS_RECORD };

/* What is made of a value over what is there, which has the secret "old". */
static const struct {
    const char *value;
    enum stored stored;
    enum keys keys;
    bool has_mask, leaves_same;
    enum err err;
    enum expected expected;
    const char *opened; /* what was made, opened; NULL: it cannot be */
} cases[] = {
    /* A new secret takes the place of any. */
    {VALUE("new"), NOTHING, NO_KEYS, true, false, ERR_OK, AS_OPEN,
     VALUE("new")},
    {VALUE("new"), UNSET, KEYS, true, false, ERR_OK, AS_SEALED, VALUE("new")},
    {VALUE("new"), OPEN, NO_KEYS, true, false, ERR_OK, AS_OPEN, VALUE("new")},
    {VALUE("new"), OPEN, KEYS, true, false, ERR_OK, AS_SEALED, VALUE("new")},
    {VALUE("new"), SEALED, KEYS, true, false, ERR_OK, AS_SEALED, VALUE("new")},
    {VALUE("new"), SEALED, OTHER_KEYS, true, false, ERR_OK, AS_SEALED,
     VALUE("new")},
    {VALUE("new"), SEALED, OTHER_KEYS, true, true, ERR_OK, AS_SEALED,
     VALUE("new")},
    /* But a sealed one not by one in the clear. */
    {VALUE("new"), SEALED, NO_KEYS, true, false, ERR_SEALED, AS_OPEN, NULL},
    {VALUE("new"), SEALED, NO_KEYS, true, true, ERR_SEALED, AS_OPEN, NULL},
    /* The mask keeps what is there. */
    {VALUE("********"), NOTHING, KEYS, true, false, ERR_UNSET, AS_OPEN, NULL},
    {VALUE("********"), UNSET, KEYS, true, true, ERR_UNSET, AS_OPEN, NULL},
    {VALUE("********"), OPEN, NO_KEYS, true, false, ERR_OK, AS_OPEN,
     VALUE("old")},
    {VALUE("********"), OPEN, KEYS, true, false, ERR_OK, AS_SEALED,
     VALUE("old")},
    {VALUE("********"), SEALED, KEYS, true, false, ERR_OK, AS_SEALED,
     VALUE("old")},
    {VALUE_AT("https://a.example/b", "********"), SEALED, KEYS, true, false,
     ERR_OK, AS_SEALED, VALUE_AT("https://a.example/b", "old")},
    {VALUE("********"), SEALED, NO_KEYS, true, false, ERR_SEALED, AS_OPEN,
     NULL},
    {VALUE("********"), SEALED, OTHER_KEYS, true, false, ERR_SEALED, AS_OPEN,
     NULL},
    {VALUE_AT("https://b.example", "********"), OPEN, KEYS, true, false,
     ERR_DENIED, AS_OPEN, NULL},
    {VALUE_AT("https://b.example", "********"), SEALED, KEYS, true, true,
     ERR_DENIED, AS_OPEN, NULL},
    /* Nobody has seen a mask: it is a secret like any. */
    {VALUE("********"), NOTHING, KEYS, false, false, ERR_OK, AS_SEALED,
     VALUE("********")},
    {VALUE_AT("https://b.example", "********"), SEALED, KEYS, false, false,
     ERR_OK, AS_SEALED, VALUE_AT("https://b.example", "********")},
    /* What is the same stays as it is, opened or not. */
    {VALUE("old"), OPEN, NO_KEYS, true, true, ERR_OK, AS_RECORD, VALUE("old")},
    {VALUE("old"), OPEN, KEYS, true, true, ERR_OK, AS_RECORD, VALUE("old")},
    {VALUE("old"), SEALED, KEYS, true, true, ERR_OK, AS_RECORD, VALUE("old")},
    {VALUE("********"), OPEN, KEYS, true, true, ERR_OK, AS_RECORD,
     VALUE("old")},
    {VALUE("********"), SEALED, KEYS, true, true, ERR_OK, AS_RECORD,
     VALUE("old")},
    {VALUE("********"), SEALED, NO_KEYS, true, true, ERR_OK, AS_RECORD, NULL},
    {VALUE("********"), SEALED, OTHER_KEYS, true, true, ERR_OK, AS_RECORD,
     NULL},
    {VALUE_AT("https://a.example/b", "********"), SEALED, NO_KEYS, true, true,
     ERR_OK, AS_SEALED, NULL},
};

/* What is there, with the secret "old". */
static struct record
current_of(enum stored stored)
{
    const struct seal seal = seal_of(one, HOOK);

    switch (stored) {
    case OPEN:
        return record_of(strdup(VALUE("old")));
    case SEALED:
        return record_of(ring_seal(&seal, VALUE("old")));
    case UNSET:
        return (struct record){.version = 2};
    default:
        return (struct record){.version = 0};
    }
}

static const struct key_ring *
secrets_of(enum keys keys)
{
    if (keys == NO_KEYS)
        return NULL;
    return keys == KEYS ? one : two;
}

/* What was stored, and what is shown of it. */
static void
check_made(size_t i, const struct change *change, const struct record *current,
           const struct change_made *made)
{
    struct record stored = record_of(made->stored);
    struct seal_fault fault;
    auto_char *opened = NULL;

    cr_expect_eq(
        strstr(made->stored, "\"sealed\"") != NULL,
        cases[i].expected == AS_SEALED ||
            (cases[i].expected == AS_RECORD && cases[i].stored == SEALED),
        "%zu: %s", i, made->stored);
    if (cases[i].expected == AS_RECORD)
        cr_expect_str_eq(made->stored, current->value, "%zu", i);
    (void)change_show(&change->seal, CHANGE_REVEALED, &stored, &opened, &fault);
    if (cases[i].opened != NULL)
        cr_expect_str_eq(opened, cases[i].opened, "%zu: %s", i, opened);
    else
        cr_expect_null(opened);
    if (change->view == CHANGE_UNSEEN) {
        cr_expect_null(made->shown);
    } else if (change->view == CHANGE_REVEALED) {
        cr_expect_str_eq(made->shown, cases[i].opened, "%zu", i);
    } else {
        cr_expect_null(strstr(made->shown, "old"), "%zu: %s", i, made->shown);
        cr_expect_not_null(strstr(made->shown, SEAL_MASK), "%zu: %s", i,
                           made->shown);
    }
}

static void
check_case(size_t i, enum change_view view)
{
    json_auto_t *value = json_loads(cases[i].value, 0, NULL);
    json_auto_t *before = json_deep_copy(value);
    struct record current = current_of(cases[i].stored);
    const struct change change = {
        .seal = seal_of(secrets_of(cases[i].keys), HOOK),
        .value = value,
        .has_mask = cases[i].has_mask,
        .leaves_same = cases[i].leaves_same,
        .view = view,
    };
    struct store_write write = {.base = STORE_ANY_VERSION};
    struct change_made made;
    enum err err = change_make(&change, &current, &write, &made);

    cr_assert_eq(err, cases[i].err, "%zu: %s", i, err_name(err));
    cr_expect(json_equal(value, before), "%zu", i);
    cr_expect_eq(write.value, made.stored);
    if (err == ERR_OK) {
        check_made(i, &change, &current, &made);
        cr_expect_eq(write.value_len, strlen(made.stored));
        cr_expect_str_eq(write.key, HOOK);
        cr_expect_str_eq(write.tenant, "acme");
    } else {
        cr_expect_null(made.stored);
        cr_expect_null(made.shown);
    }
    change_made_clear(&made);
    record_clear(&current);
}

Test(change, what_is_made_over_what_is_there)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_case(i, CHANGE_UNSEEN);
        if (cases[i].leaves_same)
            continue;
        check_case(i, CHANGE_MASKED);
        check_case(i, CHANGE_REVEALED);
    }
}

Test(change, what_has_no_secret_is_one_text)
{
    json_auto_t *value = json_loads("{\"enabled\":true}", 0, NULL);
    struct change change = {.seal = seal_of(one, "external_oms"),
                            .value = value,
                            .has_mask = true,
                            .view = CHANGE_MASKED};
    const struct record current = {.version = 7};
    struct store_write write = {.base = STORE_ANY_VERSION};
    struct change_made made;

    cr_assert_eq(change_make(&change, &current, &write, &made), ERR_OK);
    cr_expect_str_eq(made.stored, "{\"enabled\":true}");
    cr_expect_eq(made.shown, made.stored);
    cr_expect_eq(write.base, STORE_ANY_VERSION);
    cr_expect_not(write.once);
    change_made_clear(&made);
    change.seal = seal_of(one, "sales_order_generator_sequence");
    cr_assert_eq(change_make(&change, &current, &write, &made), ERR_OK);
    cr_expect(write.once);
    change_made_clear(&made);
    change.value = NULL;
    cr_assert_eq(change_make(&change, &current, &write, &made), ERR_OK);
    cr_expect_null(made.stored);
    cr_expect_null(made.shown);
    cr_expect_eq(write.value_len, 0);
    cr_expect_not(write.once);
    change_made_clear(&made);
}

/* Another one could have a sealed secret by then, or none. */
Test(change, what_depends_on_what_is_there_is_based_on_it)
{
    static const struct {
        const char *secret;
        bool has_keys, leaves_same, is_based;
    } rows[] = {
        {"new", true, false, false},
        {"new", false, false, true},
        {"********", true, false, true},
        {"old", true, true, true},
    };
    struct record current = record_of(strdup(VALUE("old")));

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_auto_t *value =
            json_pack("{s:s,s:s,s:i}", "url", "https://a.example", "api_key",
                      rows[i].secret, "timeout", 15);
        const struct change change = {
            .seal = seal_of(rows[i].has_keys ? one : NULL, HOOK),
            .value = value,
            .has_mask = true,
            .leaves_same = rows[i].leaves_same,
        };
        struct store_write write = {.base = STORE_ANY_VERSION,
                                    .lost = ERR_PRECOND};
        struct change_made made;

        cr_assert_eq(change_make(&change, &current, &write, &made), ERR_OK);
        cr_expect_eq(write.base,
                     rows[i].is_based ? current.version : STORE_ANY_VERSION,
                     "%zu", i);
        cr_expect_eq(write.lost, rows[i].is_based ? ERR_CONFLICT : ERR_PRECOND);
        change_made_clear(&made);
        write.base = current.version;
        write.lost = ERR_PRECOND;
        cr_assert_eq(change_make(&change, &current, &write, &made), ERR_OK);
        cr_expect_eq(write.base, current.version);
        cr_expect_eq(write.lost, ERR_PRECOND);
        change_made_clear(&made);
    }
    record_clear(&current);
}

/* A dry one has the results, and the version stays. */
Test(change, what_would_be_stored_is_judged)
{
    static char stored[] = "{\"start\":1}";
    static const struct {
        const char *value;
        enum err result;
        bool is_new_time;
    } rows[] = {
        {stored, ERR_OK, false}, /* it is set to that already */
        {"{\"start\":2}", ERR_INVALID, false},
        {NULL, ERR_OK, true}, /* it may be unset */
    };
    struct record current = record_of(stored);

    current.updated_at = 7;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_auto_t *value =
            rows[i].value != NULL ? json_loads(rows[i].value, 0, NULL) : NULL;
        const struct change change = {
            .seal = seal_of(NULL, "sales_order_generator_sequence"),
            .value = value,
            .is_dry = true,
        };
        struct store_write write = {.base = STORE_ANY_VERSION};
        struct change_made made;

        cr_assert_eq(change_make(&change, &current, &write, &made), ERR_OK);
        cr_expect_eq(write.result, rows[i].result, "%zu", i);
        cr_expect_eq(write.version, current.version);
        cr_expect_eq(write.updated_at > 7, rows[i].is_new_time, "%zu", i);
        cr_expect_not(write.is_new);
        change_made_clear(&made);
    }
}

/* Before it is said that the mask has nothing to keep. */
Test(change, another_version_than_its_base_comes_first)
{
    json_auto_t *value = json_loads(VALUE("********"), 0, NULL);
    const struct change change = {
        .seal = seal_of(one, HOOK), .value = value, .has_mask = true};
    const struct record current = {.version = 3};
    struct store_write write = {.base = 2, .lost = ERR_PRECOND};
    struct change_made made;

    cr_expect_eq(change_make(&change, &current, &write, &made), ERR_PRECOND);
    cr_expect_eq(write.result, ERR_PRECOND);
    cr_expect_eq(write.version, 3);
    cr_expect_null(made.stored);
}

static enum err
make_kept(enum change_view view, const struct record *current,
          struct change_made *made_out)
{
    json_auto_t *value = NULL;
    struct store_write write = {.base = STORE_ANY_VERSION};
    struct change change = {
        .seal = seal_of(one, HOOK), .has_mask = true, .view = view};

    no_memory_pause(true);
    value = json_loads(VALUE_AT("HTTPS://a.example/b", "********"), 0, NULL);
    no_memory_pause(false);
    change.value = value;
    return change_make(&change, current, &write, made_out);
}

/* Nothing is left out: least of all the seal. */
Test(change, without_memory)
{
    static const enum change_view views[] = {CHANGE_UNSEEN, CHANGE_MASKED,
                                             CHANGE_REVEALED};
    struct record current = current_of(SEALED);

    for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
        bool has_failed = true;
        unsigned n = 0;

        for (; has_failed; n++) {
            struct change_made made;
            enum err err;

            no_memory_after(n);
            err = make_kept(views[i], &current, &made);
            has_failed = no_memory_end();
            cr_assert_eq(err, has_failed ? ERR_NOMEM : ERR_OK, "%zu, %u", i, n);
            cr_expect(err != ERR_OK ||
                      strstr(made.stored, "\"sealed\"") != NULL);
            change_made_clear(&made);
        }
        cr_expect_gt(n, 5);
    }
    record_clear(&current);
}
