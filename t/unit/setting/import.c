// SPDX-License-Identifier: MIT
/* Imports over the store in memory, with others who write meanwhile. */
#include "setting/import.h"

#include "base/util.h"
#include "lib/store_both.h"
#include "model/tenant.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const char timer[] = "on_hold_timer_duration";
static const char big[] = "big_sales_order";
static const char sequence[] = "sales_order_generator_sequence";

/* What was refused, as "tenant/key:error ". */
static char refusals[256];

static void
note(void *ctx, const struct jsonl_setting *setting, enum err err)
{
    size_t len = strlen(refusals);

    (void)ctx;
    snprintf(refusals + len, sizeof(refusals) - len, "%s/%s:%s ",
             setting->tenant, setting->key->name, err_name(err));
}

static struct import *
import_to(struct store *store)
{
    const struct import_options options = {.store = store,
                                           .subject = "importer",
                                           .request_id = "i-1",
                                           .refused = note};
    struct import *import = import_new(&options);

    cr_assert_not_null(import);
    return import;
}

static void
add_setting(struct import_tenant *to, const char *tenant, const char *key,
            const char *value)
{
    struct jsonl_setting *setting = &to->settings[to->count++];

    *setting = (struct jsonl_setting){
        .key = config_key_find(key),
        .value = json_loads(value, JSON_DECODE_ANY, NULL),
        .size = strlen(value)};
    cr_assert_not_null(setting->value, "%s", value);
    memcpy(setting->tenant, tenant, strlen(tenant) + 1);
}

/* One tenant's timer and limit. */
static enum err
add_two(struct import *import, const char *tenant, const char *first,
        const char *second)
{
    struct import_tenant both = {.count = 0};

    add_setting(&both, tenant, big, first);
    add_setting(&both, tenant, timer, second);
    return import_add(import, &both);
}

static void
assert_counts(const struct import *import, uint64_t tenants, uint64_t stored,
              uint64_t unchanged)
{
    const struct import_counts *counts = import_counts(import);

    cr_expect_eq(counts->tenants, tenants, "%ju", (uintmax_t)counts->tenants);
    cr_expect_eq(counts->stored, stored, "%ju", (uintmax_t)counts->stored);
    cr_expect_eq(counts->unchanged, unchanged, "%ju",
                 (uintmax_t)counts->unchanged);
}

STORE_TEST(many_tenants_are_stored_a_batch_at_a_time)
{
    struct import *import = import_to(store);
    char tenant[16];
    int count = 3 * IMPORT_BATCH_TENANTS + 1;

    for (int i = 0; i < count; i++) {
        snprintf(tenant, sizeof(tenant), "%d", i); /* a value, too */
        cr_assert_eq(add_two(import, tenant, "{\"a\":1}", tenant), ERR_OK);
    }
    assert_value(store, "0", timer, 1, "0");
    assert_value(store, tenant, timer, 0, ""); /* not yet */
    cr_assert_eq(import_finish(import), ERR_OK);
    for (int i = 0; i < count; i++) {
        snprintf(tenant, sizeof(tenant), "%d", i);
        assert_value(store, tenant, timer, 1, tenant);
        assert_value(store, tenant, big, 1, "{\"a\":1}");
    }
    assert_counts(import, (uint64_t)count, 2 * (uint64_t)count, 0);
    cr_expect_str_empty(refusals);
    import_free(import);
}

STORE_TEST(the_history_has_the_author)
{
    struct import *import = import_to(store);

    cr_assert_eq(add_two(import, "acme", "1", "2"), ERR_OK);
    cr_assert_eq(import_finish(import), ERR_OK);
    assert_history(store, timer, 0, 9, "1=2(importer,i-1) ");
    import_free(import);
}

STORE_TEST(what_is_there_already_is_left_alone)
{
    struct import *import = import_to(store);

    stored(store, "acme", big, "1");
    stored(store, "brio", big, "1");
    stored(store, "brio", timer, "2");
    cr_assert_eq(add_two(import, "acme", "1", "2"), ERR_OK);
    cr_assert_eq(add_two(import, "brio", "1", "2"), ERR_OK);
    cr_assert_eq(import_finish(import), ERR_OK);
    assert_value(store, "acme", big, 1, "1");
    assert_value(store, "acme", timer, 1, "2");
    assert_value(store, "brio", timer, 1, "2");
    assert_counts(import, 1, 1, 3);
    import_free(import);
}

