// SPDX-License-Identifier: MIT
/* What the commands print on stdout, beside plain text. */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include "base/buf.h"
#include "ctl/command.h"

#include <stdint.h>

/* Prints the JSON document and a newline, and clears it. is_complete: it was
 * built without running out of memory; says so if it was not. */
enum ctl_exit ctl_print_json(struct buf *json, bool is_complete);

/* Prints a text for a person, followed by end: what a terminal would act on, or
 * what would hide what is there, is shown as JSON escapes it. */
void ctl_print_text(const char *text, const char *end);

/* Prints a value, which is JSON, and a newline: on a terminal as above, which
 * is the same JSON. So does ctl_print_json. */
void ctl_print_value(const char *value);

/* The time (RFC 3339), in text. */
#define CTL_TIME_SIZE 24
const char *ctl_time_text(int64_t seconds, char text[CTL_TIME_SIZE]);

#endif
