// SPDX-License-Identifier: MIT
/*
 * The committer that we do without: the event loop itself commits each write
 * by itself, and waits. Linked in place of src/store/committer.c, it makes of
 * the service the program to compare it with.
 */
#include "store/committer.h"

#include "store/store.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct committer {
    struct store *store;
    struct store_write *finished, **end;
    uint64_t asked;
    enum err probed;
    int fd;
};

struct committer *
committer_start(struct store *store)
{
    struct committer *committer = calloc(1, sizeof(*committer));

    if (committer == NULL)
        return NULL;
    committer->store = store;
    committer->end = &committer->finished;
    committer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return committer;
}

int
committer_fd(const struct committer *committer)
{
    return committer->fd;
}

void
committer_submit(struct committer *committer, struct store_write *write)
{
    (void)store_commit_one(committer->store, write); /* is in it */
    *committer->end = write;
    committer->end = &write->next;
    (void)eventfd_write(committer->fd, 1);
}

uint64_t
committer_probe(struct committer *committer)
{
    committer->probed = store_probe(committer->store);
    (void)eventfd_write(committer->fd, 1);
    return ++committer->asked;
}

uint64_t
committer_probed(struct committer *committer, enum err *probed_out)
{
    *probed_out = committer->probed;
    return committer->asked;
}

struct store_write *
committer_collect(struct committer *committer)
{
    struct store_write *first = committer->finished;
    eventfd_t count;

    (void)eventfd_read(committer->fd, &count);
    committer->finished = NULL;
    committer->end = &committer->finished;
    return first;
}

void
committer_stop(struct committer *committer)
{
    if (committer != NULL)
        close(committer->fd);
    free(committer);
}
