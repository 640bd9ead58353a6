// SPDX-License-Identifier: MIT
/* Ctrl-C in the middle of long work, which is to leave nothing half done. */
#ifndef CTL_INTERRUPT_H
#define CTL_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGHUP, SIGINT and SIGTERM end nothing by themselves, unless they
 * are ignored, but a call that waits. */
void ctl_interrupt_catch(void);

/* True once one of them has come. */
bool ctl_interrupt_came(void);

#endif
