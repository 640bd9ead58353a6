// SPDX-License-Identifier: MIT
#include "base/args.h"

#include "base/file.h"
#include "base/util.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>

struct values {
    const char *text, *path, *alone;
    int64_t count, size;
    bool flag;
};

static const struct args_row text = {
    .name = "text", .kind = ARGS_TEXT, .offset = offsetof(struct values, text)};
static const struct args_row count = {.name = "count",
                                      .kind = ARGS_COUNT,
                                      .offset = offsetof(struct values, count),
                                      .min = 1,
                                      .max = 100000};
static const struct args_row size = {.name = "size",
                                     .kind = ARGS_SIZE,
                                     .offset = offsetof(struct values, size),
                                     .min = 1 << 20,
                                     .max = INT64_C(64) << 40};
static const struct args_row flag = {
    .name = "flag", .kind = ARGS_FLAG, .offset = offsetof(struct values, flag)};

Test(args, a_value_goes_where_its_row_says)
{
    struct values values = {0};
    char why[ARGS_WHY_SIZE];

    cr_assert(args_set(&values, &text, "a b", why));
    cr_assert(args_set(&values, &count, "100000", why));
    cr_assert(args_set(&values, &size, "64T", why));
    cr_assert(args_set(&values, &flag, "yes", why));
    cr_expect_str_eq(values.text, "a b");
    cr_expect_eq(values.count, 100000);
    cr_expect_eq(values.size, INT64_C(64) << 40);
    cr_expect(values.flag);
    cr_assert(args_set(&values, &size, "1048576", why));
    cr_expect_eq(values.size, 1048576);
    cr_assert(args_set(&values, &flag, "no", why));
    cr_expect_not(values.flag);
}

