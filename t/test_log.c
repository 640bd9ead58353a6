// SPDX-License-Identifier: MIT
#include "log.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What the last log_event wrote, parsed. */
static json_t *
logged(void)
{
    json_error_t error;
    json_t *line = json_loadf(cr_get_redirected_stderr(), 0, &error);

    cr_assert_not_null(line, "%s", error.text);
    return line;
}

static void
assert_text(const json_t *line, const char *name, const char *expected)
{
    cr_assert_str_eq(json_string_value(json_object_get(line, name)), expected);
}

Test(log, event_is_one_json_object, .init = cr_redirect_stderr)
{
    json_t *line;

    log_event(LOG_LEVEL_NOTICE, "stored", LOG_TEXT("tenant", "dodici"),
              LOG_NUMBER("version", -7));
    line = logged();
    assert_text(line, "level", "notice");
    assert_text(line, "event", "stored");
    assert_text(line, "tenant", "dodici");
    cr_assert_eq(json_integer_value(json_object_get(line, "version")), -7);
    cr_assert_eq(json_object_size(line), 6);
    json_decref(line);
}

Test(log, client_text_cannot_break_the_line, .init = cr_redirect_stderr)
{
    json_t *line;

    log_event(LOG_LEVEL_INFO, "refused",
              LOG_TEXT("path", "a\"b\\c\n{\"event\":\"forged\"}\x1b[0m\xff"));
    line = logged();
    assert_text(line, "event", "refused");
    assert_text(line, "path",
                "a\"b\\c\n{\"event\":\"forged\"}\x1b[0m\xc3\xbf");
    json_decref(line);
}

Test(log, long_text_is_cut_and_the_line_stays_valid, .init = cr_redirect_stderr)
{
    char text[10000];
    json_t *line;

    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_event(LOG_LEVEL_INFO, "refused", LOG_TEXT("path", text),
              LOG_TEXT("next", text), LOG_NUMBER("last", 1));
    line = logged();
    cr_assert_gt(json_string_length(json_object_get(line, "path")), 100);
    json_decref(line);
}
