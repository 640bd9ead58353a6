// SPDX-License-Identifier: MIT
/* In place of src/base/log.c: a target may be refused a thousand times a
 * second. */
#include "base/log.h"

void
log_fields(enum log_level level, const char *event,
           const struct log_field *fields)
{
    (void)level;
    (void)event;
    (void)fields;
}
