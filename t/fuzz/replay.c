// SPDX-License-Identifier: MIT
/* Gives a fuzz target every input of its corpus, without a fuzzer. The corpus
 * is the directory of the program's name. */
#include "fuzz.h"

#include "base/util.h"

#include <dirent.h>

static void *
must(void *memory)
{
    if (memory == NULL) {
        perror("Bail out! replay");
        exit(99);
    }
    return memory;
}

/* In memory of exactly its size, so that a sanitizer sees a byte too far. */
static void
replay_file(const char *path)
{
    FILE *file = must(fopen(path, "rb"));
    uint8_t *data;
    long size;

    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    data = must(malloc(size > 0 ? (size_t)size : 1));
    if (fread(data, 1, (size_t)size, file) != (size_t)size)
        must(NULL);
    fclose(file);
    (void)LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int
main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    const char *srcdir = getenv("SRCDIR");
    auto_char *corpus = NULL;
    struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    (void)argc;
    if (asprintf(&corpus, "%s/t/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
                 name) < 0)
        must(NULL);
    puts("1..1");
    dir = must(opendir(corpus));
    while ((entry = readdir(dir)) != NULL) {
        auto_char *path = NULL;

        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&path, "%s/%s", corpus, entry->d_name) < 0)
            must(NULL);
        /* The last one that is named is the one that failed. */
        printf("# %s\n", entry->d_name);
        fflush(stdout);
        replay_file(path);
        count++;
    }
    closedir(dir);
    printf("%sok 1 - %s: %zu inputs\n", count > 0 ? "" : "not ", name, count);
    return count > 0 ? 0 : 1;
}
