// SPDX-License-Identifier: MIT
#include "ctl/options.h"

#include <stdio.h>
#include <string.h>

/* What a command may be told: its options, the settings file, and last all
 * settings as those of others, which may stand in that file. */
#define ROWS_MAX (CTL_OPTIONS_MAX + 1 + SETTINGS_COUNT)

struct table {
    struct args_row rows[ROWS_MAX];
    struct args_value values[ROWS_MAX];
    struct args args;
};

/* A setting is what it is for the service. */
static struct args_row
row_of(const struct ctl_option *option)
{
    const struct args_row *setting =
        option->env != NULL ? settings_find(option->env) : NULL;
    struct args_row row = {
        .name = option->name,
        .variable = option->env,
        .argument = option->argument,
        .help = option->help,
        .kind = option->argument == NULL ? ARGS_FLAG
                : option->may_be_empty   ? ARGS_TEXT_OR_EMPTY
                                         : ARGS_TEXT,
    };

    if (setting != NULL && setting->kind != ARGS_FOREIGN) {
        row.kind = setting->kind;
        row.min = setting->min;
        row.max = setting->max;
    }
    return row;
}

static void
fill_table(struct table *table, const struct ctl_command *command)
{
    size_t count = 0;

    for (; count < command->option_count; count++)
        table->rows[count] = row_of(&command->options[count]);
    table->rows[count++] = *settings_find(SETTINGS_FILE_VARIABLE);
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        table->rows[count++] = (struct args_row){
            .variable = settings_rows[i].variable, .kind = ARGS_FOREIGN};
    table->args = (struct args){
        .rows = table->rows, .count = count, .values = table->values};
}

static void
print_option(const struct args_row *row, const struct ctl_option *option)
{
    const char *required = option->need == CTL_REQUIRED ? "required" : NULL;
    char note[128];

    if (option->env != NULL)
        snprintf(note, sizeof(note), "default: $%s%s%s%s", option->env,
                 option->initial != NULL ? ", or " : "",
                 option->initial != NULL ? option->initial : "",
                 required != NULL ? "; required" : "");
    else if (option->initial != NULL && *option->initial != '\0')
        snprintf(note, sizeof(note), "default: %s", option->initial);
    else
        snprintf(note, sizeof(note), "%s", required != NULL ? required : "");
    args_print(row, *note != '\0' ? note : NULL);
}

#define NUMBER_HINT "; put a negative number after --"

/* True if it is rather a value than an option. */
static bool
is_number(const char *argument)
{
    return argument != NULL && argument[0] == '-' && argument[1] >= '0' &&
           argument[1] <= '9';
}

static enum ctl_exit
read_arguments(struct args *args, char **argv, const char **operands,
               size_t operands_max)
{
    bool has_options = true;
    size_t count = 0;

    for (int at = 0; argv[at] != NULL;) {
        if (has_options && strcmp(argv[at], "--") == 0) {
            has_options = false;
            at++;
        } else if (has_options && argv[at][0] == '-' && argv[at][1] != '\0') {
            if (!args_read_option(args, argv, &at))
                return ctl_fail_usage("%s%s", args->why,
                                      is_number(argv[at]) ? NUMBER_HINT : "");
        } else if (count < operands_max) {
            operands[count++] = argv[at++];
        } else {
            return ctl_fail_usage("%s: not expected here, see --help",
                                  argv[at]);
        }
    }
    return CTL_OK;
}

/* As the command takes it. */
static const char *
value_of(const struct args_row *row, const char *text)
{
    if (row->kind != ARGS_FLAG || text == NULL)
        return text;
    return strcmp(text, "yes") == 0 ? "" : NULL;
}

static enum ctl_exit
fill_values(const struct ctl_command *command, const struct args *args,
            const char **values)
{
    for (size_t i = 0; i < command->option_count; i++) {
        const struct ctl_option *option = &command->options[i];
        const char *text = args->values[i].text;

        values[i] =
            value_of(&args->rows[i], text != NULL ? text : option->initial);
        if (values[i] != NULL || option->need == CTL_OPTIONAL)
            continue;
        if (option->env != NULL)
            return ctl_fail_usage("--%s: is required, or %s in the "
                                  "environment or the settings file",
                                  option->name, option->env);
        return ctl_fail_usage("--%s: is required", option->name);
    }
    return CTL_OK;
}

enum ctl_exit
ctl_options_read(const struct ctl_command *command, char **argv,
                 const char **operands, struct ctl_options *options)
{
    struct table table = {0};
    enum ctl_exit status;

    *options = (struct ctl_options){0};
    fill_table(&table, command);
    status = read_arguments(&table.args, argv, operands, command->operands_max);
    if (status != CTL_OK)
        return status;
    if (!args_read_rest(&table.args, SETTINGS_FILE_VARIABLE, &options->file))
        return ctl_fail_usage("%s", table.args.why);
    return fill_values(command, &table.args, options->values);
}

void
ctl_options_clear(struct ctl_options *options)
{
    args_file_clear(&options->file);
}

void
ctl_options_print(const struct ctl_command *command)
{
    struct table table = {0};

    fill_table(&table, command);
    for (size_t i = 0; i < command->option_count; i++)
        print_option(&table.rows[i], &command->options[i]);
    args_print(&table.rows[command->option_count], "default: " SETTINGS_FILE);
}
