// SPDX-License-Identifier: MIT
/*
 * A command of `orderconf`, the admin program, and how it says what is wrong.
 * ctl/main.c has the table of them; each has a file of its own,
 * ctl/<command>.c, with its options and body.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

enum ctl_exit {
    CTL_OK = 0,
    CTL_FAILED = 1,
    CTL_USAGE = 2,
    CTL_LOST = 3, /* the setting is at another version than was asked for, or
                     another write came first */
};

enum ctl_need { CTL_OPTIONAL, CTL_REQUIRED };

/* An option, --name VALUE or --name=VALUE. */
struct ctl_option {
    const char *name;
    const char *argument; /* its value's name in the help; NULL: a flag */
    const char *env;      /* variable that sets it, too, also in the settings
                             file (see conf/settings.h), or NULL */
    const char *help;     /* may be of several lines */
    const char *initial;  /* value if it is not set, or NULL */
    enum ctl_need need;
    bool may_be_empty;
};

#define CTL_OPTIONS_MAX 16

struct ctl_session;

enum ctl_tenant_need {
    CTL_NO_TENANT,
    CTL_TENANT_NAMED,  /* --tenant, if it is set, can be a tenant's name */
    CTL_TENANT_STORED, /* and the store has something of it, or had */
};

enum ctl_secrets_need {
    CTL_NO_SECRETS,
    CTL_SECRETS,           /* of --secret-keys, if it is set */
    CTL_SECRETS_TO_REVEAL, /* the same, but only for --reveal */
};

enum ctl_store_need {
    CTL_NO_STORE,
    CTL_STORE,       /* that is there */
    CTL_STORE_LATER, /* when the command opens it: a file is read first */
};

/* What a command needs, in the order in which ctl/session.c sees to it. The
 * options are known by their names. */
struct ctl_needs {
    enum ctl_tenant_need tenant;
    bool key;    /* the first operand, a config key's name */
    bool base;   /* --version, if it is set: the one to be replaced */
    bool author; /* --subject, or the user */
    enum ctl_secrets_need secrets;
    enum ctl_store_need store;
};

struct ctl_command {
    const char *name;     /* may be of several words */
    const char *operands; /* e.g. "KEY", for the usage; "" for none */
    size_t operands_max;
    const char *summary; /* one line */
    const char *details; /* for --help, or NULL */
    const struct ctl_option *options;
    size_t option_count;  /* at most CTL_OPTIONS_MAX */
    enum ctl_exit failed; /* if not CTL_FAILED; 0: that */
    struct ctl_needs needs;

    /* With what it needs: see ctl/session.h. */
    enum ctl_exit (*run)(struct ctl_session *session);
};

extern const struct ctl_command ctl_backup;
extern const struct ctl_command ctl_check;
extern const struct ctl_command ctl_diff;
extern const struct ctl_command ctl_export;
extern const struct ctl_command ctl_get;
extern const struct ctl_command ctl_history;
extern const struct ctl_command ctl_import;
extern const struct ctl_command ctl_keygen;
extern const struct ctl_command ctl_keys_fetch;
extern const struct ctl_command ctl_list;
extern const struct ctl_command ctl_rekey;
extern const struct ctl_command ctl_restore;
extern const struct ctl_command ctl_set;
extern const struct ctl_command ctl_stat;
extern const struct ctl_command ctl_tenants;
extern const struct ctl_command ctl_token;
extern const struct ctl_command ctl_token_check;
extern const struct ctl_command ctl_unset;

/* Says what is wrong on stderr, and returns CTL_FAILED, CTL_LOST or CTL_USAGE:
 * wrong is what was asked for, and would be at any time. */
enum ctl_exit ctl_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
enum ctl_exit ctl_fail_lost(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
enum ctl_exit ctl_fail_usage(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Whom ctl_fail and its like speak for: the name of a command, borrowed. */
void ctl_speak_as(const char *name);

/* Lets what was logged go first. Whoever has been asked to end by a signal
 * waits for a reader no more; true if there need be no wait. */
bool ctl_wait_for_reader(void);

/* Reads the value of an option: a whole number from min to max. Says so if it
 * is none. */
enum ctl_exit ctl_read_number(const char *name, const char *text, long min,
                              long max, long *number_out);

/* The same for an operand. */
enum ctl_exit ctl_read_number_operand(const char *name, const char *text,
                                      long min, long max, long *number_out);

#endif
