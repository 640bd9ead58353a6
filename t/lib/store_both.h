// SPDX-License-Identifier: MIT
/* One body, every store: tests that run over LMDB and over the double. */
#ifndef STORE_BOTH_H
#define STORE_BOTH_H

#include "store/store.h"
#include "write_of.h"

#include <criterion/criterion.h>

/* The LMDB store at path, keeping so many versions; 0: all. */
struct store *open_keeping(const char *path, uint64_t history);

/* The same for a new store. */
void run_over_lmdb(void (*body)(struct store *store), uint64_t history);
void run_over_memory(void (*body)(struct store *store), uint64_t history);

#define STORE_TEST_KEEPING(history, name)                                      \
    static void name(struct store *store);                                     \
    Test(lmdb, name)                                                           \
    {                                                                          \
        run_over_lmdb(name, history);                                          \
    }                                                                          \
    Test(memory, name)                                                         \
    {                                                                          \
        run_over_memory(name, history);                                        \
    }                                                                          \
    static void name(struct store *store)

#define STORE_TEST(name) STORE_TEST_KEEPING(0, name)

/* Stores text; returns its version. */
uint64_t stored(struct store *store, const char *tenant, const char *key,
                const char *text);

void assert_write(struct store *store, struct store_write write,
                  enum err result, uint64_t version);
/* text "": it is not set. */
void assert_value(struct store *store, const char *tenant, const char *key,
                  uint64_t version, const char *text);

/* Commits the writes of an array as one batch. */
enum err commit_all(struct store *store, struct store_write *writes,
                    size_t count);

/* What a scan, list or history visited, as text. */
struct seen {
    char text[4096];
    size_t limit; /* visits until one fails; 0: none does */
};

/* Visits a version: "version=value(subject,request_id) ". */
enum err see_version(void *ctx, const struct record *record,
                     const struct record_origin *origin);

/* Of acme's key. */
void assert_history(struct store *store, const char *key, uint64_t before,
                    size_t limit, const char *expected);

#endif
