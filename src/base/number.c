// SPDX-License-Identifier: MIT
#include "base/number.h"

char *
number_text(char text[NUMBER_SIZE], uint64_t number)
{
    char *at = text + NUMBER_SIZE - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

char *
number_put(char *at, uint64_t number, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + count;
}

const char *
number_scan(const char *text, uint64_t *number_out)
{
    uint64_t number = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number))
            number = UINT64_MAX;
    *number_out = number;
    return text;
}

bool
number_read(const char *text, uint64_t min, uint64_t max, uint64_t *number_out)
{
    uint64_t number;
    const char *end = number_scan(text, &number);

    if (end == text || *end != '\0' || number < min || number > max)
        return false;
    *number_out = number;
    return true;
}

const char *
number_ending(uint64_t number)
{
    return number == 1 ? "" : "s";
}
