// SPDX-License-Identifier: MIT
// What a hot backup costs 16 writers: one after the other, all the time.
import { execFileSync, spawn } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { admin } from '../../e2e/lib/paths.mjs';
import { number, takeTurns } from '../lib/figures.mjs';
import { BODY, PATH, Stand, freePort, tool } from '../lib/stand.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'Hot backup of 100,000 tenants beside 16 writers';

const TENANTS = 100000;
const CLIENTS = 16;

function backUp(stand, dest) {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(admin, ['backup', '--db', stand.options.db, dest],
      { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('close', (status) => (status === 0
      ? resolve((performance.now() - start) / 1000)
      : reject(new Error(`backup ended with ${status}`))));
  });
}

export async function run({ rounds, seconds }) {
  const stand = new Stand({ port: await freePort() });
  try {
    execFileSync(tool('load'), [stand.options.db, String(TENANTS)], { stdio: 'ignore' });
    await stand.startAll();
    const tokens = stand.writeTokens(Array.from({ length: 1000 }, (_, i) => `t${1 + i * 100}`));
    const post = (time = Math.max(seconds, 4)) => wrk(stand.url + PATH, { clients: CLIENTS, seconds: time,
      tokens, method: 'POST', body: BODY, mayFail: 0.05 });
    const dest = join(stand.dir, 'backup');
    const times = [];
    let bytes = 0;
    const during = async () => {
      let isDone = false;
      const backups = (async () => {
        while (!isDone) {
          times.push(await backUp(stand, dest));
          bytes = statSync(join(dest, 'data.mdb')).size;
          rmSync(dest, { recursive: true });
        }
      })();
      const result = await post();
      isDone = true;
      await backups;
      return result;
    };
    await post(2);
    const results = await takeTurns(rounds, { alone: () => post(), during });
    times.sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)];
    const row = (name, { rate, p50, p99 }) => [name, number(rate, 0),
      number(rate / results.alone.rate), number(p50), number(p99)];
    return {
      results: { ...results, times, bytes },
      rows: [['', 'POST/s', 'of alone', 'p50 ms', 'p99 ms', 'a backup, s', 'MiB'],
        [...row('no backup', results.alone), '', ''],
        [...row('one after the other', results.during), number(median), number(bytes / 2 ** 20, 0)]],
    };
  } finally {
    await stand.kill();
  }
}
