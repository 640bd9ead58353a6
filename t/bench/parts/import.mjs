// SPDX-License-Identifier: MIT
// orderconf import of many tenants: alone, again, and beside writers.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admin } from '../../e2e/lib/paths.mjs';
import { number } from '../lib/figures.mjs';
import { BODY, PATH, Stand } from '../lib/stand.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'Import: 100,000 tenants with all six keys';

const TENANTS = 100000;
const CLIENTS = 16;
const VALUES = {
  big_sales_order: { soft_limit_for_big_orders: 250 },
  cancellation_allowed_from: ['store', 'dc'],
  external_oms: { enabled: true },
  external_order_webhook: { url: 'https://hooks.example/orders', api_key: '4f9d2c81e07b5a36', timeout: 15 },
  on_hold_timer_duration: 1800,
  sales_order_generator_sequence: { prefix: 'SO-', size: 8, start: 1, step: 1 },
};

/** An export of tenants i000000, i000001, … */
function writeLines(path) {
  const file = openSync(path, 'w');
  for (let i = 0; i < TENANTS; i++) {
    const tenant = `i${String(i).padStart(6, '0')}`;
    writeSync(file, Object.entries(VALUES).map(([key, value]) =>
      `${JSON.stringify({ tenant, key, value })}\n`).join(''));
  }
  closeSync(file);
}

function load(db, path) {
  const start = performance.now();
  const { stored, settings } = JSON.parse(
    execFileSync(admin, ['import', '--db', db, '--map-size=16G', '--json', path], { encoding: 'utf8' }));
  const seconds = (performance.now() - start) / 1000;
  return { stored, settings, seconds, rate: settings / seconds };
}

function loadBeside(db, path) {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(admin, ['import', '--db', db, '--json', path],
      { stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('close', (status) => (status === 0
      ? resolve({ rate: (TENANTS * 6000) / (performance.now() - start) })
      : reject(new Error(`import ended with ${status}`))));
  });
}

/** The rate and latency of POSTs without and with an import beside them. */
async function beside(path, seconds) {
  const stand = await Stand.start();
  try {
    const tokens = stand.writeTokens(Array.from({ length: 1000 }, (_, i) => `t${i + 1}`));
    const post = (time) => wrk(stand.url + PATH, { clients: CLIENTS, seconds: time, tokens,
      method: 'POST', body: BODY, mayFail: 0.05 });
    await post(1);
    const alone = await post(seconds);
    const importing = loadBeside(stand.options.db, path);
    const during = await post(seconds);
    return { alone, during, import: await importing };
  } finally {
    await stand.kill();
  }
}

export async function run({ seconds }) {
  const dir = mkdtempSync(join(tmpdir(), 'import-'));
  try {
    const path = join(dir, 'all.jsonl');
    const db = join(dir, 'db');
    writeLines(path);
    const first = load(db, path);
    const again = load(db, path);
    const bytes = statSync(join(db, 'data.mdb')).blocks * 512;
    const posts = await beside(path, seconds);
    const row = (name, { rate }, post) => [name, number(rate, 0),
      post ? number(post.rate, 0) : '', post ? number(post.p50) : '', post ? number(post.p99) : ''];
    return {
      results: { first, again, bytes, posts },
      rows: [['', 'settings/s', 'POST/s of 16', 'p50 ms', 'p99 ms'],
        row('into an empty store', first), row('again: nothing changes', again),
        ['no import', '', ...row('', first, posts.alone).slice(2)],
        row('beside 16 writers', posts.import, posts.during)],
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
