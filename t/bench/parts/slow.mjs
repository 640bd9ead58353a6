// SPDX-License-Identifier: MIT
// The same on a disk whose flush takes 5 ms, and reads while writers keep that
// disk busy.
import { median, number } from '../lib/figures.mjs';
import { BODY, KEY, PATH, Stand, slowDisk } from '../lib/stand.mjs';
import { TENANTS, measureWrites, writeRows } from '../lib/writes.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'POST and GET on a disk whose flush takes 5 ms';

const FLUSH_MS = 5;

/** GET by 16 clients, without writers and beside 50 of them, in turns. */
async function measureReads({ rounds, seconds }) {
  const stand = await Stand.start({ env: slowDisk(FLUSH_MS) });
  try {
    const tokens = stand.writeTokens(TENANTS);
    await stand.post('t1', KEY, BODY);
    const headers = { Authorization: `Bearer ${stand.benchToken('t1')}` };
    const get = () => wrk(stand.url + PATH, { clients: 16, seconds, headers });
    const post = (time) => wrk(stand.url + PATH, { clients: 50, seconds: time, tokens,
      method: 'POST', body: BODY, mayFail: 0.02 });
    await post(1);
    const idle = [];
    const busy = [];
    const writes = [];
    for (let round = 0; round < rounds; round++) {
      idle.push(await get());
      const writers = post(seconds + 1);
      busy.push(await get());
      writes.push(await writers);
    }
    return { idle, busy, writes };
  } finally {
    await stand.kill();
  }
}

export async function run(options) {
  const env = slowDisk(FLUSH_MS);
  options.say('etcd: skipped, it flushes without the C library, so that no shim slows it');
  const writes = await measureWrites({ ...options, clients: [1, 16, 100], env });
  const reads = await measureReads(options);
  const p99 = (runs) => median(runs.map((r) => r.p99));
  const rows = writeRows(writes);
  rows.push(['1', 'flushes in a POST', '', '', number(writes[1].orderconf.p50 / FLUSH_MS), '', '']);
  for (const [name, runs] of Object.entries({ 'GET, idle': reads.idle, 'GET, 50 writers': reads.busy }))
    rows.push(['16', name, number(median(runs.map((r) => r.rate))), '',
      number(median(runs.map((r) => r.p50))), '', number(p99(runs))]);
  rows.push(['16', 'GET p99, of idle', '', '', '', '', number(p99(reads.busy) / p99(reads.idle))]);
  return { results: { writes, reads }, rows };
}
