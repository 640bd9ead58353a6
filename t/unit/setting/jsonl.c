// SPDX-License-Identifier: MIT
#include "setting/jsonl.h"

#include "base/util.h"
#include "lib/ring.h"
#include "model/seal.h"

#include <criterion/criterion.h>
#include <string.h>

static json_t *messages;

static void
set_up(void)
{
    messages = json_array();
}

static void
tear_down(void)
{
    json_decref(messages);
}

TestSuite(jsonl, .init = set_up, .fini = tear_down);

static FILE *
stream_of(const char *text, size_t len)
{
    FILE *stream = tmpfile();

    cr_assert_not_null(stream);
    cr_assert_eq(fwrite(text, 1, len, stream), len);
    rewind(stream);
    return stream;
}

/* Reads the only line, and says what it is: "tenant key value version", or all
 * that is wrong with it. */
static const char *
read_one(const char *text, size_t len)
{
    static char said[1024];
    struct jsonl_setting setting;
    struct jsonl jsonl;
    enum err err;

    cr_assert(jsonl_open(&jsonl, stream_of(text, len)));
    json_array_clear(messages);
    err = jsonl_read(&jsonl, messages, &setting);
    said[0] = '\0';
    if (err == ERR_OK) {
        auto_char *value = NULL;

        cr_assert_eq(config_key_encode(setting.value, &value), ERR_OK);
        snprintf(said, sizeof(said), "%s %s %s %ju", setting.tenant,
                 setting.key->name, value, (uintmax_t)setting.version);
        cr_expect_eq(setting.size, len - (text[len - 1] == '\n'));
        cr_expect_eq(setting.line, 1);
        jsonl_setting_clear(&setting);
    } else {
        cr_expect_eq(err, ERR_INVALID);
        for (size_t i = 0; i < json_array_size(messages); i++)
            snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s",
                     i > 0 ? "; " : "",
                     json_string_value(json_array_get(messages, i)));
    }
    fclose(jsonl.stream);
    jsonl_close(&jsonl);
    return said;
}

#define assert_read(text, expected)                                            \
    cr_expect_str_eq(read_one(text, strlen(text)), expected)

Test(jsonl, a_record_is_written_and_read)
{
    char value[] = "{\"enabled\":true}";
    const struct record record = {.version = 3,
                                  .updated_at = 1795325981,
                                  .value = value,
                                  .value_len = strlen(value)};
    struct buf text = {0};

    cr_assert(jsonl_add(&text, "acme", "external_oms", &record));
    cr_assert(buf_add(&text, "", 1));
    cr_expect_str_eq(text.data,
                     "{\"tenant\":\"acme\",\"key\":\"external_oms\",\"value\":"
                     "{\"enabled\":true},\"version\":3,"
                     "\"updated_at\":\"2026-11-22T05:39:41Z\"}\n");
    cr_expect_str_eq(read_one(text.data, text.len - 1),
                     "acme external_oms {\"enabled\":true} 3");
    buf_clear(&text);
}

Test(jsonl, lines_are_counted_and_the_last_needs_no_break)
{
    static const char text[] =
        "{\"tenant\":\"a\",\"key\":\"on_hold_timer_duration\",\"value\":1}\n"
        "\n"
        "{\"tenant\":\"b\",\"key\":\"on_hold_timer_duration\",\"value\":2}";
    struct jsonl_setting setting;
    struct jsonl jsonl;

    cr_assert(jsonl_open(&jsonl, stream_of(text, strlen(text))));
    cr_expect_eq(jsonl_read(&jsonl, messages, &setting), ERR_OK);
    jsonl_setting_clear(&setting);
    cr_expect_eq(jsonl_read(&jsonl, messages, &setting), ERR_INVALID);
    cr_expect_eq(jsonl.number, 2);
    cr_expect_eq(jsonl_read(&jsonl, messages, &setting), ERR_OK);
    cr_expect_str_eq(setting.tenant, "b");
    cr_expect_eq(setting.line, 3);
    cr_expect_eq(setting.version, 0);
    jsonl_setting_clear(&setting);
    cr_expect_eq(jsonl.offset, strlen(text));
    cr_expect_eq(jsonl_read(&jsonl, messages, &setting), ERR_NOTFOUND);
    fclose(jsonl.stream);
    jsonl_close(&jsonl);
}

Test(jsonl, a_value_becomes_what_a_post_makes_of_it)
{
    assert_read("{\"value\":{\"x\":1,\"soft_limit_for_big_orders\":2e1},"
                "\"key\":\"big_sales_order\",\"tenant\":\"a\"}",
                "a big_sales_order {\"soft_limit_for_big_orders\":20} 0");
}

