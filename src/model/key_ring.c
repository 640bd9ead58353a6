// SPDX-License-Identifier: MIT
#include "model/key_ring.h"

#include "base/file.h"
#include "base/util.h"
#include "json/decode.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>

#define FILE_BYTES_MAX ((size_t)64 * 1024)

#define KEY_BYTES crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* The first part of what is authenticated beside the text. Whoever changes the
 * format gives it another one. */
static const char format[] = "orderconf secret 1";

struct secret_key {
    char kid[KEY_RING_KID_MAX + 1];
    unsigned char bytes[KEY_BYTES];
};

/* In pages that are locked, not dumped, and wiped in the end. */
struct key_ring {
    size_t count;
    struct secret_key keys[KEY_RING_KEYS_MAX];
};

/* Where an explanation goes. */
struct reason {
    const char *path;
    char *why;
    size_t why_size;
};

static enum err refuse(const struct reason *reason, const char *text, ...)
    __attribute__((format(printf, 2, 3)));

static enum err
refuse(const struct reason *reason, const char *text, ...)
{
    va_list args;
    int len = snprintf(reason->why, reason->why_size, "%s", reason->path);

    va_start(args, text);
    if (len >= 0 && (size_t)len < reason->why_size)
        vsnprintf(reason->why + len, reason->why_size - (size_t)len, text,
                  args);
    va_end(args);
    return ERR_INVALID;
}

static enum err
refuse_memory(const struct reason *reason)
{
    (void)refuse(reason, ": out of memory");
    return ERR_NOMEM;
}

static bool
is_kid_taken(const struct key_ring *ring, const char *kid)
{
    for (size_t i = 0; i < ring->count; i++)
        if (strcmp(ring->keys[i].kid, kid) == 0)
            return true;
    return false;
}

/* True if text is that of exactly size bytes. */
static bool
decode_bytes(const char *text, unsigned char *bytes, size_t size)
{
    size_t len;
    const char *end;

    return sodium_base642bin(bytes, size, text, strlen(text), NULL, &len, &end,
                             BASE64) == 0 &&
           len == size && *end == '\0';
}

static enum err
add_key(struct key_ring *ring, const json_t *json, size_t i,
        const struct reason *reason)
{
    struct secret_key *key = &ring->keys[ring->count];
    const char *kty = json_string_value(json_object_get(json, "kty"));
    const char *kid = json_string_value(json_object_get(json, "kid"));
    const char *text = json_string_value(json_object_get(json, "k"));

    if (!json_is_object(json))
        return refuse(reason, ": keys[%zu]: must be an object", i);
    if (kty == NULL || strcmp(kty, "oct") != 0)
        return refuse(reason, ": keys[%zu].kty: must be \"oct\"", i);
    if (kid == NULL || *kid == '\0' || strlen(kid) > KEY_RING_KID_MAX)
        return refuse(reason,
                      ": keys[%zu].kid: must be a text of 1 to %d "
                      "bytes",
                      i, KEY_RING_KID_MAX);
    if (is_kid_taken(ring, kid))
        return refuse(reason, ": keys[%zu].kid: another key has the same kid",
                      i);
    if (text == NULL || !decode_bytes(text, key->bytes, KEY_BYTES))
        return refuse(reason, ": keys[%zu].k: must be %u bytes in base64url", i,
                      KEY_BYTES);
    memcpy(key->kid, kid, strlen(kid) + 1);
    ring->count++;
    return ERR_OK;
}

static enum err
add_keys(struct key_ring *ring, const json_t *keys, const struct reason *reason)
{
    enum err err = ERR_OK;
    const json_t *json;
    size_t i;

    if (!json_is_array(keys) || json_array_size(keys) == 0)
        return refuse(reason, ": keys: must be an array with at least one key");
    if (json_array_size(keys) > KEY_RING_KEYS_MAX)
        return refuse(reason, ": keys: must have at most %d elements",
                      KEY_RING_KEYS_MAX);
    json_array_foreach(keys, i, json)
    {
        err = add_key(ring, json, i, reason);
        if (err != ERR_OK)
            break;
    }
    return err;
}

/* Jansson has no wish to wipe what it frees. */
static void
wipe_keys(const json_t *keys)
{
    const json_t *json;
    size_t i;

    json_array_foreach(keys, i, json)
    {
        const json_t *text = json_object_get(json, "k");

        if (json_is_string(text))
            sodium_memzero((void *)(uintptr_t)json_string_value(text),
                           json_string_length(text));
    }
}

static enum err
parse(struct key_ring *ring, const char *text, size_t len,
      const struct reason *reason)
{
    struct decode_fault fault;
    json_auto_t *root = NULL;
    enum err err = decode_json(text, len, &root, &fault);

    if (err == ERR_OK)
        err = add_keys(ring, json_object_get(root, "keys"), reason);
    else
        err = refuse(reason, ":%zu:%zu: %s", fault.line, fault.column,
                     fault.text);
    wipe_keys(json_object_get(root, "keys"));
    return err;
}

/* What everybody may read is no secret. The file that was read is the one that
 * was looked at, unless it was replaced in between. */
