// SPDX-License-Identifier: MIT
#include "store/lmdb/redo.h"

#include "base/util.h"
#include "store/layout.h"
#include "store/lmdb/format.h"
#include "store/lmdb/meta.h"
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOT_SIZE ((size_t)65536)

/*
 *   slot   number:8  of the commit
 *          len:8     of the entries
 *          hash:8    of the above and the entries
 *          entries
 *
 *   entry  name_len:8, record_len:8, name, record (see store/layout.h)
 */
enum { NUMBER = 0, LEN = 8, HASH = 16, HEAD = 24, ENTRY_HEAD = 16 };

int
lmdb_redo_create(MDB_txn *txn, MDB_dbi meta)
{
    MDB_val key = lmdb_meta_key(LMDB_META_REDO_KEY);
    MDB_val value = {2 * SLOT_SIZE, NULL};
    int rc = mdb_put(txn, meta, &key, &value, MDB_RESERVE);

    if (rc == 0)
        memset(value.mv_data, 0, value.mv_size);
    return rc;
}

static int
fd_of(MDB_txn *txn)
{
    int fd = -1;

    (void)mdb_env_get_fd(mdb_txn_env(txn), &fd); /* it is open: cannot fail */
    return fd;
}

off_t
lmdb_redo_find(MDB_txn *txn, MDB_dbi meta)
{
    MDB_val key = lmdb_meta_key(LMDB_META_REDO_KEY);
    unsigned char head[LMDB_PAGE_HEAD];
    MDB_stat stat;
    MDB_val value;
    size_t page;
    off_t at;

    if (mdb_get(txn, meta, &key, &value) != 0 ||
        value.mv_size != 2 * SLOT_SIZE || mdb_stat(txn, meta, &stat) != 0)
        return 0;
    /* A page begins with its number. */
    memcpy(&page, (const char *)value.mv_data - LMDB_PAGE_HEAD, sizeof(page));
    at = (off_t)(page * stat.ms_psize);
    /* Not where we think it is: better two flushes. */
    if (pread(fd_of(txn), head, sizeof(head), at) != sizeof(head) ||
        memcmp(head, (const char *)value.mv_data - LMDB_PAGE_HEAD,
               LMDB_PAGE_HEAD) != 0)
        return 0;
    return at + (off_t)LMDB_PAGE_HEAD;
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

/* Adds the write at *at, and moves on. False if there is no room up to end. */
static bool
add_entry(const struct store_write *write, unsigned char **at,
          const unsigned char *end)
{
    struct store_record record = store_record_of(write);
    size_t size = store_record_size(&record);
    struct store_name name;

    /* It was stored, so that it has a name. */
    (void)store_name_encode(write->tenant, write->key, &name);
    if ((size_t)(end - *at) < ENTRY_HEAD + name.len + size)
        return false;
    store_number_encode(name.len, *at);
    store_number_encode(size, *at + 8);
    memcpy(*at + ENTRY_HEAD, name.bytes, name.len);
    store_record_encode(&record, *at + ENTRY_HEAD + name.len);
    *at += ENTRY_HEAD + name.len + size;
    return true;
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
lmdb_redo_write(MDB_txn *txn, off_t at, const struct store_write *first,
                const struct store_write *end)
{
    unsigned char slot[SLOT_SIZE];
    unsigned char *next = slot + HEAD;
    size_t number = mdb_txn_id(txn), len;

    for (; first != end; first = first->next)
        if (first->is_new && !add_entry(first, &next, slot + SLOT_SIZE))
            return E2BIG;
    len = (size_t)(next - slot) - HEAD;
    store_number_encode(number, slot + NUMBER);
    store_number_encode(len, slot + LEN);
    store_number_encode(hash_slot(slot, len), slot + HASH);
    return write_all(fd_of(txn), slot, HEAD + len, slot_of(at, number));
}

void
lmdb_redo_forget(MDB_txn *txn, off_t at)
{
    static const unsigned char nothing[HEAD];

    /* Flushed with the next commit. Nothing better to do if this fails, too. */
    (void)write_all(fd_of(txn), nothing, sizeof(nothing),
                    slot_of(at, mdb_txn_id(txn)));
}

int
lmdb_redo_wipe(MDB_txn *txn, off_t at)
{
    static const unsigned char nothing[2 * SLOT_SIZE];

    return write_all(fd_of(txn), nothing, sizeof(nothing), at);
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
lmdb_redo_has(MDB_txn *txn, off_t at, size_t number)
{
    unsigned char slot[SLOT_SIZE];

    return read_slot(fd_of(txn), at, number, slot);
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
lmdb_redo_read(MDB_txn *txn, off_t at, lmdb_redo_fn *visit, void *ctx)
{
    unsigned char slot[SLOT_SIZE];
    const unsigned char *entry = slot + HEAD, *end;
    struct store_record record;
    struct store_name name;
    int rc = 0;

    if (!read_slot(fd_of(txn), at, mdb_txn_id(txn), slot))
        return 0;
    end = entry + store_number_decode(slot + LEN);
    while (rc == 0 && entry < end)
        rc = read_entry(&entry, end, &name, &record)
                 ? visit(ctx, txn, &name, &record)
                 : MDB_CORRUPTED;
    return rc;
}
