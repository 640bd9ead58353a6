// SPDX-License-Identifier: MIT
/* A directory of a test's own. */
#ifndef SCRATCH_H
#define SCRATCH_H

/* Makes one under $TMPDIR; the path is the caller's. Aborts if it cannot. */
char *scratch_make(void);

/* Removes it with all that is in it, and frees the path. */
void scratch_remove(char *path);

/* dir/name, owned by the caller. */
char *scratch_path(const char *dir, const char *name);

#endif
