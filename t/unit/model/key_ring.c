// SPDX-License-Identifier: MIT
#include "model/key_ring.h"

#include "base/file.h"
#include "base/util.h"
#include "lib/no_memory.h"
#include "lib/ring.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>

#define K "b25lb25lb25lb25lb25lb25lb25lb25lb25lb25lb24"

static const struct key_ring_place place = {"acme", "hook", "api_key"};

static char *scratch;
static char *path;

static void
set_up(void)
{
    scratch = scratch_make();
    path = scratch_path(scratch, "secrets.json");
}

static void
tear_down(void)
{
    free(path);
    scratch_remove(scratch);
}

TestSuite(secrets_file, .init = set_up, .fini = tear_down);

static void
write_file(const char *text, mode_t mode)
{
    cr_assert_null(file_replace(path, text, mode));
}

/* The file is refused with what stands behind its path here. */
static void
assert_refused(const char *expected)
{
    struct key_ring *secrets = NULL;
    char why[512] = "";

    cr_expect_eq(key_ring_open(path, &secrets, why, sizeof(why)), ERR_INVALID,
                 "%s", expected);
    cr_expect_null(secrets);
    cr_assert_eq(strncmp(why, path, strlen(path)), 0, "%s", why);
    cr_expect_str_eq(why + strlen(path), expected);
}

static void
assert_text_refused(const char *text, const char *expected)
{
    write_file(text, 0600);
    assert_refused(expected);
}

Test(secrets_file, must_be_there_and_a_file)
{
    assert_refused(": No such file or directory");
    cr_assert_eq(mkdir(path, 0700), 0);
    assert_refused(": is not a regular file");
}

Test(secrets_file, must_not_be_open_to_others)
{
    auto_char *text = ring_text("one");
    struct key_ring *secrets = NULL;
    char why[512];

    for (mode_t other = 1; other <= 7; other++) {
        char expected[128];

        write_file(text, 0640 | other);
        snprintf(
            expected, sizeof(expected),
            ": is open to others (mode %04o); the mode must be 0640 or less",
            0640u | (unsigned)other);
        assert_refused(expected);
    }
    for (size_t i = 0; i < 3; i++) {
        write_file(text, (const mode_t[]){0400, 0600, 0640}[i]);
        cr_assert_eq(key_ring_open(path, &secrets, why, sizeof(why)), ERR_OK);
        key_ring_close(secrets);
    }
}

Test(secrets_file, must_be_json_of_some_size)
{
    char *large = calloc(1, (1 << 16) + 2);

    assert_text_refused("", ":1:1: is not valid JSON: unexpected end");
    assert_text_refused("{\n \"keys\": x", ":2:10: is not valid JSON: syntax "
                                           "error");
    assert_text_refused("{\"keys\":[],\"keys\":[]}",
                        ":1:17: names a member twice");
    memset(large, ' ', (1 << 16) + 1);
    assert_text_refused(large, ": is larger than 65536 bytes");
    free(large);
}

Test(secrets_file, must_hold_fit_keys)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"[]", ": keys: must be an array with at least one key"},
        {"{\"keys\":{}}", ": keys: must be an array with at least one key"},
        {"{\"keys\":[]}", ": keys: must be an array with at least one key"},
        {"{\"keys\":[7]}", ": keys[0]: must be an object"},
        {"{\"keys\":[{\"kid\":\"a\",\"k\":\"" K "\"}]}",
         ": keys[0].kty: must be \"oct\""},
        {"{\"keys\":[{\"kty\":\"EC\",\"kid\":\"a\",\"k\":\"" K "\"}]}",
         ": keys[0].kty: must be \"oct\""},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"" K "\"}]}",
         ": keys[0].kid: must be a text of 1 to 64 bytes"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"\",\"k\":\"" K "\"}]}",
         ": keys[0].kid: must be a text of 1 to 64 bytes"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\""
         "0123456789012345678901234567890123456789012345678901234567890123x"
         "\",\"k\":\"" K "\"}]}",
         ": keys[0].kid: must be a text of 1 to 64 bytes"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" K "\"},"
         "{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" K "\"}]}",
         ": keys[1].kid: another key has the same kid"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\"}]}",
         ": keys[0].k: must be 32 bytes in base64url"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" K "A\"}]}",
         ": keys[0].k: must be 32 bytes in base64url"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" K "=\"}]}",
         ": keys[0].k: must be 32 bytes in base64url"},
        {"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"c2hvcnQ\"}]}",
         ": keys[0].k: must be 32 bytes in base64url"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_text_refused(cases[i].text, cases[i].expected);
}

