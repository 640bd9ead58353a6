// SPDX-License-Identifier: MIT
/* Pieces of JSON text, appended to a buf. False on no memory. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "base/buf.h"

#include <stdint.h>

/* Punctuation, names, values that are JSON already. */
bool json_text_add(struct buf *buf, const char *json)
    __attribute__((warn_unused_result));

/* A string; what is not UTF-8 in it becomes U+FFFD. */
bool json_text_add_string(struct buf *buf, const char *text)
    __attribute__((warn_unused_result));

bool json_text_add_number(struct buf *buf, uint64_t number)
    __attribute__((warn_unused_result));

/* A date-time in quotes, see base/timestamp.h. */
bool json_text_add_time(struct buf *buf, int64_t seconds)
    __attribute__((warn_unused_result));

#endif
