// SPDX-License-Identifier: MIT
// A hundred thousand valid tokens in turn, of which the cache holds few: each
// request verifies a signature.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { number, takeTurns } from '../lib/figures.mjs';
import { manyTokens } from '../lib/mint.mjs';
import { privateMiB } from '../lib/memory.mjs';
import { BODY, KEY, PATH, Stand } from '../lib/stand.mjs';
import { TENANTS } from '../lib/writes.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'GET with 100,000 distinct tokens';

const COUNT = 100000;
const CLIENTS = 16;

export async function run({ rounds, seconds }) {
  const rows = [['tokens', 'GET/s', 'of one token', 'p99 ms', 'private MiB']];
  const results = {};
  for (const alg of ['RS256', 'ES256']) {
    const { key, path } = await manyTokens(alg, COUNT, TENANTS);
    const stand = await Stand.start();
    try {
      stand.key = key;
      stand.setUpTenants(TENANTS);
      copyFileSync(path, join(stand.dir, 'tokens'));
      await stand.post('t1', KEY, BODY);
      const single = stand.writeTokens(['t1']);
      const load = (tokens, time = seconds) =>
        wrk(stand.url + PATH, { clients: CLIENTS, seconds: time, tokens });
      await load(single, 1);
      const one = privateMiB(stand.service.children());
      await load(path, 2 + seconds);
      const got = await takeTurns(rounds,
        { one: () => load(single), many: () => load(path) });
      const many = privateMiB(stand.service.children());
      results[alg] = { ...got, memory: { one, many } };
      rows.push([`one, ${alg}`, number(got.one.rate), number(1), number(got.one.p99),
        number(Math.max(...one))]);
      rows.push([`${number(COUNT, 0)}, ${alg}`, number(got.many.rate),
        number(got.many.rate / got.one.rate), number(got.many.p99), number(Math.max(...many))]);
    } finally {
      await stand.kill();
    }
  }
  return { results, rows };
}
