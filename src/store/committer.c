// SPDX-License-Identifier: MIT
#include "store/committer.h"

#include "store/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Bounds a transaction, whatever has queued up: one that outgrows LMDB's
 * dirty-page list would be written twice. */
#define BATCH_MAX 1024

struct list {
    struct store_write *first;
    struct store_write **end; /* where the next one is linked in */
};

struct committer {
    struct store *store;
    pthread_t thread;
    int fd; /* eventfd; readable while there is something to collect */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct list queued, finished;
    uint64_t asked, answered; /* the last questions */
    enum err probed;          /* the last answer */
    bool is_signalled;
    bool is_stopping;

    struct list taken; /* the thread's own: the batch under way */
};

static void
list_init(struct list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

/* Moves at most max writes of from to the end of to. */
static void
list_move(struct list *to, struct list *from, size_t max)
{
    struct store_write **link = &from->first;

    while (*link != NULL && max-- > 0)
        link = &(*link)->next;
    if (link == &from->first)
        return;

    *to->end = from->first;
    to->end = link;
    from->first = *link;
    *link = NULL;
    if (from->first == NULL)
        from->end = &from->first;
}

/* Called by the store when it holds the write lock: whatever has queued up
 * while we waited for it goes into this commit. */
static struct store_write *
take(void *ctx)
{
    struct committer *committer = ctx;

    pthread_mutex_lock(&committer->lock);
    list_move(&committer->taken, &committer->queued, BATCH_MAX);
    pthread_mutex_unlock(&committer->lock);
    return committer->taken.first;
}

/* Called with the lock held, as the next three are. One signal is enough until
 * it is collected. */
static void
signal_collector(struct committer *committer)
{
    if (!committer->is_signalled)
        (void)eventfd_write(committer->fd, 1); /* cannot overflow from 0 */
    committer->is_signalled = true;
}

static void
commit_queued(struct committer *committer)
{
    pthread_mutex_unlock(&committer->lock);
    (void)store_commit(committer->store, take, committer); /* in each */
    pthread_mutex_lock(&committer->lock);
    list_move(&committer->finished, &committer->taken, SIZE_MAX);
    signal_collector(committer);
}

/* Whoever asks meanwhile is answered by the next probe. */
static void
answer_asked(struct committer *committer)
{
    uint64_t asked = committer->asked;
    enum err probed;

    pthread_mutex_unlock(&committer->lock);
    probed = store_probe(committer->store);
    pthread_mutex_lock(&committer->lock);
    committer->probed = probed;
    committer->answered = asked;
    signal_collector(committer);
}

static bool
has_work(const struct committer *committer)
{
    return committer->queued.first != NULL ||
           committer->asked != committer->answered;
}

static void *
run(void *ctx)
{
    struct committer *committer = ctx;

    pthread_mutex_lock(&committer->lock);
    while (has_work(committer) || !committer->is_stopping) {
        if (!has_work(committer))
            pthread_cond_wait(&committer->wake, &committer->lock);
        if (committer->queued.first != NULL)
            commit_queued(committer);
        if (committer->asked != committer->answered)
            answer_asked(committer);
    }
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

/* Signals are the event loop's: a thread starts with its creator's mask. */
static bool
start_thread(struct committer *committer)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&committer->thread, NULL, run, committer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

struct committer *
committer_start(struct store *store)
{
    struct committer *committer = calloc(1, sizeof(*committer));

    if (committer == NULL)
        return NULL;
    committer->store = store;
    list_init(&committer->queued);
    list_init(&committer->finished);
    list_init(&committer->taken);
    pthread_mutex_init(&committer->lock, NULL);
    pthread_cond_init(&committer->wake, NULL);
    committer->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (committer->fd >= 0 && start_thread(committer))
        return committer;

    if (committer->fd >= 0)
        close(committer->fd);
    pthread_cond_destroy(&committer->wake);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
    return NULL;
}

int
committer_fd(const struct committer *committer)
{
    return committer->fd;
}

void
committer_submit(struct committer *committer, struct store_write *write)
{
    bool is_first;

    write->next = NULL;
    pthread_mutex_lock(&committer->lock);
    is_first = committer->queued.first == NULL;
    *committer->queued.end = write;
    committer->queued.end = &write->next;
    pthread_mutex_unlock(&committer->lock);
    if (is_first)
        pthread_cond_signal(&committer->wake);
}

uint64_t
committer_probe(struct committer *committer)
{
    uint64_t number;

    pthread_mutex_lock(&committer->lock);
    number = ++committer->asked;
    pthread_mutex_unlock(&committer->lock);
    pthread_cond_signal(&committer->wake);
    return number;
}

struct store_write *
committer_collect(struct committer *committer)
{
    struct store_write *first;
    eventfd_t count;

    pthread_mutex_lock(&committer->lock);
    first = committer->finished.first;
    list_init(&committer->finished);
    if (committer->is_signalled)
        (void)eventfd_read(committer->fd, &count); /* resets it */
    committer->is_signalled = false;
    pthread_mutex_unlock(&committer->lock);
    return first;
}

uint64_t
committer_probed(struct committer *committer, enum err *probed_out)
{
    uint64_t answered;

    pthread_mutex_lock(&committer->lock);
    answered = committer->answered;
    *probed_out = committer->probed;
    pthread_mutex_unlock(&committer->lock);
    return answered;
}

void
committer_stop(struct committer *committer)
{
    if (committer == NULL)
        return;
    pthread_mutex_lock(&committer->lock);
    committer->is_stopping = true;
    pthread_mutex_unlock(&committer->lock);
    pthread_cond_signal(&committer->wake);
    pthread_join(committer->thread, NULL);

    close(committer->fd);
    pthread_cond_destroy(&committer->wake);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}
