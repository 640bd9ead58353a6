// SPDX-License-Identifier: MIT
/* What the handlers' tests share: an api over a store in memory, and what it
 * answered last. */
#ifndef API_WORLD_H
#define API_WORLD_H

#include "api/exchange.h"

extern struct api api;
extern struct exchange answer;

/* A suite's .init and .fini. */
void api_world_set_up(void);
void api_world_tear_down(void);

#endif
