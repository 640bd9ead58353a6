// SPDX-License-Identifier: MIT
/*
 * Fills a store with tenants, each with all keys set, through the store's seam.
 *
 *   load DIR TENANTS [MAP_SIZE]
 *
 * The tenants are t1, t2, …; those that are there already are not written
 * again. Prints a line of JSON: what was written, and how long it took.
 */
#include "base/util.h"
#include "model/config_keys.h"
#include "model/tenant.h"
#include "store/open.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TENANTS_PER_COMMIT 1000

static const struct {
    const char *key;
    const char *value;
} settings[] = {
    {"sales_order_generator_sequence",
     "{\"prefix\":\"SO-\",\"size\":8,\"start\":1,\"step\":1}"},
    {"on_hold_timer_duration", "1800"},
    {"cancellation_allowed_from", "[\"store\",\"dc\"]"},
    {"big_sales_order", "{\"soft_limit_for_big_orders\":250}"},
    {"external_oms", "{\"enabled\":true}"},
    {"external_order_webhook",
     "{\"url\":\"https://hooks.example/orders\",\"api_key\":"
     "\"4f9d2c81e07b5a36\",\"timeout\":15}"},
};

struct batch {
    struct store_write writes[TENANTS_PER_COMMIT * ARRAY_SIZE(settings)];
    char tenants[TENANTS_PER_COMMIT][TENANT_MAX + 1];
};

static double
seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct store_write *
take(void *ctx)
{
    struct batch *batch = ctx;

    return batch->writes;
}

/* Commits tenants first to end - 1. */
static enum err
load_some(struct store *store, struct batch *batch, long first, long end)
{
    struct store_write *write = batch->writes;
    enum err err;

    for (long i = first; i < end; i++) {
        char *tenant = batch->tenants[i - first];

        snprintf(tenant, sizeof(batch->tenants[0]), "t%ld", i);
        for (size_t k = 0; k < ARRAY_SIZE(settings); k++, write++)
            *write = (struct store_write){
                .tenant = tenant,
                .key = settings[k].key,
                .value = settings[k].value,
                .value_len = strlen(settings[k].value),
                .author = "loader",
                .request_id = "load",
                .base = STORE_ANY_VERSION,
                .next = write + 1,
            };
    }
    write[-1].next = NULL;
    err = store_commit(store, take, batch);
    for (write = batch->writes; write != NULL; write = write->next)
        if (err == ERR_OK)
            err = write->result;
    return err;
}

static void
show_progress(long done, long count)
{
    enum { WIDTH = 40 };
    int filled = count > 0 ? (int)(done * WIDTH / count) : WIDTH;

    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r[%.*s%*s] %ld of %ld tenants%s", filled,
            "########################################", WIDTH - filled, "",
            done, count, done == count ? "\n" : "");
}

static bool
has_tenant(struct store *store, long i)
{
    struct record record = {0};
    char tenant[TENANT_MAX + 1];
    bool has;

    snprintf(tenant, sizeof(tenant), "t%ld", i);
    has = store_get(store, tenant, settings[ARRAY_SIZE(settings) - 1].key,
                    &record) == ERR_OK &&
          record.version > 0;
    record_clear(&record);
    return has;
}

static enum err
load(struct store *store, long count, long *written_out)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    enum err err = batch != NULL ? ERR_OK : ERR_NOMEM;
    long first = 1;

    while (first <= count && has_tenant(store, first))
        first += TENANTS_PER_COMMIT;
    *written_out = first <= count ? count - first + 1 : 0;
    while (err == ERR_OK && first <= count) {
        long end = first + TENANTS_PER_COMMIT;

        if (end > count + 1)
            end = count + 1;
        err = load_some(store, batch, first, end);
        show_progress(end - 1, count);
        first = end;
    }
    free(batch);
    return err;
}

int
main(int argc, char **argv)
{
    struct store_options options = {.map_size = (size_t)16 << 30};
    struct store *store;
    char why[512] = "";
    double start = seconds_now(), opened;
    long count, written;
    enum err err;

    if (argc < 3) {
        fprintf(stderr, "usage: load DIR TENANTS [MAP_SIZE]\n");
        return 2;
    }
    options.path = argv[1];
    count = strtol(argv[2], NULL, 10);
    if (argc > 3)
        options.map_size = strtoull(argv[3], NULL, 10);
    if (store_open(&options, &store, why, sizeof(why)) != ERR_OK) {
        fprintf(stderr, "load: %s\n", why);
        return 1;
    }
    opened = seconds_now();
    err = load(store, count, &written);
    store_close(store);
    if (err != ERR_OK) {
        fprintf(stderr, "load: could not write: %s\n", err_name(err));
        return 1;
    }
    printf("{\"tenants\":%ld,\"settings\":%ld,\"open_ms\":%.3f,"
           "\"seconds\":%.3f}\n",
           written, written * (long)ARRAY_SIZE(settings),
           (opened - start) * 1e3, seconds_now() - opened);
    return 0;
}
