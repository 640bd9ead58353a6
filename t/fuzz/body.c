// SPDX-License-Identifier: MIT
/* A request body. The first byte chooses the key, and its high bit is
 * handling=strict. */
#include "fuzz.h"

#include "base/util.h"
#include "model/config_keys.h"

#include <string.h>

static enum err
parse(const struct config_key *key, const char *body, size_t len,
      bool is_strict, char **value_out)
{
    const struct config_rules rules = {.is_strict = is_strict};
    json_auto_t *messages = json_array();
    json_auto_t *parsed = NULL;
    enum err err = config_key_parse(key, body, len, &rules, messages, &parsed);
    const json_t *message;
    size_t i, size;

    FUZZ_CHECK(err == ERR_OK || err == ERR_BADREQ || err == ERR_INVALID);
    FUZZ_CHECK((err == ERR_OK) == (json_array_size(messages) == 0));
    json_array_foreach(messages, i, message)
        FUZZ_CHECK(strstr(json_string_value(message), ": ") != NULL);
    if (err == ERR_OK) {
        FUZZ_CHECK(config_key_encode(parsed, value_out) == ERR_OK);
        FUZZ_CHECK(config_key_measure(parsed, &size) == ERR_OK &&
                   size == strlen(*value_out));
        FUZZ_CHECK(strlen(*value_out) <= len + 64); /* CONFIG_VALUE_MAX */
    }
    return err;
}

/* The body is good, and its value is this one. */
static void
check_parses_to(const struct config_key *key, const char *body, size_t len,
                bool is_strict, const char *value)
{
    auto_char *again = NULL;

    FUZZ_CHECK(parse(key, body, len, is_strict, &again) == ERR_OK);
    FUZZ_CHECK(strcmp(again, value) == 0);
}

/* What was stored is what is read, and can be stored again. */
static void
check_value(const struct config_key *key, const char *value)
{
    size_t len = strlen(value), body_len;
    /* Any time: a record from disk may hold what it likes. */
    int64_t updated_at = (int64_t)hash_bytes(value, len);
    auto_char *body = config_key_render(key, value, len, updated_at, &body_len);
    json_auto_t *answer =
        json_loadb(body, body_len, JSON_REJECT_DUPLICATES, NULL);
    json_auto_t *read =
        json_loadb(value, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    auto_char *strict = NULL;
    int strict_len = asprintf(&strict, "{\"value\":%s}", value);

    FUZZ_CHECK(read != NULL && strict_len > 0);
    FUZZ_CHECK(json_equal(json_object_get(answer, "value"), read));
    FUZZ_CHECK(json_string_length(json_object_get(answer, "updated_at")) == 20);
    check_parses_to(key, body, body_len, false, value);
    check_parses_to(key, strict, (size_t)strict_len, true, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config_key *key;
    const char *body;
    bool is_strict;
    enum err err;

    if (size == 0)
        return 0;
    key = &config_keys[(data[0] & 0x7f) % CONFIG_KEYS_MAX];
    is_strict = (data[0] & 0x80) != 0;
    body = (const char *)data + 1;
    size--;

    auto_char *value = NULL;
    json_auto_t *read =
        json_loadb(body, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    err = parse(key, body, size, is_strict, &value);
    if (err == ERR_OK) {
        check_value(key, value);
        check_parses_to(key, body, size, false, value);
    }
    /* Jansson reads the same bodies, but for a NUL that it passes over. */
    if (memchr(body, '\0', size) != NULL)
        FUZZ_CHECK(err == ERR_BADREQ);
    else
        FUZZ_CHECK(err == ERR_INVALID || (err == ERR_OK) == (read != NULL));
    return 0;
}
