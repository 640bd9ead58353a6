// SPDX-License-Identifier: MIT
/* What the tests of the committer share. */
#ifndef COMMITTING_H
#define COMMITTING_H

#include "store/committer.h"
#include "store/store.h"

#include <semaphore.h>
#include <stdbool.h>

/* A store whose commits and probes wait at a gate, as for a lock or a disk.
 * Only what the committer calls works. */
struct gated {
    struct store store;
    struct store *inner;
    sem_t arrived, gate;
    int commits, probes;
};

void gate_init(struct gated *gated);
void gate_destroy(struct gated *gated);

/* A write of tenant's timer over whatever is there. */
struct store_write write_timer(const char *tenant, const char *text);

/* True if there is something to collect within timeout ms. */
bool is_collectable(const struct committer *committer, int timeout);

/* Waits until there is, and collects it. */
struct store_write *collect(struct committer *committer);

#endif
