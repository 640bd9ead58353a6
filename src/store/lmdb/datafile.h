// SPDX-License-Identifier: MIT
/*
 * The store's directory and data file, looked at before LMDB maps them: a page
 * that is missing or garbage would kill the process when it is read, and an
 * operator needs to know which path is wrong, and how.
 */
#ifndef STORE_LMDB_DATAFILE_H
#define STORE_LMDB_DATAFILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define STORE_FILE_MODE 0640
#define STORE_FILE_DATA "data.mdb"
#define STORE_FILE_NEW "data.mdb.new" /* being created */
#define STORE_FILE_LOCK "lock.mdb"    /* LMDB's name for it */

/* One reader slot for each process, and one more while it lists or scans.
 * Whoever makes the lock file decides: many workers and CGI runs at once. */
#define STORE_FILE_READERS_MAX 1024

/* What a sound data file says of itself. */
struct store_file {
    size_t map_size; /* the largest it was ever opened and written with */
    size_t page_size;
    size_t last_page; /* may never have been written, if it is free */
    bool is_short;    /* it ends before last_page does */
};

/* Writes the explanation, and returns ERR_STORE. */
enum err store_file_refuse(char *why, size_t why_size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Opens the directory, made with mode 0750 if it is missing (its parents are
 * not). The descriptor is the caller's. */
enum err store_file_open_dir(const char *path, int *fd_out, char *why,
                             size_t why_size);

/* Opens dir/data.mdb as LMDB will, and checks what LMDB takes on trust when it
 * opens it. */
enum err store_file_check(const char *dir, struct store_file *file_out,
                          char *why, size_t why_size);

/* The same for reading only, and of the first two pages only, but with what
 * they say of the size of the store. */
enum err store_file_look(const char *dir, struct store_file *file_out,
                         char *why, size_t why_size);

/* Reads the same again, of a file that was checked and is in use. */
bool store_file_read(int fd, struct store_file *file_out);

/* True if a tree may have its root there: a page of its own, not past the
 * end, that holds entries. */
bool store_file_is_root(int fd, const struct store_file *file, size_t page);

/* Why nothing can be written to a file that is open for it, but for want of
 * room; static text, or NULL. */
const char *store_file_find_fault(int fd);

/* True if the file that is open is not the one that the directory has now: that
 * was moved away, say, or another store was restored to its place. */
bool store_file_is_elsewhere(int fd, const char *dir);

/* Tells a full disk (or quota) from a broken one: LMDB reports both as EIO. */
bool store_file_is_disk_full(int fd);

/* As store_exists, store_copy_give and store_copy_remove. */
bool store_file_exists(const char *dir);
bool store_file_give(const char *dir, const char *from);
void store_file_remove(const char *dir);

#endif
