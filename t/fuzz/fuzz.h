// SPDX-License-Identifier: MIT
/*
 * A fuzz target is a program of one function, which is given any bytes at all
 * and aborts if a claim about the code is false. Linked with libFuzzer it
 * makes up its inputs (make fuzz); linked with replay.c it takes those of
 * corpus/, which make check does.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
fuzz_check(int claim, const char *text, const char *file, int line)
{
    if (claim)
        return;
    fprintf(stderr, "%s:%d: not true: %s\n", file, line, text);
    abort();
}

/* Not assert, which a build may turn off. */
#define FUZZ_CHECK(claim) fuzz_check((claim), #claim, __FILE__, __LINE__)

#endif