Test(secrets_file, holds_a_limited_number_of_keys)
{
    char kids[512] = "";
    struct key_ring *secrets;

    for (int i = 0; i < KEY_RING_KEYS_MAX; i++)
        snprintf(kids + strlen(kids), sizeof(kids) - strlen(kids), "k%d ", i);
    secrets = ring_make(kids);
    cr_expect_str_eq(key_ring_kid(secrets), "k0");
    key_ring_close(secrets);

    snprintf(kids + strlen(kids), sizeof(kids) - strlen(kids), "another");
    auto_char *text = ring_text(kids);
    assert_text_refused(text, ": keys: must have at most 32 elements");
}

Test(secrets_file, may_say_more_than_is_asked)
{
    struct key_ring *secrets = NULL;
    char why[512];

    write_file("{\"note\":1,\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\","
               "\"use\":\"enc\",\"k\":\"" K "\"}]}",
               0600);
    cr_assert_eq(key_ring_open(path, &secrets, why, sizeof(why)), ERR_OK);
    key_ring_close(secrets);
    key_ring_close(NULL);
}

static enum err
unseal(const struct key_ring *secrets, const struct key_ring_place *where,
       const char *kid, const char *data)
{
    char *text = NULL;
    size_t len;
    enum err err = key_ring_unseal(secrets, where, kid, data, &text, &len);

    cr_expect_eq(err == ERR_OK, text != NULL);
    free(text);
    return err;
}

static void
assert_opens(const struct key_ring *secrets, const char *kid, const char *data,
             const char *expected, size_t expected_len)
{
    char *text = NULL;
    size_t len = 0;

    cr_assert_eq(key_ring_unseal(secrets, &place, kid, data, &text, &len),
                 ERR_OK);
    cr_expect_eq(len, expected_len);
    cr_expect_arr_eq(text, expected, expected_len + 1);
    free(text);
}

Test(secrets, what_is_sealed_opens)
{
    struct key_ring *secrets = ring_make("one two");
    char large[70000] = "";

    memset(large, 'x', sizeof(large) - 1);
    for (size_t len = 0; len < sizeof(large); len = len * 3 + 1) {
        auto_char *text = strndup(large, len);
        auto_char *data = key_ring_seal(secrets, &place, text, len);

        cr_expect_null(strstr(data, "xxxxx"));
        assert_opens(secrets, "one", data, text, len);
    }
    key_ring_close(secrets);
}

Test(secrets, sealing_twice_gives_two_texts)
{
    struct key_ring *secrets = ring_make("one");
    auto_char *data = key_ring_seal(secrets, &place, "s3cret", 6);
    auto_char *again = key_ring_seal(secrets, &place, "s3cret", 6);

    cr_expect_str_neq(data, again);
    cr_expect_neq(strncmp(data, again, 32), 0, "the nonce is the same");
    key_ring_close(secrets);
}

