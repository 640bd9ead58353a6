// SPDX-License-Identifier: MIT
#include "store_both.h"

#include "base/util.h"
#include "scratch.h"
#include "store/open.h"
#include "store_mem.h"

#include <stdio.h>
#include <string.h>

struct store *
open_keeping(const char *path, uint64_t history)
{
    struct store_options options = {
        .path = path,
        .map_size = 64 << 20,
        .history = history,
    };
    struct store *store = NULL;
    char why[512] = "";

    cr_assert_eq(store_open(&options, &store, why, sizeof(why)), ERR_OK, "%s",
                 why);
    return store;
}

void
run_over_lmdb(void (*body)(struct store *store), uint64_t history)
{
    char *scratch = scratch_make();
    auto_char *path = scratch_path(scratch, "db");
    struct store *store = open_keeping(path, history);

    body(store);
    store_close(store);
    scratch_remove(scratch);
}

void
run_over_memory(void (*body)(struct store *store), uint64_t history)
{
    struct store *store = store_mem_new();

    store_mem_keep(store, history);
    body(store);
    store_close(store);
}

uint64_t
stored(struct store *store, const char *tenant, const char *key,
       const char *text)
{
    struct store_write write = write_of(tenant, key, text);

    cr_assert_eq(store_commit_one(store, &write), ERR_OK);
    return write.version;
}

void
assert_write(struct store *store, struct store_write write, enum err result,
             uint64_t version)
{
    cr_expect_eq(store_commit_one(store, &write), result, "got %s",
                 err_name(write.result));
    cr_expect_eq(write.result, result);
    cr_expect_eq(write.version, version, "got %ju", (uintmax_t)write.version);
}

void
assert_value(struct store *store, const char *tenant, const char *key,
             uint64_t version, const char *text)
{
    struct record record = {.version = 99};

    cr_assert_eq(store_get(store, tenant, key, &record), ERR_OK);
    cr_expect_eq(record.version, version, "got %ju", (uintmax_t)record.version);
    cr_expect_eq(record.value_len, strlen(text));
    if (*text != '\0')
        cr_expect_str_eq(record.value, text);
    else
        cr_expect_null(record.value);
    record_clear(&record);
}

static struct store_write *
take_list(void *ctx)
{
    return ctx;
}

enum err
commit_all(struct store *store, struct store_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        writes[i].next = i + 1 < count ? &writes[i + 1] : NULL;
    return store_commit(store, take_list, count > 0 ? writes : NULL);
}

enum err
see_version(void *ctx, const struct record *record,
            const struct record_origin *origin)
{
    struct seen *seen = ctx;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%ju=%.*s(%s,%s) ",
             (uintmax_t)record->version, (int)record->value_len,
             record->value != NULL ? record->value : "", record->author,
             origin->request_id);
    return seen->limit > 0 && --seen->limit == 0 ? ERR_BUSY : ERR_OK;
}

void
assert_history(struct store *store, const char *key, uint64_t before,
               size_t limit, const char *expected)
{
    struct seen seen = {.text = ""};

    cr_expect_eq(
        store_history(store, "acme", key, before, limit, see_version, &seen),
        ERR_OK);
    cr_expect_str_eq(seen.text, expected);
}
