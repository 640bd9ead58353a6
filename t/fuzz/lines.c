// SPDX-License-Identifier: MIT
/* A file for `orderconf import`. */
#include "fuzz.h"

#include "base/util.h"
#include "setting/jsonl.h"

#include <string.h>

/* Reads all lines; gives the last setting, which the caller clears. */
static struct jsonl_setting
read_all(const char *text, size_t len, uint64_t *lines_out)
{
    struct jsonl_setting last = {.value = NULL}, setting;
    json_t *messages = json_array();
    FILE *stream = fmemopen((char *)(uintptr_t)text, len, "r");
    struct jsonl jsonl;
    size_t size;
    enum err err;

    FUZZ_CHECK(stream != NULL && jsonl_open(&jsonl, stream));
    while ((err = jsonl_read(&jsonl, messages, &setting)) != ERR_NOTFOUND) {
        FUZZ_CHECK(err == ERR_OK || err == ERR_INVALID);
        FUZZ_CHECK((err == ERR_OK) == (json_array_size(messages) == 0));
        json_array_clear(messages);
        if (err != ERR_OK)
            continue;
        FUZZ_CHECK(setting.line == jsonl.number && setting.key != NULL);
        FUZZ_CHECK(config_key_measure(setting.value, &size) == ERR_OK &&
                   size <= CONFIG_VALUE_MAX);
        jsonl_setting_clear(&last);
        last = setting;
    }
    FUZZ_CHECK(jsonl.offset == len);
    *lines_out = jsonl.number;
    fclose(stream);
    jsonl_close(&jsonl);
    json_decref(messages);
    return last;
}

/* What was read is written as a line that reads the same. */
static void
check_again(const struct jsonl_setting *setting)
{
    struct record record = {.version = setting->version + 1};
    struct jsonl_setting again;
    struct buf line = {0};
    uint64_t lines;

    FUZZ_CHECK(config_key_encode(setting->value, &record.value) == ERR_OK);
    record.value_len = strlen(record.value);
    FUZZ_CHECK(jsonl_add(&line, setting->tenant, setting->key->name, &record));
    again = read_all(line.data, line.len, &lines);
    FUZZ_CHECK(lines == 1 && again.key != NULL);
    FUZZ_CHECK(jsonl_compare(setting, &again) == 0);
    FUZZ_CHECK(json_equal(setting->value, again.value));
    jsonl_setting_clear(&again);
    free(record.value);
    buf_clear(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jsonl_setting last;
    uint64_t lines;

    if (size == 0)
        return 0;
    last = read_all((const char *)data, size, &lines);
    if (last.key != NULL && last.version < INT64_MAX)
        check_again(&last);
    jsonl_setting_clear(&last);
    return 0;
}
