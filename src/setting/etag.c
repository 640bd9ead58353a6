// SPDX-License-Identifier: MIT
#include "setting/etag.h"

#include "base/number.h"
#include "base/util.h"
#include "setting/change.h"

#include <sodium.h>
#include <string.h>

/* Of the write id, or of a hash. */
#define ID_SIZE (ETAG_ID_LEN / 2)

_Static_assert(ID_SIZE <= sizeof(((struct record *)NULL)->write_id),
               "a write id has enough bytes");

/* BLAKE2b: neither allocates nor fails. */
static void
hash_start(crypto_generichash_state *hash)
{
    (void)crypto_generichash_init(hash, NULL, 0, crypto_generichash_BYTES);
}

static void
hash_add(crypto_generichash_state *hash, const void *data, size_t len)
{
    (void)crypto_generichash_update(hash, data, len);
}

static void
hash_add_number(crypto_generichash_state *hash, uint64_t number)
{
    unsigned char bytes[8]; /* big-endian: the same on every machine */

    for (int i = 7; i >= 0; i--, number >>= 8)
        bytes[i] = (unsigned char)number;
    hash_add(hash, bytes, sizeof(bytes));
}

static void
hash_end(crypto_generichash_state *hash, unsigned char id_out[ID_SIZE])
{
    unsigned char digest[crypto_generichash_BYTES];

    (void)crypto_generichash_final(hash, digest, sizeof(digest));
    memcpy(id_out, digest, ID_SIZE);
}

static char *
put(char *at, const char *text, size_t len)
{
    memcpy(at, text, len);
    return at + len;
}

char *
etag_put_id(char *at, const unsigned char id[ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < ID_SIZE; i++) {
        *at++ = digits[id[i] >> 4];
        *at++ = digits[id[i] & 15];
    }
    return at;
}

static void
make(uint64_t version, const unsigned char id[ID_SIZE],
     char etag_out[ETAG_SIZE])
{
    char digits[NUMBER_SIZE];
    const char *number = number_text(digits, version);
    char *at = etag_out;

    *at++ = '"';
    at = put(at, number, strlen(number));
    *at++ = '-';
    at = etag_put_id(at, id);
    put(at, "\"", sizeof("\""));
}

/* The id of a version without a write id. A value that is damaged, so that it
 * has no secret to be masked, counts as it is. */
static enum err
hash_record(const struct config_key *key, const struct record *record,
            unsigned char id_out[ID_SIZE])
{
    crypto_generichash_state hash;
    const struct seal seal = {.key = key};
    struct seal_fault fault;
    char *masked = NULL;
    enum err err = ERR_OK;

    if (key->secret != NULL && record_is_set(record))
        err = change_show(&seal, CHANGE_MASKED, record, &masked, &fault);
    if (err == ERR_NOMEM)
        return err;
    hash_start(&hash);
    hash_add_number(&hash, record->version);
    hash_add_number(&hash, (uint64_t)record->updated_at);
    if (masked != NULL)
        hash_add(&hash, masked, strlen(masked));
    else if (record_is_set(record))
        hash_add(&hash, record->value, record->value_len);
    hash_end(&hash, id_out);
    seal_free(masked);
    return ERR_OK;
}

enum err
etag_of_record(const struct config_key *key, const struct record *record,
               char etag_out[ETAG_SIZE])
{
    unsigned char hashed[ID_SIZE];
    enum err err;

    if (record->version == 0) {
        put(etag_out, "\"0\"", sizeof("\"0\""));
        return ERR_OK;
    }
    if (record->has_write_id) {
        make(record->version, record->write_id, etag_out);
        return ERR_OK;
    }
    err = hash_record(key, record, hashed);
    if (err == ERR_OK)
        make(record->version, hashed, etag_out);
    return err;
}

void
etag_of_write(const struct store_write *write, char etag_out[ETAG_SIZE])
{
    make(write->version, write->write_id, etag_out);
}

enum err
etag_of_records(const struct record records[CONFIG_KEYS_MAX],
                char etags_out[CONFIG_KEYS_MAX][ETAG_SIZE])
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < CONFIG_KEYS_MAX && err == ERR_OK; i++)
        err = etag_of_record(&config_keys[i], &records[i], etags_out[i]);
    return err;
}

void
etag_of_all(const char etags[CONFIG_KEYS_MAX][ETAG_SIZE],
            char etag_out[ETAG_SIZE])
{
    unsigned char id[ID_SIZE];
    crypto_generichash_state hash;
    char *at = etag_out;

    hash_start(&hash);
    for (size_t i = 0; i < CONFIG_KEYS_MAX; i++)
        hash_add(&hash, etags[i], strlen(etags[i]));
    hash_end(&hash, id);
    *at++ = '"';
    at = etag_put_id(at, id);
    put(at, "\"", sizeof("\""));
}
