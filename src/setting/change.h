// SPDX-License-Identifier: MIT
/*
 * A value on its way out of the store and into it, and what becomes of the
 * secret in it: opened, shown, kept for the mask, sealed. Values are decoded
 * when they come and encoded when they leave, and nowhere between. Each call
 * may be ERR_NOMEM.
 */
#ifndef SETTING_CHANGE_H
#define SETTING_CHANGE_H

#include "base/err.h"
#include "model/seal.h"
#include "store/store.h"

#include <jansson.h>
#include <stdbool.h>

/* How a value is seen: what stands in place of its secret. */
enum change_view {
    CHANGE_UNSEEN,   /* nobody looks at it */
    CHANGE_REVEALED, /* the secret; ERR_SEALED if it cannot be opened */
    CHANGE_MASKED,   /* the mask */
    CHANGE_PROVEN,   /* the mask; ERR_SEALED if the secret cannot be opened */
    CHANGE_PORTABLE, /* what is stored if that is sealed, else the mask */
    CHANGE_COMPARED, /* the secret if it can be opened, else what is stored */
};

/* The value of a record that is set; a new reference, for seal_drop. ERR_SEALED
 * also if it is malformed; *fault_out says what is wrong. */
enum err change_load(const struct seal *seal, enum change_view view,
                     const struct record *record, json_t **value_out,
                     struct seal_fault *fault_out);

/* The same as text, from malloc, for seal_free. What is malformed is portable
 * as it is. */
enum err change_show(const struct seal *seal, enum change_view view,
                     const struct record *record, char **text_out,
                     struct seal_fault *fault_out);

/* The same in place of the record's value. A record that is not set, or of a
 * key without a secret, stays as it is. */
enum err change_show_record(const struct seal *seal, enum change_view view,
                            struct record *record,
                            struct seal_fault *fault_out);

/* What is stored, sealed by the first key, of which there must be one; NULL in
 * *text_out if it is so already. From malloc. */
enum err change_renew(const struct seal *seal, const struct record *record,
                      char **text_out, struct seal_fault *fault_out);

/* True if two values of a key, as CHANGE_COMPARED has them, are the same: a
 * mask is the same as any secret. NULL, for no value, is the same as none. */
bool change_is_same(const struct config_key *key, json_t *one, json_t *other);

/* A setting, and what it is to be. */
struct change {
    struct seal seal;
    json_t *value; /* canonical (see config_key_parse), its secret open or the
                      mask; borrowed, and not changed. NULL: unset the key */
    bool has_mask; /* the mask stands for the secret that is there */
    bool leaves_same;      /* a secret that is the same stays as it is stored,
                              and for the mask also one that cannot be opened */
    enum change_view view; /* for the answer: UNSEEN, REVEALED or MASKED */
    bool is_dry;           /* nothing is to be stored */
};

/* What a change was made into. */
struct change_made {
    char *stored; /* what the store gets; owned. NULL: the key is unset */
    char *shown;  /* as view has it; owned, and may be stored itself. NULL: the
                     key is unset, or nobody looks */
    struct seal_fault fault; /* why it was ERR_SEALED */
};

/*
 * Makes the write that stores the change over current. Before, write has who
 * writes, and its base and lost, which are checked; if what is there matters
 * for what is made, a write of any base is then based on it. It is to be
 * committed, unless is_dry: then it has the results as if it had been, but for
 * the version, which is the one that is there. *made_out is all of the caller's
 * and must live as long as write.
 *
 * The write's lost: another version than its base is there; its results say so.
 * ERR_UNSET: the mask stands for a secret, and there is none. ERR_DENIED: the
 * secret would go to another server. ERR_TOOBIG: with the secret it is too
 * large. ERR_SEALED: the secret that is there cannot be opened, so it is
 * neither kept, nor without keys replaced by one in the clear.
 */
enum err change_make(const struct change *change, const struct record *current,
                     struct store_write *write, struct change_made *made_out);

/* Accepts a zeroed one. */
void change_made_clear(struct change_made *made);

/* Appends what is wrong with a value, for change_make's ERR_UNSET, ERR_DENIED
 * and ERR_TOOBIG. As messages_add, ERR_INVALID if it did; ERR_OK for others. */
enum err change_explain(const struct config_key *key, enum err err,
                        json_t *messages);

#endif
