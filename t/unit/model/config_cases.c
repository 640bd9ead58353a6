// SPDX-License-Identifier: MIT
/* Every body of t/data. */
#include "model/config_keys.h"

#include "base/util.h"
#include "lib/no_memory.h"
#include "lib/outcome.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* A file's bytes, from malloc, with a NUL after them. */
static char *
slurp(const char *path, size_t *len_out)
{
    FILE *file = fopen(path, "rb");
    size_t size = 1 << 17;
    char *bytes = malloc(size);
    size_t len;

    cr_assert(file != NULL && bytes != NULL, "cannot read %s", path);
    len = fread(bytes, 1, size - 1, file);
    cr_assert(feof(file), "%s is too long", path);
    fclose(file);
    bytes[len] = '\0';
    *len_out = len;
    return bytes;
}

static void
assert_good(const struct config_key *key, const char *path, const char *body,
            size_t len, const char *expected, bool is_strict)
{
    struct outcome outcome = parse_bytes(key, body, len, is_strict);
    auto_char *problems = outcome_lines(outcome.messages);

    cr_expect_eq(outcome.err, ERR_OK, "%s: refused: %s", path, problems);
    cr_expect_str_empty(problems, "%s: %s", path, problems);
    cr_assert_not_null(outcome.value, "%s", path);
    cr_expect_eq(strlen(outcome.value) + 1, strlen(expected), "%s", path);
    cr_expect_eq(strncmp(outcome.value, expected, strlen(outcome.value)), 0,
                 "%s: %s", path, outcome.value);
    outcome_clear(&outcome);
}

static void
assert_bad(const struct config_key *key, const char *path, const char *body,
           size_t len, const char *expected, bool is_strict)
{
    struct outcome outcome = parse_bytes(key, body, len, is_strict);
    auto_char *problems = outcome_lines(outcome.messages);

    cr_expect(outcome.err == ERR_BADREQ || outcome.err == ERR_INVALID,
              "%s: err %d", path, outcome.err);
    cr_expect_null(outcome.value, "%s", path);
    cr_expect_str_eq(problems, expected, "%s: %s", path, problems);
    outcome_clear(&outcome);
}

typedef void assert_case_fn(const struct config_key *key, const char *path,
                            const char *body, size_t len, const char *expected,
                            bool is_strict);

/* Runs every NAME.json of t/data/KEY/kind against NAME.json.expected; a name
 * that starts with "strict-" is parsed so. */
static void
run_cases(const struct config_key *key, const char *kind,
          assert_case_fn *assert_case)
{
    auto_char *directory = NULL;
    struct dirent **entries = NULL;
    int count, run = 0;

    cr_assert_geq(asprintf(&directory, "%s/t/data/%s/%s", getenv("SRCDIR"),
                           key->name, kind),
                  0);
    count = scandir(directory, &entries, NULL, alphasort);
    cr_assert_gt(count, 0, "cannot read %s", directory);
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        const char *suffix = strrchr(name, '.');

        if (suffix != NULL && strcmp(suffix, ".json") == 0) {
            auto_char *path = NULL, *answer = NULL, *body = NULL,
                      *expected = NULL;
            size_t len, ignored;

            cr_assert_geq(asprintf(&path, "%s/%s", directory, name), 0);
            cr_assert_geq(asprintf(&answer, "%s.expected", path), 0);
            body = slurp(path, &len);
            expected = slurp(answer, &ignored);
            assert_case(key, path, body, len, expected,
                        strncmp(name, "strict-", 7) == 0);
            run++;
        }
        free(entries[i]);
    }
    free(entries);
    cr_assert_gt(run, 0, "no case in %s", directory);
}

Test(config_cases, good_bodies)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        run_cases(&config_keys[i], "good", assert_good);
}

Test(config_cases, bad_bodies)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        run_cases(&config_keys[i], "bad", assert_bad);
}

/* What is read can be written back as it is, and reads the same. */
static void
assert_round_trip(const struct config_key *key, const char *path,
                  const char *body, size_t len, const char *expected,
                  bool is_strict)
{
    struct outcome first = parse_bytes(key, body, len, is_strict);
    struct outcome second;
    auto_char *rendered = NULL;
    json_auto_t *decoded = NULL;
    size_t rendered_len;

    (void)expected;
    cr_assert_eq(first.err, ERR_OK, "%s", path);
    rendered = config_key_render(key, first.value, strlen(first.value), 1,
                                 &rendered_len);
    cr_assert_not_null(rendered);
    decoded = json_loadb(rendered, rendered_len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(decoded, "%s: %s", path, rendered);
    second = parse_bytes(key, rendered, rendered_len, false);
    cr_assert_eq(second.err, ERR_OK, "%s", path);
    cr_expect_str_eq(second.value, first.value);
    outcome_clear(&second);
    second = check_text(key, first.value, true);
    cr_assert_eq(second.err, ERR_OK, "%s", path);
    cr_expect_str_eq(second.value, first.value);
    outcome_clear(&first);
    outcome_clear(&second);
}

Test(config_cases, every_good_value_survives_a_round_trip)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        run_cases(&config_keys[i], "good", assert_round_trip);
}

/* With the n-th allocation failing, for every n: no memory is what it says,
 * and nothing is made; or it did not matter, and the outcome is the same. */
static void
assert_no_memory(const struct config_key *key, const char *path,
                 const char *body, size_t len, const char *expected,
                 bool is_strict)
{
    const struct config_rules rules = {.is_strict = is_strict};
    struct outcome whole = parse_bytes(key, body, len, is_strict);
    bool has_failed = true;
    unsigned refused = 0;

    (void)expected;
    /* Long bodies would only repeat, slowly, what the short ones show. */
    for (unsigned n = 0; has_failed && n < 1000 && len < 1000; n++) {
        struct outcome outcome = {.messages = json_array()};
        json_t *value = NULL;

        no_memory_after(n);
        outcome.err =
            config_key_parse(key, body, len, &rules, outcome.messages, &value);
        outcome_encode(&outcome, value);
        has_failed = no_memory_end();
        if (outcome.err == ERR_NOMEM) {
            cr_expect(has_failed, "%s: n %u", path, n);
            cr_expect_null(outcome.value, "%s: n %u", path, n);
            refused++;
        } else {
            cr_expect_eq(outcome.err, whole.err, "%s: n %u", path, n);
            cr_expect(json_equal(outcome.messages, whole.messages), "%s: n %u",
                      path, n);
            cr_expect((outcome.value == NULL && whole.value == NULL) ||
                          strcmp(outcome.value, whole.value) == 0,
                      "%s: n %u: %s", path, n, outcome.value);
        }
        outcome_clear(&outcome);
    }
    cr_expect(refused > 0 || len >= 1000, "%s: no allocation failed", path);
    outcome_clear(&whole);
}

Test(config_cases, no_memory_is_told_from_a_bad_body)
{
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++) {
        run_cases(&config_keys[i], "good", assert_no_memory);
        run_cases(&config_keys[i], "bad", assert_no_memory);
    }
}
