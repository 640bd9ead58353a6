// SPDX-License-Identifier: MIT
#include "ring.h"

#include "base/file.h"
#include "base/util.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* A key's 32 bytes are 43 characters; the last one has two unused bits. */
#define KEY_CHARS 43

/* Adds a key to the text. */
static void
add_key(char *text, size_t size, const char *name)
{
    size_t len = strlen(text), name_len = strlen(name);
    char key[KEY_CHARS + 1];

    for (size_t i = 0; i < KEY_CHARS - 1; i++)
        key[i] = (char)(name[i % name_len] == '/' ? '_' : name[i % name_len]);
    key[KEY_CHARS - 1] = 'A';
    key[KEY_CHARS] = '\0';
    snprintf(text + len, size - len,
             "%s{\"kty\":\"oct\",\"kid\":\"%.*s\",\"k\":\"%s\"}",
             text[len - 1] == '[' ? "" : ",", (int)strcspn(name, "/"), name,
             key);
}

char *
ring_text(const char *kids)
{
    auto_char *copy = strdup(kids);
    size_t size = 64 + strlen(kids) * 128;
    char *text = malloc(size);
    char *at = NULL;

    cr_assert(copy != NULL && text != NULL);
    snprintf(text, size, "{\"keys\":[");
    for (char *name = strtok_r(copy, " ", &at); name != NULL;
         name = strtok_r(NULL, " ", &at))
        add_key(text, size, name);
    snprintf(text + strlen(text), size - strlen(text), "]}");
    return text;
}

struct key_ring *
ring_make(const char *kids)
{
    char *scratch = scratch_make();
    auto_char *path = scratch_path(scratch, "secrets.json");
    auto_char *text = ring_text(kids);
    struct key_ring *secrets = NULL;
    char why[512] = "";

    cr_assert_null(file_create(path, text, 0600));
    cr_assert_eq(key_ring_open(path, &secrets, why, sizeof(why)), ERR_OK, "%s",
                 why);
    scratch_remove(scratch);
    return secrets;
}

char *
ring_seal(const struct seal *seal, const char *value)
{
    struct seal_fault fault;
    json_t *json = NULL;
    char *text = NULL;

    cr_assert_eq(seal_load(value, strlen(value), &json, &fault), ERR_OK);
    cr_assert_eq(seal_close(seal, json), ERR_OK);
    cr_assert_eq(config_key_encode(json, &text), ERR_OK);
    seal_drop(seal->key, json);
    return text;
}
