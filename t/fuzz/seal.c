// SPDX-License-Identifier: MIT
/* A stored webhook, with whatever stands in the place of its secret. */
#include "fuzz.h"

#include "base/util.h"
#include "json/decode.h"
#include "setting/change.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The corpus has values that this one sealed for acme. */
#define KEYS                                                                   \
    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"new\","                             \
    "\"k\":\"bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmU\"},"                  \
    "{\"kty\":\"oct\",\"kid\":\"fuzz\","                                       \
    "\"k\":\"ZnV6emZ1enpmdXp6ZnV6emZ1enpmdXp6ZnV6emZ1eno\"}]}"

static struct key_ring *
make_ring(void)
{
    struct key_ring *secrets = NULL;
    int fd = memfd_create("keys", 0);
    char path[32], why[512];

    FUZZ_CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
    FUZZ_CHECK(write(fd, KEYS, strlen(KEYS)) == (ssize_t)strlen(KEYS));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    FUZZ_CHECK(key_ring_open(path, &secrets, why, sizeof(why)) == ERR_OK);
    close(fd);
    return secrets;
}

/* The secret of a value that came out of the seal. */
static const json_t *
secret_of(const char *value, json_t **json_out)
{
    struct decode_fault fault;

    FUZZ_CHECK(decode_json(value, strlen(value), json_out, &fault) == ERR_OK);
    return json_object_get(*json_out, "api_key");
}

static void
check_opened(const struct seal *seal, const struct record *record)
{
    struct seal_fault fault;
    char *value = NULL;
    json_auto_t *json = NULL;
    enum err err = change_show(seal, CHANGE_REVEALED, record, &value, &fault);

    FUZZ_CHECK(err == ERR_OK || err == ERR_SEALED);
    FUZZ_CHECK((err == ERR_OK) == (value != NULL));
    if (err == ERR_OK) {
        const json_t *secret = secret_of(value, &json);

        FUZZ_CHECK(json_is_string(secret));
    } else {
        FUZZ_CHECK(fault.reason != NULL &&
                   strlen(fault.kid) <= KEY_RING_KID_MAX);
    }
    seal_free(value);
}

static char *
show(const struct seal *seal, const struct record *record)
{
    struct seal_fault fault;
    char *text = NULL;

    FUZZ_CHECK(change_show(seal, CHANGE_REVEALED, record, &text, &fault) ==
               ERR_OK);
    return text;
}

/* What is renewed opens to the same. */
static void
check_renewed(const struct seal *seal, const struct record *record)
{
    struct record fresh = {.version = record->version};
    struct seal_fault fault;
    char *before, *after, *again = NULL;
    json_auto_t *one = NULL;
    json_auto_t *other = NULL;

    if (change_renew(seal, record, &fresh.value, &fault) != ERR_OK ||
        fresh.value == NULL)
        return;
    fresh.value_len = strlen(fresh.value);
    before = show(seal, record);
    after = show(seal, &fresh);
    FUZZ_CHECK(json_equal(secret_of(before, &one), secret_of(after, &other)));
    seal_free(before);
    seal_free(after);
    FUZZ_CHECK(change_renew(seal, &fresh, &again, &fault) == ERR_OK);
    FUZZ_CHECK(again == NULL);
    free(fresh.value);
}

static void
check_masked(const struct seal *seal, const struct record *record)
{
    struct seal_fault fault;
    json_t *value = NULL;

    if (change_load(seal, CHANGE_MASKED, record, &value, &fault) != ERR_OK)
        return;
    FUZZ_CHECK(seal_is_masked(seal->key, value) ==
               (json_object_get(value, "api_key") != NULL));
    seal_drop(seal->key, value);
}

/* It takes whatever is there, and what it made is never in the clear. */
static void
check_kept(const struct seal *seal, const struct record *record)
{
    json_auto_t *value = json_pack("{s:s,s:s}", "url", "https://a.example/",
                                   "api_key", SEAL_MASK);
    const struct change change = {.seal = *seal,
                                  .value = value,
                                  .has_mask = true,
                                  .leaves_same = true,
                                  .view = CHANGE_MASKED};
    struct store_write write = {.base = STORE_ANY_VERSION};
    struct change_made made;
    json_auto_t *json = NULL;
    enum err err = change_make(&change, record, &write, &made);

    FUZZ_CHECK((err == ERR_OK) == (made.stored != NULL));
    if (err == ERR_OK) {
        const json_t *secret = secret_of(made.stored, &json);
        bool is_as_it_was =
            strlen(made.stored) == record->value_len &&
            memcmp(made.stored, record->value, record->value_len) == 0;

        FUZZ_CHECK(!json_is_string(secret) || seal->secrets == NULL ||
                   is_as_it_was);
        FUZZ_CHECK(write.base == record->version);
    }
    change_made_clear(&made);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct key_ring *secrets;
    struct seal seal = {.tenant = "acme"};
    /* A record may own its value; this one does not. */
    struct record record = {
        .version = 1, .value = (char *)(uintptr_t)data, .value_len = size};

    if (secrets == NULL)
        secrets = make_ring();
    seal.key = config_key_find("external_order_webhook");
    check_opened(&seal, &record);
    check_kept(&seal, &record);
    seal.secrets = secrets;
    check_opened(&seal, &record);
    check_renewed(&seal, &record);
    check_masked(&seal, &record);
    check_kept(&seal, &record);
    return 0;
}
