// SPDX-License-Identifier: MIT
#include "ctl/print.h"

#include "base/timestamp.h"

#include <stdio.h>

enum ctl_exit
ctl_print_json(struct buf *json, bool is_complete)
{
    if (is_complete) {
        fwrite(json->data, 1, json->len, stdout); /* main looks at stdout */
        putchar('\n');
    }
    buf_clear(json);
    return is_complete ? CTL_OK : ctl_fail("out of memory");
}

/* Control characters, C1 in UTF-8 included. */
static bool
is_control(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7f ||
           (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0);
}

void
ctl_print_text(const char *text, const char *end)
{
    const unsigned char *at = (const unsigned char *)text;

    for (; *at != '\0'; at++) {
        if (is_control(at))
            putchar('?');
        else
            putchar(*at);
        at += *at == 0xc2 && is_control(at); /* both bytes of it */
    }
    fputs(end, stdout);
}

const char *
ctl_time_text(int64_t seconds, char text[CTL_TIME_SIZE])
{
    *timestamp_put(text, seconds) = '\0';
    return text;
}
