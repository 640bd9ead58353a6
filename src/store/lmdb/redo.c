// SPDX-License-Identifier: MIT
#include "store/lmdb/redo.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REDO_KEY "redo"
#define SLOT_SIZE ((size_t)65536)

/* In front of each overflow page's value (mdb.c: MDB_page, PAGEHDRSZ), with
 * the page's number first. */
#define PAGE_HEAD 16

/*
 *   slot   number:8  of the commit
 *          len:8     of the entries
 *          hash:8    of the above and the entries
 *          entries
 *
 *   entry  name_len:8, record_len:8, name, record (see store/layout.h)
 */
enum { NUMBER = 0, LEN = 8, HASH = 16, HEAD = 24, ENTRY_HEAD = 16 };

static MDB_val
redo_key(void)
{
    static char key[] = REDO_KEY;

    return (MDB_val){strlen(key), key};
}

int
lmdb_redo_create(MDB_txn *txn, MDB_dbi meta)
{
    MDB_val key = redo_key();
    MDB_val value = {2 * SLOT_SIZE, NULL};
    int rc = mdb_put(txn, meta, &key, &value, MDB_RESERVE);

    if (rc == 0)
        memset(value.mv_data, 0, value.mv_size);
    return rc;
}

off_t
lmdb_redo_find(MDB_txn *txn, MDB_dbi meta, int fd)
{
    MDB_val key = redo_key();
    unsigned char head[PAGE_HEAD];
    MDB_stat stat;
    MDB_val value;
    size_t page;
    off_t at;

    if (mdb_get(txn, meta, &key, &value) != 0 ||
        value.mv_size != 2 * SLOT_SIZE || mdb_stat(txn, meta, &stat) != 0)
        return 0;
    memcpy(&page, (const char *)value.mv_data - PAGE_HEAD, sizeof(page));
    at = (off_t)(page * stat.ms_psize);
    /* Not where we think it is: better two flushes. */
    if (pread(fd, head, sizeof(head), at) != sizeof(head) ||
        memcmp(head, (const char *)value.mv_data - PAGE_HEAD, PAGE_HEAD) != 0)
        return 0;
    return at + PAGE_HEAD;
}

static off_t
slot_of(off_t at, size_t number)
{
    return at + (off_t)(number % 2 * SLOT_SIZE);
}

static uint64_t
hash_slot(const unsigned char *slot, size_t len)
{
    return hash_bytes(slot, HASH) ^ hash_bytes(slot + HEAD, len);
}

/* False if the write is none that a store takes. */
static bool
measure(const struct store_write *write, struct store_name *name_out,
        struct store_record *record_out, size_t *size_out)
{
    if (write->value_len > SLOT_SIZE ||
        !store_name_encode(write->tenant, write->key, name_out))
        return false;
    *record_out = store_record_of(write);
    *size_out = ENTRY_HEAD + name_out->len + store_record_size(record_out);
    return true;
}

bool
lmdb_redo_fits(const struct store_write *first, const struct store_write *end)
{
    struct store_record record;
    struct store_name name;
    size_t size, sum = HEAD;

    for (; first != end && sum <= SLOT_SIZE; first = first->next) {
        if (first->value_len > SLOT_SIZE)
            return false;
        if (measure(first, &name, &record, &size))
            sum += size;
    }
    return sum <= SLOT_SIZE;
}

static size_t
add_entry(unsigned char *at, const struct store_write *write)
{
    struct store_record record;
    struct store_name name;
    size_t size;

    if (!write->is_new || !measure(write, &name, &record, &size))
        return 0;
    store_number_encode(name.len, at);
    store_number_encode(size - ENTRY_HEAD - name.len, at + 8);
    memcpy(at + ENTRY_HEAD, name.bytes, name.len);
    store_record_encode(&record, at + ENTRY_HEAD + name.len);
    return size;
}

static int
write_all(int fd, const unsigned char *bytes, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t done = pwrite(fd, bytes, len, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? errno : EIO;
        bytes += done;
        len -= (size_t)done;
        at += done;
    }
    return 0;
}

int
lmdb_redo_write(int fd, off_t at, size_t number,
                const struct store_write *first, const struct store_write *end)
{
    unsigned char slot[SLOT_SIZE];
    size_t len = 0;

    for (; first != end; first = first->next)
        len += add_entry(slot + HEAD + len, first);
    store_number_encode(number, slot + NUMBER);
    store_number_encode(len, slot + LEN);
    store_number_encode(hash_slot(slot, len), slot + HASH);
    return write_all(fd, slot, HEAD + len, slot_of(at, number));
}

bool
lmdb_redo_is_barred(const struct store_write *first,
                    const struct store_write *end)
{
    while (first != end && first->op != STORE_REPLACE)
        first = first->next;
    return first != end;
}

int
lmdb_redo_wipe(MDB_env *env, off_t at)
{
    static const unsigned char nothing[2 * SLOT_SIZE];
    int fd, rc = mdb_env_get_fd(env, &fd);

    if (rc == 0)
        rc = mdb_env_sync(env, 1);
    return rc == 0 ? write_all(fd, nothing, sizeof(nothing), at) : rc;
}

void
lmdb_redo_forget(int fd, off_t at, size_t number)
{
    unsigned char head[HEAD] = {0};

    /* Flushed with the next commit. Nothing better to do if this fails, too. */
    (void)write_all(fd, head, sizeof(head), slot_of(at, number));
}

/* True if slot, of SLOT_SIZE bytes, is now that of commit number. */
static bool
read_slot(int fd, off_t at, size_t number, unsigned char *slot)
{
    ssize_t got = pread(fd, slot, SLOT_SIZE, slot_of(at, number));
    size_t len;

    if (got != (ssize_t)SLOT_SIZE || store_number_decode(slot) != number)
        return false;
    len = store_number_decode(slot + LEN);
    return len <= SLOT_SIZE - HEAD &&
           store_number_decode(slot + HASH) == hash_slot(slot, len);
}

bool
lmdb_redo_has(int fd, off_t at, size_t number)
{
    unsigned char slot[SLOT_SIZE];

    return read_slot(fd, at, number, slot);
}

/* Takes the entry at *at, and moves on. */
static bool
read_entry(const unsigned char **at, const unsigned char *end,
           struct store_name *name_out, struct store_record *record_out)
{
    const unsigned char *entry = *at;
    size_t left = (size_t)(end - entry);
    size_t name_len, record_len;

    if (left < ENTRY_HEAD)
        return false;
    name_len = store_number_decode(entry);
    record_len = store_number_decode(entry + 8);
    left -= ENTRY_HEAD;
    entry += ENTRY_HEAD;
    if (name_len > STORE_NAME_SIZE - sizeof(uint64_t) || name_len > left ||
        record_len > left - name_len ||
        !store_record_decode(entry + name_len, record_len, record_out))
        return false;
    memcpy(name_out->bytes, entry, name_len);
    name_out->len = name_len;
    *at = entry + name_len + record_len;
    return true;
}

int
lmdb_redo_read(int fd, off_t at, MDB_txn *txn, lmdb_redo_fn *visit, void *ctx)
{
    unsigned char slot[SLOT_SIZE];
    const unsigned char *entry = slot + HEAD, *end;
    struct store_record record;
    struct store_name name;
    int rc = 0;

    if (!read_slot(fd, at, mdb_txn_id(txn), slot))
        return 0;
    end = entry + store_number_decode(slot + LEN);
    while (rc == 0 && entry < end)
        rc = read_entry(&entry, end, &name, &record)
                 ? visit(ctx, txn, &name, &record)
                 : MDB_CORRUPTED;
    return rc;
}
