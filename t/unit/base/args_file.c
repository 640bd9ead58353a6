// SPDX-License-Identifier: MIT
#include "base/args_file.h"

#include "base/file.h"
#include "base/util.h"
#include "lib/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

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

TestSuite(args_file, .init = set_up, .fini = tear_down, .timeout = 20);

/* All that a file of this text says, as "NAME=VALUE@LINE;…", or why it is
 * wrong, without its directory. */
static void
assert_says(const char *text, const char *expected)
{
    char said[4096] = "", why[512] = "";
    enum args_file_result result;
    struct args_file file;
    struct args_line line;

    cr_assert_null(file_replace(path, text, 0600));
    cr_assert(args_file_open(&file, path, false, why, sizeof(why)), "%s", why);
    while ((result = args_file_next(&file, &line, why, sizeof(why))) ==
           ARGS_FILE_LINE) {
        size_t len = strlen(said);

        snprintf(said + len, sizeof(said) - len, "%s=%s@%zu;",
                 line.name + strlen(ARGS_PREFIX), line.value, line.number);
    }
    if (result == ARGS_FILE_WRONG) {
        cr_assert_eq(strncmp(why, dir, strlen(dir)), 0);
        snprintf(said, sizeof(said), "%s", why + strlen(dir) + 1);
    }
    args_file_clear(&file);
    cr_expect_str_eq(said, expected, "<%s>: %s", text, said);
}

Test(args_file, what_a_line_is)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", ""},
        {"\n \n\t\r\n", ""},
        {"# a comment \\\n; another\n  # a third", ""},
        {"ORDERCONF_DB=/d\n", "DB=/d@1;"},
        {"ORDERCONF_DB=/d", "DB=/d@1;"},
        {"ORDERCONF_A=1\r\nORDERCONF_B=2\r\n", "A=1@1;B=2@2;"},
        {"#\n\nORDERCONF_A=1\n\nORDERCONF_B_2=2", "A=1@3;B_2=2@5;"},
        {"  ORDERCONF_A  =  1  ", "A=1@1;"},
        {"ORDERCONF_A=\nORDERCONF_B=  \n", "A=@1;B=@2;"},
        {"ORDERCONF_A=1 # 2\n", "A=1 # 2@1;"},
        {"ORDERCONF_A=a  b=c\n", "A=a  b=c@1;"},
        /* Before unquoted characters a backslash goes. */
        {"ORDERCONF_A=a\\\\b\\\"\\x\n", "A=a\\b\"x@1;"},
        {"ORDERCONF_A=a\\ \n", "A=a @1;"},
        {"ORDERCONF_A=a\\\n  b\nORDERCONF_B=2", "A=a  b@1;B=2@3;"},
        {"ORDERCONF_A=\\\nb\nORDERCONF_B=2", "A=b@1;B=2@3;"},
        {"ORDERCONF_A=a\\", "A=a@1;"},
        {"ORDERCONF_A=a\"b\"'c'\n", "A=a\"b\"'c'@1;"},
        /* Within single quotes nothing is escaped. */
        {"ORDERCONF_A=' a\\b\"$ ' \t\n", "A= a\\b\"$ @1;"},
        {"ORDERCONF_A=''", "A=@1;"},
        {"ORDERCONF_A='a\nb'\nORDERCONF_B=2", "A=a\nb@1;B=2@3;"},
        /* Within double quotes \ before " \ ` $ and a newline. */
        {"ORDERCONF_A=\" a'b # \"\n", "A= a'b # @1;"},
        {"ORDERCONF_A=\"\\\"\\\\\\`\\$\\x\\'\"", "A=\"\\`$\\x\\'@1;"},
        {"ORDERCONF_A=\"a\\\nb\"\nORDERCONF_B=2", "A=ab@1;B=2@3;"},
        {"ORDERCONF_A=\"a\\\\\"\nORDERCONF_B=2", "A=a\\@1;B=2@2;"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_says(cases[i].text, cases[i].said);
}

