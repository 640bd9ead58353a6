// SPDX-License-Identifier: MIT
/* Decimal numbers as text: digits only, no sign and no space. Reading them
 * depends on no locale, and writing is many times as fast as snprintf. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#define NUMBER_SIZE sizeof("18446744073709551615")

/* Writes number into text from its end on; returns the first digit. */
char *number_text(char text[NUMBER_SIZE], uint64_t number);

/* Writes the last count digits, with zeros in front, and no NUL; returns what
 * is behind them. */
char *number_put(char *at, uint64_t number, int count);

/* Reads the digits that text starts with, and returns what is behind them: text
 * itself, if there are none. What is too large is UINT64_MAX. */
const char *number_scan(const char *text, uint64_t *number_out);

/* False unless all of text is a number from min to max, which is less than
 * UINT64_MAX. */
bool number_read(const char *text, uint64_t min, uint64_t max,
                 uint64_t *number_out);

/* The ending of a noun of which there are so many: "" for one, else "s". */
const char *number_ending(uint64_t number);

#endif
