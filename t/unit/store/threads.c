// SPDX-License-Identifier: MIT
/*
 * The event loop's thread and the committer's on one LMDB store, while the
 * environment is mended under them.
 */
#include "store/committer.h"
#include "store/store.h"

#include "base/util.h"
#include "lib/bad_disk.h"
#include "lib/scratch.h"
#include "lib/tap.h"
#include "store/open.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TENANTS = 40, ROUNDS = 60, SMALL_MAP = 2 << 20 };

static char *path;

static struct store *
open_with(size_t map_size)
{
    struct store *store = NULL;
    char why[512] = "";
    enum err err =
        store_open(&(struct store_options){.path = path, .map_size = map_size},
                   &store, why, sizeof(why));

    if (err != ERR_OK)
        printf("# %s\n", why);
    MUST(err == ERR_OK);
    return store;
}

struct tenant {
    char name[8];
    struct store_write write;
    uint64_t version; /* of the last write that was answered */
    bool is_unsure;   /* one that failed may be stored all the same */
};

static struct tenant tenants[TENANTS];

static enum err
count_record(void *ctx, const char *tenant, const char *key,
             const struct record *record)
{
    (void)tenant;
    (void)key;
    (void)record;
    ++*(unsigned int *)ctx;
    return ERR_OK;
}

static void
read_all(struct store *store)
{
    unsigned int count = 0;

    for (size_t i = 0; i < TENANTS; i++) {
        struct record record;

        MUST(store_get(store, tenants[i].name, "timer", &record) == ERR_OK);
        MUST(record.version >= tenants[i].version);
        record_clear(&record);
    }
    MUST(store_scan(store, count_record, &count) == ERR_OK);
    MUST(count <= TENANTS + 1);
}

/*
 * A commit whose meta page could not be written is forgotten as soon as its
 * process has the write lock again. If another one opens the store before that,
 * it repeats the commit, as after a power loss: the next write of the tenant
 * finds out.
 */
static void
note(struct tenant *tenant, enum err result, bool may_fail)
{
    bool is_stored = result == ERR_CONFLICT && tenant->is_unsure;

    MUST(result == ERR_OK || is_stored || (may_fail && result == ERR_STORE));
    tenant->is_unsure = result == ERR_STORE;
    if (result == ERR_STORE)
        return;
    MUST(tenant->write.version == tenant->version + 1);
    tenant->version = tenant->write.version;
}

/* Submits one write for each tenant, and reads until all have come back. */
static void
work(struct store *store, struct committer *committer, bool may_fail)
{
    size_t left = TENANTS;

    for (size_t i = 0; i < TENANTS; i++) {
        struct tenant *tenant = &tenants[i];

        snprintf(tenant->name, sizeof(tenant->name), "t%zu", i);
        tenant->write = (struct store_write){
            .tenant = tenant->name,
            .key = "timer",
            .value = "{\"value\":60}",
            .value_len = 12,
            .base = tenant->version,
            .lost = ERR_CONFLICT,
            .owner = tenant,
        };
        committer_submit(committer, &tenant->write);
    }
    while (left > 0) {
        struct pollfd poller = {committer_fd(committer), POLLIN, 0};

        read_all(store);
        MUST(poll(&poller, 1, 30000) == 1);
        for (struct store_write *write = committer_collect(committer);
             write != NULL; write = write->next, left--) {
            note(write->owner, write->result, may_fail);
        }
    }
}

/* Another process, which makes the file outgrow the map of this one. */
static void
outgrow(void)
{
    static char big[60000];
    struct store_write write = {.tenant = "other",
                                .key = "timer",
                                .value = big,
                                .value_len = sizeof(big),
                                .base = STORE_ANY_VERSION};
    struct store *store = open_with(16 * SMALL_MAP);

    for (int i = 0; i < 40; i++)
        MUST(store_commit_one(store, &write) == ERR_OK);
    store_close(store);
    _exit(0);
}

/* Forked while there is one thread; waits to be told. */
static pid_t
start_outgrower(int *go_out)
{
    int go[2];
    char byte;
    pid_t pid;

    MUST(pipe(go) == 0);
    fflush(stdout);
    pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        close(go[1]);
        if (read(go[0], &byte, 1) == 0)
            outgrow();
        _exit(1);
    }
    close(go[0]);
    *go_out = go[1];
    return pid;
}

int
main(void)
{
    struct committer *committer;
    struct store *store;
    int go, status;
    pid_t other;

    path = scratch_make();
    setvbuf(stdout, NULL, _IONBF, 0);
    puts("1..4");
    other = start_outgrower(&go);
    store = open_with(SMALL_MAP);
    committer = committer_start(store);
    MUST(committer != NULL);

    for (int round = 0; round < ROUNDS; round++)
        work(store, committer, false);
    puts("ok 1 - reads beside commits");

    disk.meta_every = 7;
    disk.meta_error = EIO;
    for (int round = 0; round < ROUNDS; round++)
        work(store, committer, true);
    disk.meta_error = 0;
    /* Until the next commit, another process may find what failed noted, and
     * do it. */
    work(store, committer, false);
    puts("ok 2 - reads while meta pages cannot be written");

    close(go);
    for (int round = 0; round < ROUNDS; round++)
        work(store, committer, false);
    MUST(waitpid(other, &status, 0) == other && status == 0);
    work(store, committer, false);
    puts("ok 3 - reads and commits while the map is outgrown");

    committer_stop(committer);
    store_close(store);
    store = open_with(SMALL_MAP);
    read_all(store);
    for (size_t i = 0; i < TENANTS; i++)
        MUST(tenants[i].version > 0);
    store_close(store);
    scratch_remove(path);
    puts("ok 4 - all answered writes are there");
    return 0;
}
