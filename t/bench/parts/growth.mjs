// SPDX-License-Identifier: MIT
// What becomes of the rates when there are many tenants, each with all keys.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { number, takeTurns } from '../lib/figures.mjs';
import { BODY, PATH, Stand, freePort, tool } from '../lib/stand.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'Growth: tenants with all six keys';

const SIZES = [10, 10000, 1000000];
const TOKENS = 1000; // spread over the tenants; as many for each size, all in the cache
const CLIENTS = 16;

function load(dir, tenants) {
  return JSON.parse(execFileSync(tool('load'), [dir, String(tenants)],
    { stdio: ['ignore', 'pipe', 'inherit'] }));
}

/** A service over tenants tenants, with tokens for some of them. */
async function start(tenants) {
  const stand = new Stand({ port: await freePort() });
  try {
    const loaded = load(stand.options.db, tenants);
    const reopened = load(stand.options.db, tenants);
    const bytes = statSync(join(stand.options.db, 'data.mdb')).blocks * 512;
    await stand.startAll();
    const names = Array.from({ length: TOKENS },
      (_, i) => `t${1 + Math.floor((i % tenants) * Math.max(1, tenants / TOKENS)) % tenants}`);
    return { stand, tokens: stand.writeTokens(names), loaded, openMs: reopened.open_ms, bytes };
  } catch (error) {
    await stand.kill();
    throw error;
  }
}

export async function run({ rounds, seconds }) {
  const stands = {};
  try {
    for (const tenants of SIZES) stands[tenants] = await start(tenants);
    const request = ({ stand, tokens }, more, time = seconds) =>
      wrk(stand.url + PATH, { clients: CLIENTS, seconds: time, tokens, ...more });
    const post = { method: 'POST', body: BODY, mayFail: 0.9 };
    for (const size of SIZES) await request(stands[size], {}, 3);
    const get = await takeTurns(rounds, Object.fromEntries(
      SIZES.map((size) => [size, () => request(stands[size])])));
    const posts = await takeTurns(rounds, Object.fromEntries(
      SIZES.map((size) => [size, () => request(stands[size], post)])));

    const rows = [['tenants', 'GET/s', 'of 10', 'GET p99 ms', 'POST/s', 'bytes a tenant',
      'open ms', 'loaded settings/s']];
    const results = { get, posts };
    for (const size of SIZES) {
      const { loaded, openMs, bytes } = stands[size];
      results[size] = { loaded, openMs, bytes };
      rows.push([number(size, 0), number(get[size].rate), number(get[size].rate / get[SIZES[0]].rate),
        number(get[size].p99), number(posts[size].rate), number(bytes / size, 0),
        number(openMs), number(loaded.settings / loaded.seconds, 0)]);
    }
    return { results, rows };
  } finally {
    for (const { stand } of Object.values(stands)) await stand.kill();
  }
}
