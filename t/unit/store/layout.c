// SPDX-License-Identifier: MIT
#include "store/layout.h"

#include "base/util.h"
#include "model/tenant.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_ID "0123456789abcdef"

/* version 258, updated at 2^32, the 772nd, by alice in r-1, "why": {} */
static const char golden[] = "\2"
                             "\0\0\0\0\0\0\1\2"
                             "\0\0\0\1\0\0\0\0"
                             "\0\0\0\5"
                             "\0\0\0\3"
                             "\0\0\0\2"
                             "\0\0\0\3"
                             "\0\0\0\0\0\0\3\4" WRITE_ID "alicer-1why{}";
enum { GOLDEN_LEN = sizeof(golden) - 1 };

static const struct store_record record = {
    .layout = 2,
    .version = 258,
    .updated_at = INT64_C(1) << 32,
    .seq = 772,
    .write_id = WRITE_ID,
    .author = "alice",
    .author_len = 5,
    .request_id = "r-1",
    .request_id_len = 3,
    .note = "why",
    .note_len = 3,
    .value = "{}",
    .value_len = 2,
};

/* The same as a store of format 1 has it. */
static const char golden_1[] = "\1"
                               "\0\0\0\0\0\0\1\2"
                               "\0\0\0\1\0\0\0\0"
                               "\0\0\0\5"
                               "\0\0\0\3"
                               "\0\0\0\2"
                               "alicer-1{}";
enum { GOLDEN_1_LEN = sizeof(golden_1) - 1 };

/* Decodes from memory of just that length, so that a sanitizer sees a read
 * past its end. */
static bool
decodes(const char *bytes, size_t len, struct store_record *record_out)
{
    char *copy = malloc(len);
    bool is_record;

    memcpy(copy, bytes, len);
    is_record = store_record_decode(copy, len, record_out);
    free(copy);
    return is_record;
}

Test(store_record, encodes_to_what_the_header_says)
{
    char bytes[GOLDEN_LEN];

    cr_assert_eq(store_record_size(&record), GOLDEN_LEN);
    store_record_encode(&record, bytes);
    cr_expect_arr_eq(bytes, golden, GOLDEN_LEN);
}

Test(store_record, decodes_what_was_encoded)
{
    struct store_record decoded;

    cr_assert(store_record_decode(golden, GOLDEN_LEN, &decoded));
    cr_expect_eq(decoded.version, record.version);
    cr_expect_eq(decoded.updated_at, record.updated_at);
    cr_expect_eq(decoded.seq, 772);
    cr_expect_arr_eq(decoded.write_id, WRITE_ID, STORE_WRITE_ID_SIZE);
    cr_expect_eq(decoded.author_len, 5);
    cr_expect_arr_eq(decoded.author, "alice", 5);
    cr_expect_eq(decoded.request_id_len, 3);
    cr_expect_arr_eq(decoded.request_id, "r-1", 3);
    cr_expect_eq(decoded.note_len, 3);
    cr_expect_arr_eq(decoded.note, "why", 3);
    cr_expect_eq(decoded.value_len, 2);
    cr_expect_arr_eq(decoded.value, "{}", 2);
}

Test(store_record, layout_1_is_read_and_stays_what_it_is)
{
    struct store_record decoded;
    char bytes[GOLDEN_1_LEN];

    cr_assert(store_record_decode(golden_1, GOLDEN_1_LEN, &decoded));
    cr_expect_eq(decoded.layout, 1);
    cr_expect_eq(decoded.version, 258);
    cr_expect_eq(decoded.updated_at, INT64_C(1) << 32);
    cr_expect_eq(decoded.seq, 0);
    cr_expect_arr_eq(decoded.author, "alice", 5);
    cr_expect_arr_eq(decoded.request_id, "r-1", 3);
    cr_expect_eq(decoded.note_len, 0);
    cr_expect_eq(decoded.value_len, 2);
    cr_expect_arr_eq(decoded.value, "{}", 2);
    cr_assert_eq(store_record_size(&decoded), GOLDEN_1_LEN);
    store_record_encode(&decoded, bytes);
    cr_expect_arr_eq(bytes, golden_1, GOLDEN_1_LEN);
}