Test(args_file, anything_else_is_named_but_not_told)
{
    static const char shape[] = "f.conf:2: is not ORDERCONF_NAME=VALUE";
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"\nORDERCONF_DB\n", shape},
        {"\nORDERCONF_=1\n", shape},
        {"\nORDERCONF_db=1\n", shape},
        {"\nORDERCONF_A B=1\n", shape},
        {"\nDB=secret\n", shape},
        {"\nexport ORDERCONF_A=secret\n", shape},
        {"\n=secret\n", shape},
        {"\n\xef\xbb\xbfORDERCONF_A=1\n", shape},
        {"\nORDERCONF_A='secret\n\n", "f.conf:2: the quote is not closed"},
        {"\nORDERCONF_A=\"secret\\\"", "f.conf:2: the quote is not closed"},
        {"\nORDERCONF_A=\"secret\\", "f.conf:2: the quote is not closed"},
        {"\nORDERCONF_A=\"", "f.conf:2: the quote is not closed"},
        {"\nORDERCONF_A='a' secret\n",
         "f.conf:2: text follows the closing quote"},
        {"\nORDERCONF_A=\"a\"b\n", "f.conf:2: text follows the closing quote"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_says(cases[i].text, cases[i].why);
}

/* Every beginning of a text with everything in it: no byte beyond is read. */
Test(args_file, a_file_may_end_anywhere)
{
    static const char text[] = "# c\\\nORDERCONF_A = \"a\\\"\\\nb\\x\" \r\n"
                               ";\nORDERCONF_B='\n\\'\nORDERCONF_C=a\\\n\\ b ";

    for (size_t len = 0; len < strlen(text); len++) {
        char *part = strndup(text, len);
        struct args_file file;
        struct args_line line;
        char why[512];

        cr_assert_null(file_replace(path, part, 0600));
        cr_assert(args_file_open(&file, path, false, why, sizeof(why)));
        while (args_file_next(&file, &line, why, sizeof(why)) == ARGS_FILE_LINE)
            cr_assert_leq(strlen(line.value), len);
        args_file_clear(&file);
        free(part);
    }
}

/* Opening path fails, and says so. */
static void
assert_not_opened(bool may_miss, const char *expected)
{
    char why[512] = "";
    struct args_file file;

    cr_assert_not(args_file_open(&file, path, may_miss, why, sizeof(why)));
    cr_assert_null(file.text);
    cr_assert_str_eq(why + strlen(dir), expected);
}

Test(args_file, a_missing_one_may_be_an_error)
{
    struct args_file file;
    struct args_line line;
    char why[512];

    assert_not_opened(false, "/f.conf: No such file or directory");
    cr_assert(args_file_open(&file, path, true, why, sizeof(why)));
    cr_assert_eq(args_file_next(&file, &line, why, sizeof(why)), ARGS_FILE_END);
    args_file_clear(&file);
}

Test(args_file, one_that_cannot_be_read_is_an_error)
{
    char *large = malloc(ARGS_FILE_MAX + 2);
    struct args_file file;
    char why[512];
    FILE *nul;

    memset(large, '\n', ARGS_FILE_MAX + 1);
    large[ARGS_FILE_MAX + 1] = '\0';
    cr_assert_null(file_replace(path, large, 0600));
    assert_not_opened(true, "/f.conf: is larger than 64 KiB");
    cr_assert_null(file_replace(path, large + 1, 0600));
    cr_assert(args_file_open(&file, path, true, why, sizeof(why)));
    args_file_clear(&file);
    free(large);

    nul = fopen(path, "w");
    cr_assert_not_null(nul);
    cr_assert_eq(fwrite("A\0B", 1, 3, nul), 3);
    fclose(nul);
    assert_not_opened(true, "/f.conf: has a NUL in it");

    cr_assert_eq(remove(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    assert_not_opened(true, "/f.conf: is not a regular file");
}
