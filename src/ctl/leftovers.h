// SPDX-License-Identifier: MIT
/* What a backup that was killed has left beside the place it was for. */
#ifndef CTL_LEFTOVERS_H
#define CTL_LEFTOVERS_H

/* What mkdtemp(3) makes a name of, behind that of the backup. */
#define LEFTOVERS_SUFFIX ".XXXXXX"

/* Says on stderr which directories a backup to dest has left and nobody works
 * on; they are the caller's to remove, who knows whether they are of use. */
void leftovers_tell(const char *dest);

/* Marks the directory as one that is worked on, until the descriptor is
 * closed, or the process ends. -1: it cannot be marked. */
int leftovers_claim(const char *dir);

#endif
