// SPDX-License-Identifier: MIT
// The loop and the committer of each worker under load, for ThreadSanitizer:
// make check-tsan runs it in a build of its own.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FcgiConnection } from '../lib/fcgi.mjs';
import { service } from '../lib/paths.mjs';
import { Stack } from '../lib/stack.mjs';

const CLIENTS = 32;
const SECONDS = 12;

const stack = new Stack({ options: { workers: 2 } });
after(() => stack.kill());
stack.env.TSAN_OPTIONS = `log_path=${join(stack.dir, 'tsan')}`;

const keys = ['on_hold_timer_duration', 'big_sales_order', 'external_oms'];
const bodies = {
  on_hold_timer_duration: (n) => ({ value: n }),
  big_sales_order: (n) => ({ value: { soft_limit_for_big_orders: n } }),
  external_oms: (n) => ({ enabled: n % 2 === 0 }),
};

const reports = () =>
  readdirSync(stack.dir)
    .filter((name) => name.startsWith('tsan.'))
    .map((name) => readFileSync(join(stack.dir, name), 'utf8'));

const answers = {};
let given = 0; // writes whose client was gone before their answer
let running = true;

/** One request of client i, its n-th. Some clients do not wait for theirs. */
async function once(connection, tenant, token, i, n) {
  const key = keys[(i + n) % keys.length];
  if (n % 3 === 0)
    return connection.send(stack.params('GET', key, { tenant, token }));
  const body = JSON.stringify(bodies[key](n));
  const params = stack.params('POST', key, { tenant, token, body });
  if (n % 50 !== 1) return connection.send(params, body);
  connection.send(params, body).catch(() => {});
  await sleep(n % 4);
  connection.close();
  given++;
  return undefined;
}

/** Requests until the end, on ever new connections: workers close them. */
async function client(i, tenants) {
  const tenant = tenants[i % tenants.length];
  const token = stack.token(tenant);
  let connection;
  for (let n = i; running; n++) {
    try {
      connection ??= await FcgiConnection.open(stack.fcgiSocket);
      const answer = await once(connection, tenant, token, i, n);
      if (!answer) connection = undefined;
      else answers[answer.status] = (answers[answer.status] ?? 0) + 1;
    } catch {
      connection = undefined;
      await sleep(5);
    }
  }
  connection?.close();
}

test('the program is one for ThreadSanitizer', () =>
  assert.ok(readFileSync(service).includes('__tsan_init')));

test('readers and writers at the same keys, while workers are replaced', async () => {
  const tenants = Array.from({ length: 8 }, () => stack.tenant());
  await stack.startService();
  const clients = Array.from({ length: CLIENTS }, (_, i) => client(i, tenants));
  for (let third = 0; third < 3; third++) {
    await sleep((SECONDS / 3) * 1000);
    if (third < 2) stack.service.kill('SIGHUP');
  }
  await stack.stopService(); // with writes in flight
  running = false;
  await Promise.all(clients);

  assert.ok(answers[200] > 1000, JSON.stringify(answers));
  assert.ok(answers[409] > 0, 'no race was ever lost, so none was run');
  assert.deepEqual(Object.keys(answers), ['200', '409']);
  assert.ok(given > 0);
});

test('no report', () => assert.deepEqual(reports(), []));

test('the log is clean', () => stack.assertCleanLog());
