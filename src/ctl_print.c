// SPDX-License-Identifier: MIT
#include "ctl_print.h"

#include "timestamp.h"

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

const char *
ctl_time_text(int64_t seconds, char text[24])
{
    *timestamp_put(text, seconds) = '\0';
    return text;
}
