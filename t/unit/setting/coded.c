// SPDX-License-Identifier: MIT
/* How often an import decodes and encodes: each line once, and what is there
 * only if its secret matters. */
#include "lib/coded.h"
#include "lib/ring.h"
#include "lib/store_both.h"
#include "setting/import.h"
#include "setting/setting.h"

#include <criterion/criterion.h>

#define TIMER                                                                  \
    "{\"tenant\":\"acme\",\"key\":\"on_hold_timer_duration\",\"value\":1}"
/* A default that is left out would be decoded from the schema. */
#define HOOK(secret)                                                           \
    "{\"tenant\":\"acme\",\"key\":\"external_order_webhook\",\"value\":{"      \
    "\"url\":\"https://a.example\",\"api_key\":" secret ",\"timeout\":15}}"

static void
never(void *ctx, const struct jsonl_setting *setting, enum err err)
{
    (void)ctx;
    cr_assert_fail("%s: %s", setting->key->name, err_name(err));
}

static void
assert_coded(unsigned decoded, unsigned encoded, unsigned measured)
{
    struct coded coded = coded_take();

    cr_expect_eq(coded.decoded, decoded, "decoded %u", coded.decoded);
    cr_expect_eq(coded.encoded, encoded, "encoded %u", coded.encoded);
    cr_expect_eq(coded.measured, measured, "measured %u", coded.measured);
}

/* Reads the line, as an import does in each of its two passes. */
static void
read_line(const struct key_ring *secrets, const char *line,
          struct import_tenant *tenant)
{
    json_auto_t *messages = json_array();
    FILE *stream = tmpfile();
    struct jsonl jsonl;

    cr_assert(stream != NULL && fputs(line, stream) >= 0);
    rewind(stream);
    cr_assert(jsonl_open(&jsonl, stream));
    jsonl.secrets = secrets;
    tenant->count = 1;
    cr_assert_eq(jsonl_read(&jsonl, messages, &tenant->settings[0]), ERR_OK);
    jsonl_close(&jsonl);
    fclose(stream);
}

/* One pass that checks, and one that stores. */
static void
import_line(struct store *store, const struct key_ring *secrets,
            const char *line, unsigned decoded, unsigned encoded,
            unsigned measured)
{
    const struct import_options options = {
        .store = store, .secrets = secrets, .refused = never};
    struct import *import = import_new(&options);
    struct record records[CONFIG_KEYS_MAX];
    const struct jsonl_setting *refused = NULL;
    struct import_tenant tenant = {.count = 0};

    cr_assert_eq(setting_list(store, "acme", records), ERR_OK);
    (void)coded_take();
    read_line(secrets, line, &tenant);
    cr_assert_eq(import_check(secrets, &tenant, records, &refused), ERR_OK);
    import_tenant_clear(&tenant);
    assert_coded(decoded, encoded, measured);
    read_line(secrets, line, &tenant);
    cr_assert_eq(import_add(import, &tenant), ERR_OK);
    cr_assert_eq(import_finish(import), ERR_OK);
    assert_coded(decoded, encoded, measured);
    import_free(import);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        record_clear(&records[i]);
}

STORE_TEST(a_line_is_decoded_once)
{
    struct key_ring *secrets = ring_make("one");

    import_line(store, secrets, TIMER, 1, 1, 0);
    import_line(store, secrets, TIMER, 1, 1, 0);
    import_line(store, secrets, HOOK("\"s3cret\""), 1, 1, 0);
    /* From here on, what is there is looked at. */
    import_line(store, secrets, HOOK("\"s3cret\""), 2, 0, 0);
    import_line(store, secrets, HOOK("\"other\""), 2, 1, 0);
    import_line(store, secrets, HOOK("\"********\""), 2, 0, 1);
    import_line(store, NULL, HOOK("\"********\""), 2, 0, 1);
    key_ring_close(secrets);
}

STORE_TEST(a_sealed_line_is_decoded_once)
{
    struct key_ring *secrets = ring_make("one");
    struct record record = {0};
    struct buf line = {0};

    import_line(store, secrets, HOOK("\"s3cret\""), 1, 1, 0);
    cr_assert_eq(store_get(store, "acme", "external_order_webhook", &record),
                 ERR_OK);
    cr_assert(jsonl_add(&line, "acme", "external_order_webhook", &record));
    line.data[line.len - 1] = '\0';
    import_line(store, secrets, line.data, 2, 0, 0);
    buf_clear(&line);
    record_clear(&record);
    key_ring_close(secrets);
}
