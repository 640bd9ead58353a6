// SPDX-License-Identifier: MIT
/* The history. */
#include "store.h"

#include "lib/store_both.h"

#include <criterion/criterion.h>

STORE_TEST(history_is_newest_first_and_paged)
{
    struct store_write write = write_of("acme", "timer", "3");

    stored(store, "acme", "timer", "1");
    stored(store, "acme", "timer", "2");
    stored(store, "acme", "time", "x");
    stored(store, "acme", "timers", "y");
    write.subject = "bob";
    write.request_id = "r-2";
    assert_write(store, write, ERR_OK, 3);
    write.subject = write.request_id = NULL;
    assert_write(store, write, ERR_OK, 4);

    assert_history(store, "timer", 0, 9,
                   "4=3(,) 3=3(bob,r-2) 2=2(alice,r-1) 1=1(alice,r-1) ");
    assert_history(store, "timer", 0, 2, "4=3(,) 3=3(bob,r-2) ");
    assert_history(store, "timer", 3, 9, "2=2(alice,r-1) 1=1(alice,r-1) ");
    assert_history(store, "timer", 3, 1, "2=2(alice,r-1) ");
    assert_history(store, "timer", 100, 1, "4=3(,) ");
    assert_history(store, "timer", 1, 9, "");
    assert_history(store, "timer", 0, 0, "");
    assert_history(store, "timers", 0, 9, "1=y(alice,r-1) ");
    assert_history(store, "zzz", 0, 9, "");
}

STORE_TEST(history_reaches_past_a_byte_of_the_version)
{
    for (int i = 0; i < 300; i++)
        stored(store, "acme", "timer", "x");
    assert_history(store, "timer", 0, 1, "300=x(alice,r-1) ");
    assert_history(store, "timer", 257, 1, "256=x(alice,r-1) ");
    assert_history(store, "timer", 256, 1, "255=x(alice,r-1) ");
}
