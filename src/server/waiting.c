// SPDX-License-Identifier: MIT
#include "server/waiting.h"

#include "api/exchange.h"
#include "store/committer.h"

#include <assert.h>
#include <stdlib.h>

/* In the order in which they came. */
struct line {
    struct exchange *first;
    struct exchange **end; /* where the next one is linked in */
};

struct waiting {
    struct committer *committer;
    size_t parked; /* the committer's, asking's and ready's */
    struct line asking;
    struct line ready;
};

static void
line_init(struct line *line)
{
    line->first = NULL;
    line->end = &line->first;
}

static void
line_add(struct line *line, struct exchange *exchange)
{
    exchange->wait.next = NULL;
    *line->end = exchange;
    line->end = &exchange->wait.next;
}

static struct exchange *
line_take(struct line *line)
{
    struct exchange *first = line->first;

    line->first = first->wait.next;
    if (line->first == NULL)
        line->end = &line->first;
    return first;
}

struct waiting *
waiting_start(struct store *store)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));

    if (waiting == NULL)
        return NULL;
    line_init(&waiting->asking);
    line_init(&waiting->ready);
    waiting->committer = committer_start(store);
    if (waiting->committer != NULL)
        return waiting;
    free(waiting);
    return NULL;
}

int
waiting_fd(const struct waiting *waiting)
{
    return committer_fd(waiting->committer);
}

void
waiting_park(struct waiting *waiting, struct exchange *exchange, void *owner)
{
    assert(exchange->wait.what != WAIT_NONE);
    waiting->parked++;
    exchange->wait.owner = owner;
    switch (exchange->wait.what) {
    case WAIT_COMMIT:
        exchange->write.owner = exchange;
        committer_submit(waiting->committer, &exchange->write);
        break;
    case WAIT_PROBE:
        exchange->wait.probe = committer_probe(waiting->committer);
        line_add(&waiting->asking, exchange);
        break;
    case WAIT_NONE:
        break;
    }
}

void
waiting_collect(struct waiting *waiting)
{
    struct line *asking = &waiting->asking;
    struct store_write *write = committer_collect(waiting->committer);
    uint64_t answered;
    enum err probed;

    for (; write != NULL; write = write->next)
        line_add(&waiting->ready, write->owner);
    answered = committer_probed(waiting->committer, &probed);
    while (asking->first != NULL && asking->first->wait.probe <= answered) {
        asking->first->probed = probed;
        line_add(&waiting->ready, line_take(asking));
    }
}

void *
waiting_next(struct waiting *waiting)
{
    if (waiting->ready.first == NULL)
        return NULL;
    waiting->parked--;
    return line_take(&waiting->ready)->wait.owner;
}

bool
waiting_stop(struct waiting *waiting)
{
    if (waiting == NULL)
        return true;
    if (waiting->parked > 0)
        return false;
    committer_stop(waiting->committer);
    free(waiting);
    return true;
}
