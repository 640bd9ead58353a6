// SPDX-License-Identifier: MIT
#include "committing.h"

#include "store_mem.h"
#include "tap.h"

#include <poll.h>
#include <string.h>

static enum err
commit_gated(struct store *store, store_take_fn *take, void *ctx)
{
    struct gated *gated = (struct gated *)store;

    sem_post(&gated->arrived);
    sem_wait(&gated->gate);
    gated->commits++;
    return store_commit(gated->inner, take, ctx);
}

static enum err
probe_gated(struct store *store)
{
    struct gated *gated = (struct gated *)store;

    sem_post(&gated->arrived);
    sem_wait(&gated->gate);
    gated->probes++;
    return store_probe(gated->inner);
}

static const struct store_ops gated_ops = {.commit = commit_gated,
                                           .probe = probe_gated};

void
gate_init(struct gated *gated)
{
    *gated = (struct gated){.store.ops = &gated_ops, .inner = store_mem_new()};
    sem_init(&gated->arrived, 0, 0);
    sem_init(&gated->gate, 0, 0);
}

void
gate_destroy(struct gated *gated)
{
    store_close(gated->inner);
    sem_destroy(&gated->arrived);
    sem_destroy(&gated->gate);
}

struct store_write
write_timer(const char *tenant, const char *text)
{
    return (struct store_write){.tenant = tenant,
                                .key = "timer",
                                .value = text,
                                .value_len = strlen(text),
                                .base = STORE_ANY_VERSION,
                                .lost = ERR_CONFLICT,
                                .result = ERR_MAX};
}

bool
is_collectable(const struct committer *committer, int timeout)
{
    struct pollfd poller = {committer_fd(committer), POLLIN, 0};

    return poll(&poller, 1, timeout) == 1 && (poller.revents & POLLIN);
}

struct store_write *
collect(struct committer *committer)
{
    MUST(is_collectable(committer, 30000));
    return committer_collect(committer);
}
