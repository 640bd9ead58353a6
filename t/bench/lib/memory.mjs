// SPDX-License-Identifier: MIT
// Memory that is nobody else's, in MiB for each process.
import { readFileSync } from 'node:fs';

function one(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)]
    .reduce((sum, [, kB]) => sum + Number(kB) / 1024, 0);
}

export const privateMiB = (pids) => pids.map(one);