/* Of layout 1, the author's name was left to the history. */
Test(store_record, the_current_record_has_its_author)
{
    struct store_record decoded, current = store_record_current(&record);

    cr_expect_eq(current.author_len, 5);
    cr_expect_eq(current.request_id_len, 0);
    cr_expect_eq(current.note_len, 0);
    cr_expect_eq(current.seq, 772);
    cr_expect_eq(store_record_size(&current), GOLDEN_LEN - 6);

    cr_assert(store_record_decode(golden_1, GOLDEN_1_LEN, &decoded));
    current = store_record_current(&decoded);
    cr_expect_eq(current.layout, 1);
    cr_expect_eq(store_record_size(&current), GOLDEN_1_LEN - 8);
}

Test(store_record, a_time_before_the_epoch_survives)
{
    struct store_record early = {
        .layout = 2, .version = 1, .updated_at = -1, .seq = 1};
    struct store_record decoded;
    char bytes[64];

    store_record_encode(&early, bytes);
    cr_assert(store_record_decode(bytes, store_record_size(&early), &decoded));
    cr_expect_eq(decoded.updated_at, -1);
    cr_expect_eq(decoded.value_len, 0);
}

Test(store_record, any_other_length_is_no_record)
{
    char longer[GOLDEN_LEN + 1];
    struct store_record decoded;

    for (size_t len = 0; len < GOLDEN_LEN; len++)
        cr_expect_not(decodes(golden, len, &decoded), "%zu bytes", len);
    memcpy(longer, golden, GOLDEN_LEN);
    longer[GOLDEN_LEN] = '\0';
    cr_expect_not(decodes(longer, sizeof(longer), &decoded));
    for (size_t len = 0; len < GOLDEN_1_LEN; len++)
        cr_expect_not(decodes(golden_1, len, &decoded), "%zu bytes", len);
    memcpy(longer, golden_1, GOLDEN_1_LEN);
    longer[GOLDEN_1_LEN] = '\0';
    cr_expect_not(decodes(longer, GOLDEN_1_LEN + 1, &decoded));
}

/* Positions and bytes that make the golden record a bad one. */
static const struct {
    size_t at;
    const char *bytes;
    size_t len;
} bad[] = {
    {0, "\1", 1},                                   /* layout */
    {0, "\3", 1},                                   /* layout */
    {0, "\0", 1},                                   /* layout */
    {1, "\0\0\0\0\0\0\0\0", 8},                     /* version 0 */
    {17, "\0\0\0\6", 4},                            /* author_len */
    {17, "\xff\xff\xff\xff", 4},                    /* author_len */
    {17, "\xff\xff\xff\xff\0\0\0\1\0\0\0\x0a", 12}, /* wraps 32 bits */
    {21, "\0\0\0\0", 4},                            /* request_id_len */
    {25, "\0\0\0\3", 4},                            /* value_len */
    {25, "\xff\xff\xff\xff", 4},                    /* value_len */
    {29, "\0\0\0\2", 4},                            /* note_len */
    {29, "\xff\xff\xff\xff", 4},                    /* note_len */
    {33, "\0\0\0\0\0\0\0\0", 8},                    /* seq 0 */
};

Test(store_record, lengths_that_do_not_add_up_are_no_record)
{
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char bytes[GOLDEN_LEN];
        struct store_record decoded;

        memcpy(bytes, golden, GOLDEN_LEN);
        memcpy(bytes + bad[i].at, bad[i].bytes, bad[i].len);
        cr_expect_not(decodes(bytes, GOLDEN_LEN, &decoded), "row %zu", i);
    }
}

Test(store_record, a_copy_ends_in_nul_and_is_its_owners)
{
    struct record copy;
    struct record_origin origin;

    cr_assert_eq(store_record_copy(&record, &copy, &origin), ERR_OK);
    cr_expect_eq(copy.version, 258);
    cr_expect_eq(copy.updated_at, record.updated_at);
    cr_expect_eq(copy.value_len, 2);
    cr_expect_str_eq(copy.value, "{}");
    cr_expect_eq(copy.seq, 772);
    cr_expect(copy.has_write_id);
    cr_expect_arr_eq(copy.write_id, WRITE_ID, STORE_WRITE_ID_SIZE);
    cr_expect_str_eq(copy.author, "alice");
    cr_expect_str_eq(origin.request_id, "r-1");
    cr_expect_str_eq(origin.note, "why");
    record_clear(&copy);
    record_origin_clear(&origin);
    cr_expect_null(copy.value);
    cr_expect_null(copy.author);
    cr_expect_null(origin.note);
}

