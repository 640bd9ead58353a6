// SPDX-License-Identifier: MIT
#include "api_world.h"

#include "store_mem.h"

struct api api;
struct exchange answer;

void
api_world_set_up(void)
{
    api = (struct api){.store = store_mem_new()};
}

void
api_world_tear_down(void)
{
    exchange_clear(&answer);
    store_close(api.store);
}