static enum err
read_file(char *text, size_t *len_out, const struct reason *reason)
{
    struct stat file;
    struct file_id seen, id;
    const char *why;

    if (stat(reason->path, &file) != 0)
        return refuse(reason, ": %s", strerror(errno));
    why = file_read(reason->path, text, FILE_BYTES_MAX + 1, len_out, &id);
    if (why != NULL)
        return refuse(reason, ": %s", why);
    seen = file_id_of(&file);
    if (!file_id_equals(&seen, &id))
        return refuse(reason, ": was changed while it was read");
    if ((file.st_mode & S_IRWXO) != 0)
        return refuse(
            reason,
            ": is open to others (mode %04o); the mode must be 0640 or less",
            (unsigned)file.st_mode & 07777);
    if (*len_out > FILE_BYTES_MAX)
        return refuse(reason, ": is larger than %zu bytes", FILE_BYTES_MAX);
    return ERR_OK;
}

enum err
key_ring_open(const char *path, struct key_ring **ring_out, char *why,
              size_t why_size)
{
    const struct reason reason = {path, why, why_size};
    struct key_ring *ring = NULL;
    char *text;
    size_t len = 0;
    enum err err;

    if (sodium_init() < 0)
        return refuse(&reason, ": libsodium could not be initialized");
    text = malloc(FILE_BYTES_MAX + 1);
    if (text == NULL)
        return refuse_memory(&reason);
    err = read_file(text, &len, &reason);
    if (err == ERR_OK) {
        ring = sodium_malloc(sizeof(*ring));
        if (ring == NULL)
            err = refuse_memory(&reason);
    }
    if (err == ERR_OK) {
        ring->count = 0;
        err = parse(ring, text, len, &reason);
    }
    sodium_memzero(text, FILE_BYTES_MAX + 1);
    free(text);
    if (err == ERR_OK && sodium_mprotect_readonly(ring) != 0)
        err = refuse_memory(&reason);
    if (err == ERR_OK)
        *ring_out = ring;
    else
        key_ring_close(ring);
    return err;
}

void
key_ring_close(struct key_ring *ring)
{
    sodium_free(ring); /* wipes */
}

const char *
key_ring_kid(const struct key_ring *ring)
{
    return ring->keys[0].kid;
}

/* What is authenticated, but not kept: the format and the place, each with its
 * NUL so that no two places make the same bytes. From malloc. */
static unsigned char *
bind(const struct key_ring_place *place, size_t *len_out)
{
    const char *const parts[] = {format, place->tenant, place->key,
                                 place->member};
    unsigned char *bytes, *at;
    size_t len = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        len += strlen(parts[i]) + 1;
    bytes = at = malloc(len);
    for (size_t i = 0; bytes != NULL && i < ARRAY_SIZE(parts); i++)
        at = mempcpy(at, parts[i], strlen(parts[i]) + 1);
    *len_out = len;
    return bytes;
}

char *
key_ring_seal(const struct key_ring *ring, const struct key_ring_place *place,
              const char *text, size_t len)
{
    size_t bound_len, size = NONCE_BYTES + len + TAG_BYTES;
    unsigned char *bound = bind(place, &bound_len);
    unsigned char *sealed = malloc(size);
    char *data = malloc(sodium_base64_encoded_len(size, BASE64));

    if (bound != NULL && sealed != NULL && data != NULL) {
        randombytes_buf(sealed, NONCE_BYTES);
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(/* cannot fail */
                                                         sealed + NONCE_BYTES,
                                                         NULL,
                                                         (const unsigned char *)
                                                             text,
                                                         len, bound, bound_len,
                                                         NULL, sealed,
                                                         ring->keys[0].bytes);
        sodium_bin2base64(data, sodium_base64_encoded_len(size, BASE64), sealed,
                          size, BASE64);
    } else {
        free(data);
        data = NULL;
    }
    free(bound);
    free(sealed);
    return data;
}

/* Opens len bytes of nonce and ciphertext into text. */
static enum err
unseal(const struct secret_key *key, const struct key_ring_place *place,
       const unsigned char *bytes, size_t len, char *text)
{
    size_t bound_len;
    unsigned char *bound = bind(place, &bound_len);
    int rc;

    if (bound == NULL)
        return ERR_NOMEM;
    rc = crypto_aead_xchacha20poly1305_ietf_decrypt(
        (unsigned char *)text, NULL, NULL, bytes + NONCE_BYTES,
        len - NONCE_BYTES, bound, bound_len, bytes, key->bytes);
    free(bound);
    return rc == 0 ? ERR_OK : ERR_INVALID;
}

enum err
key_ring_unseal(const struct key_ring *ring, const struct key_ring_place *place,
                const char *kid, const char *data, char **text_out,
                size_t *len_out)
{
    const struct secret_key *key = NULL;
    size_t size = strlen(data) / 4 * 3 + 3, len;
    auto_char *bytes = NULL;
    char *text;
    const char *end;
    enum err err;

    for (size_t i = 0; i < ring->count && key == NULL; i++)
        if (strcmp(ring->keys[i].kid, kid) == 0)
            key = &ring->keys[i];
    if (key == NULL)
        return ERR_NOTFOUND;
    bytes = malloc(size);
    text = malloc(size);
    if (bytes == NULL || text == NULL)
        err = ERR_NOMEM;
    else if (sodium_base642bin((unsigned char *)bytes, size, data, strlen(data),
                               NULL, &len, &end, BASE64) != 0 ||
             *end != '\0' || len < NONCE_BYTES + TAG_BYTES)
        err = ERR_INVALID;
    else
        err = unseal(key, place, (const unsigned char *)bytes, len, text);
    if (err != ERR_OK) {
        free(text);
        return err;
    }
    *len_out = len - NONCE_BYTES - TAG_BYTES;
    text[*len_out] = '\0';
    *text_out = text;
    return ERR_OK;
}