Test(jsonl, all_that_is_wrong_is_said)
{
    assert_read("{\"tenant\":\"A\",\"key\":7,\"version\":0,\"updated_at\":1}",
                "tenant: must be of a-z, 0-9 and hyphens, no hyphen first or "
                "last, at most 63 characters; "
                "key: must be the name of a config key; "
                "value: is required; "
                "version: must be an integer from 1; "
                "updated_at: must be a string");
    assert_read("{\"tenant\":\"a\",\"key\":\"external_oms\",\"value\":{}}",
                "value.enabled: is required");
    assert_read("[1]", "must be an object");
    assert_read("{\"tenant\":\"a\"",
                "is not valid JSON: unexpected end at column 13");
}

Test(jsonl, what_cannot_be_text_is_wrong)
{
    static const char with_nul[] = "{\"tenant\":\"a\"}\0 ";

    cr_expect_str_eq(read_one(with_nul, sizeof(with_nul)),
                     "holds a NUL character at column 15");
    cr_expect_str_eq(read_one("\xff\xfe", 2),
                     "is not valid JSON: bad UTF-8 at column 1");
}

Test(jsonl, a_line_has_a_largest_size)
{
    size_t len = JSONL_LINE_MAX + 1;
    char *text = malloc(len);

    memset(text, ' ', len);
    cr_expect_str_eq(read_one(text, len), "is longer than 131072 bytes");
    cr_expect_str_eq(read_one(text, len - 1),
                     "is not valid JSON: unexpected end at column 131072");
    free(text);
}

Test(jsonl, the_order_is_that_of_the_store)
{
    const struct jsonl_setting sorted[] = {
        {.tenant = "acme", .key = config_key_find("big_sales_order")},
        {.tenant = "acme", .key = config_key_find("external_oms")},
        {.tenant = "acme-2", .key = config_key_find("big_sales_order")},
        {.tenant = "acme2", .key = config_key_find("big_sales_order")},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
        for (size_t j = 0; j < ARRAY_SIZE(sorted); j++) {
            int order = jsonl_compare(&sorted[i], &sorted[j]);

            cr_expect_eq((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

/* A webhook with a secret of so many characters; says how it was read. */
static const char *
read_secret(const char *character, int count)
{
    char *text = NULL;
    const char *said;

    cr_assert_gt(asprintf(&text,
                          "{\"tenant\":\"a\",\"key\":\"external_order_webhook\""
                          ",\"value\":{\"url\":\"a:b\",\"timeout\":1,"
                          "\"api_key\":\"%*s\"}}",
                          count * (int)strlen(character), ""),
                 0);
    for (int i = 0; i < count; i++)
        memcpy(strchr(text, ' '), character, strlen(character));
    said = read_one(text, strlen(text));
    free(text);
    return said;
}

/* As large as a POST can make it, and not a byte more. */
Test(jsonl, a_value_has_a_largest_size)
{
    static const char frame[] = "{\"url\":\"a:b\",\"api_key\":\"\","
                                "\"timeout\":1}";
    const int room = CONFIG_VALUE_MAX - (int)strlen(frame);
    const char *refusal = "value: must be at most 65600 bytes";

    cr_expect_neq(strcmp(read_secret("x", room), refusal), 0);
    cr_expect_str_eq(read_secret("x", room + 1), refusal);
    cr_expect_neq(strcmp(read_secret("\\u0001", room / 6), refusal), 0);
    cr_expect_str_eq(read_secret("\\u0001", room / 6 + 1), refusal);
}

/* What is short while it is sealed need not be so when it is opened. */
Test(jsonl, a_sealed_value_is_measured_when_it_is_open)
{
    struct key_ring *secrets = ring_make("one");
    const struct seal seal = {secrets, "a",
                              config_key_find("external_order_webhook")};
    char controls[CONFIG_VALUE_MAX / 6 + 1];
    json_t *value;
    struct buf line = {0};
    struct record record = {.version = 1};
    struct jsonl_setting setting;
    struct jsonl jsonl;

    memset(controls, 1, sizeof(controls) - 1);
    controls[sizeof(controls) - 1] = '\0';
    value = json_pack("{s:s,s:s,s:i}", "url", "a:b", "api_key", controls,
                      "timeout", 1);
    cr_assert_eq(seal_close(&seal, value), ERR_OK);
    cr_assert_eq(config_key_encode(value, &record.value), ERR_OK);
    record.value_len = strlen(record.value);
    cr_assert(jsonl_add(&line, "a", seal.key->name, &record));
    cr_assert_lt(line.len, CONFIG_VALUE_MAX / 3);
    cr_assert(jsonl_open(&jsonl, stream_of(line.data, line.len)));
    jsonl.secrets = secrets;
    cr_expect_eq(jsonl_read(&jsonl, messages, &setting), ERR_INVALID);
    cr_expect_str_eq(json_string_value(json_array_get(messages, 0)),
                     "value: must be at most 65600 bytes");
    fclose(jsonl.stream);
    jsonl_close(&jsonl);
    buf_clear(&line);
    record_clear(&record);
    seal_drop(seal.key, value);
    key_ring_close(secrets);
}
