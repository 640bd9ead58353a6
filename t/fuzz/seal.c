// SPDX-License-Identifier: MIT
/* A stored webhook, with whatever stands in the place of its secret. */
#include "fuzz.h"

#include "base/util.h"
#include "json/decode.h"
#include "model/seal.h"

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

static struct secrets *
make_ring(void)
{
    struct secrets *secrets = NULL;
    int fd = memfd_create("keys", 0);
    char path[32], why[512];

    FUZZ_CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
    FUZZ_CHECK(write(fd, KEYS, strlen(KEYS)) == (ssize_t)strlen(KEYS));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    FUZZ_CHECK(secrets_open(path, &secrets, why, sizeof(why)) == ERR_OK);
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
check_opened(const struct seal *seal, const char *stored, size_t len)
{
    struct seal_fault fault;
    char *value = NULL;
    json_auto_t *json = NULL;
    enum err err = seal_open(seal, stored, len, &value, &fault);

    FUZZ_CHECK(err == ERR_OK || err == ERR_SEALED);
    FUZZ_CHECK((err == ERR_OK) == (value != NULL));
    if (err == ERR_OK) {
        const json_t *secret = secret_of(value, &json);

        FUZZ_CHECK(json_is_string(secret));
    } else {
        FUZZ_CHECK(fault.reason != NULL &&
                   strlen(fault.kid) <= SECRETS_KID_MAX);
    }
    seal_free(value);
}

/* What is renewed opens to the same. */
static void
check_renewed(const struct seal *seal, const char *stored, size_t len)
{
    struct seal_fault fault;
    char *fresh = NULL, *before = NULL, *after = NULL;
    json_auto_t *one = NULL;
    json_auto_t *other = NULL;

    if (seal_renew(seal, stored, len, &fresh, &fault) != ERR_OK ||
        fresh == NULL)
        return;
    FUZZ_CHECK(seal_open(seal, stored, len, &before, &fault) == ERR_OK);
    FUZZ_CHECK(seal_open(seal, fresh, strlen(fresh), &after, &fault) == ERR_OK);
    FUZZ_CHECK(json_equal(secret_of(before, &one), secret_of(after, &other)));
    seal_free(before);
    seal_free(after);
    before = NULL;
    FUZZ_CHECK(seal_renew(seal, fresh, strlen(fresh), &before, &fault) ==
               ERR_OK);
    FUZZ_CHECK(before == NULL);
    free(fresh);
}

static void
check_masked(const struct seal *seal, const char *stored, size_t len)
{
    char *masked = NULL;
    json_auto_t *json = NULL;
    bool is_masked = false;

    if (seal_mask(seal->key, stored, len, &masked) != ERR_OK)
        return;
    FUZZ_CHECK(seal_is_masked(seal->key, masked, strlen(masked), &is_masked) ==
               ERR_OK);
    FUZZ_CHECK(is_masked == (secret_of(masked, &json) != NULL));
    free(masked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct secrets *secrets;
    struct seal seal = {.tenant = "acme"};
    const char *stored = (const char *)data;

    if (secrets == NULL)
        secrets = make_ring();
    seal.key = config_key_find("external_order_webhook");
    check_opened(&seal, stored, size);
    seal.secrets = secrets;
    check_opened(&seal, stored, size);
    check_renewed(&seal, stored, size);
    check_masked(&seal, stored, size);
    return 0;
}