STORE_TEST(a_tenant_that_is_refused_is_left_as_a_whole)
{
    struct import *import = import_to(store);
    struct import_tenant tenant = {.count = 0};

    stored(store, "acme", sequence, "{\"start\":1}");
    add_setting(&tenant, "acme", big, "1");
    add_setting(&tenant, "acme", sequence, "{\"start\":2}");
    cr_assert_eq(import_add(import, &tenant), ERR_OK);
    cr_assert_eq(add_two(import, "brio", "1", "2"), ERR_OK);
    cr_assert_eq(import_finish(import), ERR_OK);
    cr_expect_str_eq(refusals,
                     "acme/sales_order_generator_sequence:validation_failed ");
    assert_value(store, "acme", big, 0, "");
    assert_value(store, "acme", sequence, 1, "{\"start\":1}");
    assert_value(store, "brio", big, 1, "1");
    assert_counts(import, 1, 2, 0);
    import_free(import);
}

STORE_TEST(it_is_known_before_what_would_be_refused)
{
    struct record records[CONFIG_KEYS_MAX];
    const struct jsonl_setting *refused = NULL;
    struct import_tenant tenant = {.count = 0};

    memset(records, 0, sizeof(records));
    (void)store;
    add_setting(&tenant, "acme", big, "1");
    add_setting(&tenant, "acme", sequence, "{}");
    cr_expect_eq(import_check(NULL, &tenant, records, &refused), ERR_OK);
    records[config_key_find(sequence) - config_keys] =
        (struct record){.version = 1, .value = strdup("{}"), .value_len = 2};
    records[config_key_find(big) - config_keys] =
        (struct record){.version = 1, .value = strdup("2"), .value_len = 1};
    cr_expect_eq(import_check(NULL, &tenant, records, &refused), ERR_OK);
    records[config_key_find(sequence) - config_keys].value[1] = ']';
    cr_expect_eq(import_check(NULL, &tenant, records, &refused), ERR_INVALID);
    cr_expect_eq(refused, &tenant.settings[1]);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&records[i]);
    import_tenant_clear(&tenant);
}

/* A store in which somebody else writes before each commit. */
struct busy {
    struct store store;
    struct store_ops ops;
    struct store *inner;
    int others; /* how many commits are overtaken */
};

static enum err
commit_late(struct store *store, store_take_fn *take, void *ctx)
{
    struct busy *busy = (struct busy *)store;
    char text[16];

    if (busy->others > 0) {
        snprintf(text, sizeof(text), "%d", 1000 + busy->others--);
        (void)stored(busy->inner, "acme", big, text);
    }
    return store_commit(busy->inner, take, ctx);
}

static enum err
list_inner(struct store *store, const char *tenant, store_visit_fn *visit,
           void *ctx)
{
    return store_list(((struct busy *)store)->inner, tenant, visit, ctx);
}

static struct busy
busy_of(struct store *inner, int others)
{
    return (struct busy){.ops = {.commit = commit_late, .list = list_inner},
                         .inner = inner,
                         .others = others};
}

STORE_TEST(who_is_overtaken_tries_again)
{
    struct busy busy = busy_of(store, 3);
    struct import *import = import_to(&busy.store);

    busy.store.ops = &busy.ops;
    stored(store, "acme", big, "1");
    cr_assert_eq(add_two(import, "acme", "1", "2"), ERR_OK); /* big: the same */
    cr_assert_eq(import_finish(import), ERR_OK);
    cr_expect_str_empty(refusals);
    /* The others' values are replaced in the end: first it was the same, and
     * then no longer. */
    assert_value(store, "acme", timer, 1, "2");
    cr_expect_eq(busy.others, 1);
    assert_value(store, "acme", big, 4, "1");
    assert_counts(import, 1, 2, 0);
    import_free(import);
}

STORE_TEST(an_error_of_the_store_ends_it)
{
    static char long_tenant[TENANT_MAX + 1];
    struct busy busy = busy_of(store, 0);
    struct import *import = import_to(&busy.store);

    memset(long_tenant, 'x', sizeof(long_tenant) - 1);
    busy.store.ops = &busy.ops;
    cr_assert_eq(add_two(import, long_tenant, "1", "2"), ERR_OK);
    cr_expect_eq(import_finish(import), ERR_OK);
    cr_assert_eq(add_two(import, "", "1", "2"), ERR_OK); /* no name */
    cr_expect_eq(import_finish(import), ERR_INVALID);
    cr_expect_str_empty(refusals);
    import_free(import);
}