Test(args, another_value_changes_nothing)
{
    static const struct {
        const struct args_row *row;
        const char *text;
        const char *why;
    } cases[] = {
        {&text, "", "must not be empty"},
        {&count, "0", "must be a number from 1 to 100000, not \"0\""},
        {&count, "1K", "must be a number from 1 to 100000, not \"1K\""},
        {&count, "-1", "must be a number from 1 to 100000, not \"-1\""},
        {&count, " 1", "must be a number from 1 to 100000, not \" 1\""},
        {&count, "99999999999999999999", NULL},
        {&size, "1023K", NULL},
        {&size, "65T",
         "must be from 1048576 to 70368744177664 bytes (K, M, G and T are "
         "allowed), not \"65T\""},
        {&size, "2MB", NULL},
        {&size, "9223372036854775807T", NULL},
        {&flag, "true", "must be yes or no, not \"true\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct values values = {.text = "t", .count = 2, .size = 3};
        char why[ARGS_WHY_SIZE] = "";

        cr_expect_not(args_set(&values, cases[i].row, cases[i].text, why), "%s",
                      cases[i].text);
        cr_expect_str_not_empty(why);
        if (cases[i].why != NULL)
            cr_expect_str_eq(why, cases[i].why);
        cr_expect_str_eq(values.text, "t");
        cr_expect_eq(values.count, 2);
        cr_expect_eq(values.size, 3);
    }
}

/* A program with options and a settings file. */
enum { PATH, TEXT, COUNT, FLAG, OTHER, ALONE, ROWS };

static const struct args_row rows[ROWS] = {
    [PATH] = {.name = "config",
              .variable = "ORDERCONF_CONFIG",
              .kind = ARGS_TEXT_OR_EMPTY,
              .offset = offsetof(struct values, path),
              .initial = "/nonexistent/f.conf"},
    [TEXT] = {.name = "text",
              .variable = "ORDERCONF_TEXT",
              .kind = ARGS_TEXT,
              .offset = offsetof(struct values, text),
              .initial = "usual"},
    [COUNT] = {.name = "count",
               .variable = "ORDERCONF_COUNT",
               .kind = ARGS_COUNT,
               .offset = offsetof(struct values, count),
               .min = 1,
               .max = 9},
    [FLAG] = {.name = "flag",
              .variable = "ORDERCONF_FLAG",
              .kind = ARGS_FLAG,
              .offset = offsetof(struct values, flag)},
    [OTHER] = {.variable = "ORDERCONF_OTHER", .kind = ARGS_FOREIGN},
    [ALONE] = {.name = "alone",
               .kind = ARGS_TEXT,
               .offset = offsetof(struct values, alone)},
};

struct reading {
    struct values values;
    struct args_file file;
    char why[ARGS_WHY_SIZE];
};

/* Reads the arguments, which NULL ends, and the rest. */
static bool
run(struct reading *reading, const char *const *arguments)
{
    struct args_value values[ROWS] = {0};
    struct args args = {.rows = rows, .count = ROWS, .values = values};
    char *argv[16] = {NULL};
    bool is_good = true;

    *reading = (struct reading){0};
    for (int i = 0; arguments[i] != NULL; i++)
        argv[i] = (char *)(uintptr_t)arguments[i];
    for (int at = 0; is_good && argv[at] != NULL;)
        is_good = args_read_option(&args, argv, &at);
    if (is_good)
        is_good = args_read_rest(&args, "ORDERCONF_CONFIG", &reading->file);
    if (is_good)
        args_store(&args, &reading->values);
    memcpy(reading->why, args.why, sizeof(args.why));
    return is_good;
}

#define RUN(reading, ...)                                                      \
    run((reading), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static char *dir, *path;

static void
set_up(void)
{
    dir = scratch_make();
    path = scratch_path(dir, "f.conf");
}

static void
tear_down(void)
{
    free(path);
    scratch_remove(dir);
}

TestSuite(args_sources, .init = set_up, .fini = tear_down, .timeout = 20);

static void
write_file(const char *content)
{
    cr_assert_null(file_replace(path, content, 0600));
}

Test(args_sources, the_stronger_one_wins)
{
    struct reading reading;

    cr_assert(RUN(&reading));
    cr_expect_str_eq(reading.values.text, "usual");
    cr_expect_eq(reading.values.count, 0);
    cr_expect_str_eq(reading.values.path, "/nonexistent/f.conf");

    write_file("ORDERCONF_TEXT=file\nORDERCONF_COUNT=1\n"
               "ORDERCONF_COUNT=2\nORDERCONF_FLAG=yes\n");
    cr_assert(RUN(&reading, "--config", path));
    cr_expect_str_eq(reading.values.text, "file");
    cr_expect_eq(reading.values.count, 2, "the last line counts");
    cr_expect(reading.values.flag);
    args_file_clear(&reading.file);

    setenv("ORDERCONF_CONFIG", path, 1);
    setenv("ORDERCONF_TEXT", "environment", 1);
    setenv("ORDERCONF_COUNT", "3", 1);
    cr_assert(RUN(&reading, "--count=4", "--count", "5", "--flag=no"));
    cr_expect_str_eq(reading.values.text, "environment");
    cr_expect_eq(reading.values.count, 5);
    cr_expect_not(reading.values.flag);
    args_file_clear(&reading.file);
}

Test(args_sources, no_file_is_read_where_the_path_is_empty)
{
    struct reading reading;

    write_file("ORDERCONF_TEXT=file\n");
    setenv("ORDERCONF_CONFIG", path, 1);
    cr_assert(RUN(&reading, "--config="));
    cr_expect_str_eq(reading.values.text, "usual");
    cr_assert_null(reading.file.text);
}

Test(args_sources, what_is_for_another_program_may_be_anything)
{
    struct reading reading;

    write_file("ORDERCONF_OTHER=\n");
    setenv("ORDERCONF_OTHER", "", 1);
    cr_assert(RUN(&reading, "--config", path));
    args_file_clear(&reading.file);
    cr_assert_not(RUN(&reading, "--other=1"));
    cr_expect_str_eq(reading.why, "--other: no such option, see --help");
}

Test(args_sources, what_is_wrong_is_named)
{
    static const struct {
        const char *text, *option, *why;
    } cases[] = {
        {"ORDERCONF_COUNT=1\nORDERCONF_TEXTS=secret", NULL,
         "/f.conf:2: ORDERCONF_TEXTS: no such setting"},
        {"ORDERCONF_ALONE=1", NULL,
         "/f.conf:1: ORDERCONF_ALONE: no such setting"},
        {"ORDERCONF_CONFIG=x", NULL,
         "/f.conf:1: ORDERCONF_CONFIG: cannot be set in this file"},
        {"\n\nORDERCONF_TEXT=\n", NULL,
         "/f.conf:3: ORDERCONF_TEXT: must not be empty"},
        /* Also where it would not win. */
        {"ORDERCONF_COUNT=10", "--count=3",
         "/f.conf:1: ORDERCONF_COUNT: must be a number from 1 to 9, not "
         "\"10\""},
        {"ORDERCONF_FLAG=1", NULL,
         "/f.conf:1: ORDERCONF_FLAG: must be yes or no, not \"1\""},
        {"secret", NULL, "/f.conf:1: is not ORDERCONF_NAME=VALUE"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct reading reading;

        write_file(cases[i].text);
        cr_expect_not(RUN(&reading, "--config", path, cases[i].option));
        cr_expect_str_eq(reading.why + strlen(dir), cases[i].why);
        args_file_clear(&reading.file);
    }
}

Test(args_sources, a_file_that_was_asked_for_must_be_there)
{
    struct reading reading;

    cr_assert_not(RUN(&reading, "--config=/nonexistent/f.conf"));
    cr_expect_str_eq(reading.why,
                     "/nonexistent/f.conf: No such file or directory");
    setenv("ORDERCONF_CONFIG", "/nonexistent/g.conf", 1);
    cr_assert_not(RUN(&reading));
    cr_expect_str_eq(reading.why,
                     "/nonexistent/g.conf: No such file or directory");
}

Test(args_sources, an_option_is_named_without_its_value)
{
    static const struct {
        const char *option, *why;
    } cases[] = {
        {"--nope=secret", "--nope: no such option, see --help"},
        {"nope", "nope: no such option, see --help"},
        {"-t", "-t: no such option, see --help"},
        {"--", "--: no such option, see --help"},
        {"--text", "--text: needs a value"},
        {"--text=", "--text: must not be empty"},
        {"--alone=", "--alone: must not be empty"},
        {"--flag=on", "--flag: must be yes or no, not \"on\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct reading reading;

        cr_expect_not(RUN(&reading, "--count", "1", cases[i].option));
        cr_expect_str_eq(reading.why, cases[i].why);
    }
}
