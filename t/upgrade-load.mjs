// SPDX-License-Identifier: MIT
// Load for t/check-upgrade: upgrade-load.mjs SOCKET KEYS. Puts a key set in KEYS
// and sends 60 GETs a second and POSTs, one after the other, to the web server at
// SOCKET. On SIGTERM it prints how many were answered; its status is 1 if any had
// another answer than 200.
import { writeFileSync } from 'node:fs';
import { request } from './e2e/lib/http.mjs';
import { makeKey, makeToken } from './e2e/lib/token.mjs';

const [socketPath, keys] = process.argv.slice(2);
const TENANT = 'acme';
const base = '/v0/config/sales_order';

const key = makeKey('ES256', 'load');
writeFileSync(keys, JSON.stringify({ keys: [key.jwk] }), { mode: 0o644 });
const iss = `https://id.example.com/realms/${TENANT}`;
const token = makeToken(key, TENANT, { iss });
const headers = { authorization: `Bearer ${token}` };

const counts = { gets: 0, posts: 0, failed: 0, slowest: 0 };

async function send(kind, asked) {
  const start = Date.now();
  let what;
  try {
    const { status, text } = await request({ socketPath }, { headers, ...asked });
    if (status !== 200) what = `${status} ${text}`;
  } catch (error) {
    what = String(error);
  }
  counts[kind]++;
  counts.slowest = Math.max(counts.slowest, Date.now() - start);
  if (what !== undefined && counts.failed++ < 10) console.log(kind, what);
}

let stopped = false;
const pending = new Set();
const timer = setInterval(() => {
  const one = send('gets', { path: `${base}/big_sales_order` });
  pending.add(one);
  one.then(() => pending.delete(one));
}, 1000 / 60);

process.on('SIGTERM', () => {
  clearInterval(timer);
  stopped = true;
});

for (let value = 1; !stopped; value++) {
  const path = `${base}/on_hold_timer_duration`;
  await send('posts', { path, method: 'POST', body: { value } });
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await Promise.all(pending);
console.log(JSON.stringify(counts));
process.exitCode = counts.failed > 0 ? 1 : 0;
