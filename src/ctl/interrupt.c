// SPDX-License-Identifier: MIT
#include "ctl/interrupt.h"

#include "base/util.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t came;

/* Again and again, because what was about to wait when it came would go on. */
static void
note(int number)
{
    (void)number;
    came = 1;
    alarm(1);
}

void
ctl_interrupt_catch(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGTERM};
    const struct sigaction action = {.sa_handler = note};

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct sigaction old;

        /* nohup's, for instance, stays ignored. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
    (void)sigaction(SIGALRM, &action, NULL);
}

bool
ctl_interrupt_came(void)
{
    return came != 0;
}
