// SPDX-License-Identifier: MIT
/* What stat(2) tells of a file, to see whether it has changed. */
#ifndef BASE_FILE_ID_H
#define BASE_FILE_ID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* Equal ids, equal content, unless the file is young. */
struct file_id {
    int64_t error; /* errno of stat(2); the rest is then 0 */
    int64_t device;
    int64_t inode;
    int64_t size;
    int64_t modified; /* ns */
    int64_t changed;  /* ns */
};

struct file_id file_id_read(const char *path);
struct file_id file_id_of(const struct stat *file);

bool file_id_equals(const struct file_id *a, const struct file_id *b);
bool file_id_is_gone(const struct file_id *id);

/* True if the file changed so recently that it may change again and keep its
 * id: the kernel's clock for time stamps ticks every few milliseconds. */
bool file_id_is_young(const struct file_id *id);

/* Not 0. */
uint64_t file_id_hash(const struct file_id *id);

#endif