/* By libsodium alone: the format is as it is said to be. */
Test(secrets, the_format_is_the_documented_one)
{
    static const unsigned char bound[] = "orderconf secret 1\0acme\0hook\0"
                                         "api_key";
    struct key_ring *secrets = ring_make("one");
    auto_char *data = key_ring_seal(secrets, &place, "s3cret", 6);
    unsigned char key[32], bytes[24 + 6 + 16], text[6];
    unsigned long long text_len;
    size_t len;

    cr_assert_eq(sodium_base642bin(
                     key, 32, "oneoneoneoneoneoneoneoneoneoneoneoneoneoneA", 43,
                     NULL, NULL, NULL,
                     sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                 0);
    cr_assert_eq(sodium_base642bin(bytes, sizeof(bytes), data, strlen(data),
                                   NULL, &len, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                 0);
    cr_assert_eq(len, sizeof(bytes));
    cr_assert_eq(crypto_aead_xchacha20poly1305_ietf_decrypt(
                     text, &text_len, NULL, bytes + 24, sizeof(bytes) - 24,
                     bound, sizeof(bound), bytes, key),
                 0);
    cr_expect_arr_eq(text, "s3cret", 6);
    key_ring_close(secrets);
}

Test(secrets, any_key_of_the_ring_opens)
{
    struct key_ring *old = ring_make("one");
    struct key_ring *both = ring_make("two one");
    struct key_ring *fresh = ring_make("two");
    auto_char *by_one = key_ring_seal(old, &place, "s3cret", 6);
    auto_char *by_two = key_ring_seal(both, &place, "s3cret", 6);

    cr_expect_str_eq(key_ring_kid(both), "two");
    assert_opens(both, "one", by_one, "s3cret", 6);
    assert_opens(both, "two", by_two, "s3cret", 6);
    assert_opens(fresh, "two", by_two, "s3cret", 6);
    cr_expect_eq(unseal(fresh, &place, "one", by_one), ERR_NOTFOUND);
    cr_expect_eq(unseal(both, &place, "two", by_one), ERR_INVALID);
    key_ring_close(old);
    key_ring_close(both);
    key_ring_close(fresh);
}

Test(secrets, another_key_of_the_same_kid_does_not)
{
    struct key_ring *secrets = ring_make("one");
    struct key_ring *other = ring_make("one/other");
    auto_char *data = key_ring_seal(secrets, &place, "s3cret", 6);

    cr_expect_eq(unseal(other, &place, "one", data), ERR_INVALID);
    key_ring_close(secrets);
    key_ring_close(other);
}

Test(secrets, nowhere_else_does_it_open)
{
    static const struct key_ring_place others[] = {
        {"acme2", "hook", "api_key"}, {"acm", "ehook", "api_key"},
        {"acme", "hooks", "api_key"}, {"acme", "hook", "api_ke"},
        {"acme", "hook", ""},         {"", "hook", "api_key"},
    };
    struct key_ring *secrets = ring_make("one");
    auto_char *data = key_ring_seal(secrets, &place, "s3cret", 6);

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        cr_expect_eq(unseal(secrets, &others[i], "one", data), ERR_INVALID,
                     "%zu", i);
    cr_expect_eq(unseal(secrets, &place, "one", data), ERR_OK);
    key_ring_close(secrets);
}

Test(secrets, nothing_that_was_changed_opens)
{
    struct key_ring *secrets = ring_make("one");
    auto_char *data = key_ring_seal(secrets, &place, "s3cret", 6);
    size_t len = strlen(data);

    for (size_t i = 0; i < len; i++) {
        char kept = data[i];

        data[i] = kept == 'A' ? 'B' : 'A';
        cr_expect_eq(unseal(secrets, &place, "one", data), ERR_INVALID, "%zu",
                     i);
        data[i] = '!';
        cr_expect_eq(unseal(secrets, &place, "one", data), ERR_INVALID, "%zu",
                     i);
        data[i] = '\0';
        cr_expect_eq(unseal(secrets, &place, "one", data), ERR_INVALID, "%zu",
                     i);
        data[i] = kept;
    }
    cr_expect_eq(unseal(secrets, &place, "one", data), ERR_OK);
    key_ring_close(secrets);
}

/* With the n-th allocation failing, for every n until none does. */
Test(secrets, without_memory)
{
    struct key_ring *secrets = ring_make("one");
    char *data = NULL, *text = NULL;
    unsigned failures = 0, n = 0;
    size_t len;

    for (bool has_failed = true; has_failed; n++) {
        no_memory_after(n);
        data = key_ring_seal(secrets, &place, "s3cret", 6);
        has_failed = no_memory_end();
        cr_assert_eq(data == NULL, has_failed);
        failures += has_failed;
    }
    cr_expect_gt(failures, 2);
    for (bool has_failed = true; has_failed; n++) {
        enum err err;

        if (failures > 0)
            n = failures = 0;
        no_memory_after(n);
        err = key_ring_unseal(secrets, &place, "one", data, &text, &len);
        has_failed = no_memory_end();
        cr_assert_eq(err, has_failed ? ERR_NOMEM : ERR_OK);
    }
    cr_expect_gt(n, 3);
    free(text);
    free(data);
    key_ring_close(secrets);
}

Test(secrets_file, without_memory)
{
    auto_char *text = ring_text("one two");
    struct key_ring *secrets = NULL;
    unsigned n = 0;

    write_file(text, 0600);
    for (bool has_failed = true; has_failed; n++) {
        char why[512] = "";
        enum err err;

        no_memory_after(n);
        err = key_ring_open(path, &secrets, why, sizeof(why));
        has_failed = no_memory_end();
        cr_assert_eq(err, has_failed ? ERR_NOMEM : ERR_OK, "%u: %s", n, why);
        if (has_failed)
            cr_assert_not_null(strstr(why, ": out of memory"));
    }
    cr_expect_gt(n, 1);
    key_ring_close(secrets);
}

static bool is_protection_refused;

/* libsodium's, for one that the system refuses. */
int
sodium_mprotect_readonly(void *memory)
{
    int (*real)(void *);

    *(void **)&real = dlsym(RTLD_NEXT, "sodium_mprotect_readonly");
    return is_protection_refused ? -1 : real(memory);
}

Test(secrets_file, without_memory_to_protect_it)
{
    auto_char *text = ring_text("one");
    struct key_ring *secrets = NULL;
    char why[512] = "";

    write_file(text, 0600);
    is_protection_refused = true;
    cr_expect_eq(key_ring_open(path, &secrets, why, sizeof(why)), ERR_NOMEM);
    cr_expect_null(secrets);
    cr_expect_not_null(strstr(why, ": out of memory"));
}
