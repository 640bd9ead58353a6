// SPDX-License-Identifier: MIT
/*
 * Tests without Criterion, which cannot start under ThreadSanitizer: for what
 * threads do. Each test is a process of its own, and the program speaks TAP.
 */
#ifndef T_TAP_H
#define T_TAP_H

#include <stddef.h>

/* Ends the test that it is in, and fails it, unless the claim is true. Also for
 * what both kinds of tests share. */
#define MUST(claim) ((claim) ? (void)0 : tap_fail(__FILE__, __LINE__, #claim))

_Noreturn void tap_fail(const char *file, int line, const char *claim);

struct tap_test {
    const char *name;
    void (*run)(void);
};

#define TAP_TEST(function)                                                     \
    {                                                                          \
#function, function                                                    \
    }

/* What main returns: runs each test of an array, with set_up before it if that
 * is not NULL. A test that has not ended after a minute fails. */
int tap_run(const struct tap_test *tests, size_t count, void (*set_up)(void));

#endif
