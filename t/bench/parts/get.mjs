// SPDX-License-Identifier: MIT
// GET with a valid token, beside a static file of the same bytes, a program that
// only knows what to answer, and a null libfcgi program, all behind one nginx.
import { number, takeTurns } from '../lib/figures.mjs';
import { BODY, KEY, PATH, Stand } from '../lib/stand.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'GET, through nginx, one RS256 token';

export async function run({ rounds, seconds }) {
  const stand = await Stand.start();
  try {
    stand.setUpTenants(['t1']);
    const answer = await stand.post('t1', KEY, BODY);
    if (answer.status !== 200) throw new Error(answer.text);
    const paths = {
      static: await stand.copyAnswer('t1'),
      ...Object.fromEntries(Object.keys(stand.canned).map((name) => [name, `/${name}/`])),
      orderconf: PATH,
    };
    const headers = { Authorization: `Bearer ${stand.benchToken('t1')}` };
    const results = {};
    const rows = [['clients', 'program', 'GET/s', 'of static', 'of bare', 'p50 ms', 'p99 ms',
      'p99 of static']];
    for (const clients of [16, 100]) {
      const load = (path) => () => wrk(stand.url + path, { clients, seconds, headers });
      for (const path of Object.values(paths))
        await wrk(stand.url + path, { clients, seconds: 1, headers });
      const got = await takeTurns(rounds, Object.fromEntries(
        Object.entries(paths).map(([name, path]) => [name, load(path)])));
      results[clients] = got;
      for (const [name, r] of Object.entries(got))
        rows.push([clients, name, number(r.rate), number(r.rate / got.static.rate),
          number(r.rate / got.bare.rate), number(r.p50), number(r.p99),
          number(r.p99 / got.static.p99)]);
    }
    return { results, rows };
  } finally {
    await stand.kill();
  }
}
