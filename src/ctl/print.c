// SPDX-License-Identifier: MIT
#include "ctl/print.h"

#include "base/timestamp.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Control characters; marks that have text run the other way, or hide it
 * (Unicode's Bidi_Control); breaks of lines; and what is no character. */
static bool
is_deceptive(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x61c ||
           (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x2069) || point == 0xfeff ||
           point == UTF8_NONE;
}

/* Prints it with such characters as JSON escapes them: within a string of JSON
 * that makes no difference. main looks at stdout. */
static void
print_escaped(const char *text, size_t len)
{
    while (len > 0) {
        char escaped[UTF8_JSON_MAX];
        uint32_t point;
        size_t used = utf8_read(text, len, &point);

        if (is_deceptive(point))
            fwrite(escaped, 1, utf8_put_json(escaped, point, true), stdout);
        else
            fwrite(text, 1, used, stdout);
        text += used;
        len -= used;
    }
}

static void
print_for(bool is_person, const char *text, size_t len)
{
    if (is_person)
        print_escaped(text, len);
    else
        fwrite(text, 1, len, stdout);
}

void
ctl_print_text(const char *text, const char *end)
{
    print_escaped(text, strlen(text));
    fputs(end, stdout);
}

void
ctl_print_value(const char *value)
{
    print_for(isatty(STDOUT_FILENO), value, strlen(value));
    putchar('\n');
}

enum ctl_exit
ctl_print_json(struct buf *json, bool is_complete)
{
    if (is_complete) {
        print_for(isatty(STDOUT_FILENO), json->data, json->len);
        putchar('\n');
    }
    buf_clear(json);
    return is_complete ? CTL_OK : ctl_fail("out of memory");
}

const char *
ctl_time_text(int64_t seconds, char text[CTL_TIME_SIZE])
{
    *timestamp_put(text, seconds) = '\0';
    return text;
}
