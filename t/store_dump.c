// SPDX-License-Identifier: MIT
/*
 * Prints every record and its history, one JSON object on a line, by nothing
 * but the store's own functions: what the next process that opens it finds.
 *
 *   store_dump DIR
 */
#include "store/open.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

struct place {
    struct store *store;
    const char *tenant, *key;
};

static void
print(const struct place *place, const char *kind, const struct record *record,
      const struct record_origin *origin)
{
    printf("{\"kind\":\"%s\",\"tenant\":\"%s\",\"key\":\"%s\","
           "\"version\":%ju,\"seq\":%ju,\"write_id\":\"",
           kind, place->tenant, place->key, (uintmax_t)record->version,
           (uintmax_t)record->seq);
    for (size_t i = 0; record->has_write_id && i < STORE_WRITE_ID_SIZE; i++)
        printf("%02x", record->write_id[i]);
    printf("\",\"request_id\":\"%s\",\"value\":%.*s}\n",
           origin != NULL && origin->request_id != NULL ? origin->request_id
                                                        : "",
           (int)record->value_len, record->value);
}

static enum err
print_version(void *ctx, const struct record *record,
              const struct record_origin *origin)
{
    print(ctx, "version", record, origin);
    return ERR_OK;
}

static enum err
print_record(void *ctx, const char *tenant, const char *key,
             const struct record *record)
{
    struct place place = {ctx, tenant, key};

    print(&place, "record", record, NULL);
    /* A later version is not of the scan's snapshot. */
    return store_history(place.store, tenant, key, record->version + 1,
                         SIZE_MAX, print_version, &place);
}

int
main(int argc, char **argv)
{
    struct store_options options = {
        .path = argc == 2 ? argv[1] : "",
        .map_size = (size_t)1 << 30,
    };
    struct store *store;
    char why[512];
    enum err err;

    if (store_open(&options, &store, why, sizeof(why)) != ERR_OK) {
        fprintf(stderr, "store_dump: %s\n", why);
        return 1;
    }
    err = store_scan(store, print_record, store);
    store_close(store);
    if (err != ERR_OK)
        fprintf(stderr, "store_dump: %s\n", err_name(err));
    return err != ERR_OK || fclose(stdout) != 0;
}