/* What a current record of layout 1 does not say is not known, and what its
 * history says is. */
Test(store_record, a_copy_of_layout_1_does_not_make_anything_up)
{
    struct store_record decoded;
    struct record copy;
    struct record_origin origin;

    cr_assert(store_record_decode(golden_1, GOLDEN_1_LEN, &decoded));
    cr_assert_eq(store_record_copy(&decoded, &copy, &origin), ERR_OK);
    cr_expect_str_eq(copy.author, "alice");
    cr_expect_null(origin.note);
    cr_expect_not(copy.has_write_id);
    cr_expect_eq(copy.seq, 0);
    record_clear(&copy);
    record_origin_clear(&origin);

    decoded = store_record_current(&decoded);
    cr_assert_eq(store_record_copy(&decoded, &copy, NULL), ERR_OK);
    cr_expect_null(copy.author);
    cr_expect_not(copy.has_write_id);
    cr_expect_str_eq(copy.value, "{}");
    record_clear(&copy);
}

Test(store_record, a_record_without_a_value)
{
    struct store_record unset = record;
    struct store_record decoded;
    struct record copy = {.value_len = 9};
    char bytes[GOLDEN_LEN];

    unset.value = NULL;
    unset.value_len = 0;
    store_record_encode(&unset, bytes);
    cr_assert(store_record_decode(bytes, store_record_size(&unset), &decoded));
    cr_expect_eq(decoded.version, 258);
    cr_expect_eq(decoded.author_len, 5);
    cr_assert_eq(store_record_copy(&decoded, &copy, NULL), ERR_OK);
    cr_expect_eq(copy.version, 258);
    cr_expect_null(copy.value);
    cr_expect_eq(copy.value_len, 0);
    cr_expect_str_eq(copy.author, "alice");
    record_clear(&copy);
}

Test(store_record, names_encode_and_decode)
{
    struct store_name name;
    char tenant[TENANT_MAX + 1], key[STORE_KEY_MAX + 1];

    cr_assert(store_name_encode("acme", "timer", &name));
    cr_expect_eq(name.len, 10);
    cr_expect_arr_eq(name.bytes, "acme\0timer", 10);
    cr_assert(store_name_decode(name.bytes, name.len, tenant, key));
    cr_expect_str_eq(tenant, "acme");
    cr_expect_str_eq(key, "timer");
    store_name_add_version(&name, 258);
    cr_expect_eq(name.len, 19);
    cr_expect_arr_eq(name.bytes, "acme\0timer\0\0\0\0\0\0\0\1\2", 19);
    cr_expect_eq(store_name_version(&name), 258);
    store_name_set_version(&name, UINT64_MAX - 1);
    cr_expect_eq(name.len, 19);
    cr_expect_eq(store_name_version(&name), UINT64_MAX - 1);
}

static const struct {
    const char *bytes;
    size_t len;
} bad_names[] = {
    {"", 0},       {"acme", 4},          {"\0timer", 6},
    {"acme\0", 5}, {"acme\0ti\0er", 10}, {"\0", 1},
};

Test(store_record, bytes_that_are_no_name)
{
    char tenant[TENANT_MAX + 1], key[STORE_KEY_MAX + 1];
    char longer[TENANT_MAX + 4];

    for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++)
        cr_expect_not(store_name_decode(bad_names[i].bytes, bad_names[i].len,
                                        tenant, key),
                      "row %zu", i);
    memset(longer, 'x', sizeof(longer));
    longer[TENANT_MAX + 1] = '\0';
    cr_expect_not(store_name_decode(longer, sizeof(longer), tenant, key));
    memset(longer, 'x', sizeof(longer));
    longer[1] = '\0';
    cr_expect_not(store_name_decode(longer, STORE_KEY_MAX + 3, tenant, key));
    cr_expect(store_name_decode(longer, STORE_KEY_MAX + 2, tenant, key));
}
