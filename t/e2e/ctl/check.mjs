// SPDX-License-Identifier: MIT
// orderconf check: a fixed choice of damaged files, as an operator meets them;
// beside a service that is written to; and what the service makes of a file that
// kills who reads it. Cases within the file are in t/unit/store/lmdb/check.c.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { adminOf } from '../lib/admin.mjs';
import { admin, cleanEnv } from '../lib/paths.mjs';
import { Program, until, within } from '../lib/process.mjs';
import { random } from '../lib/seed.mjs';
import { factory } from '../lib/stack.mjs';

const FILES = 120;

const { make, start } = factory();
const stack = make();
const tenants = Array.from({ length: 75 }, () => stack.tenant()).sort();
const keys = {
  big_sales_order: (i) => ({ soft_limit_for_big_orders: i }),
  external_oms: (i) => ({ enabled: i % 2 === 0 }),
  external_order_webhook: (i) =>
    ({ url: 'https://example.com/', api_key: 'k'.repeat(1 + (i * 937) % 6000) }),
  on_hold_timer_duration: (i) => i,
};

/** A store of 300 settings, and all that it has. */
const original = adminOf(stack.options.db);
original.run(['import'], {
  input: tenants
    .flatMap((tenant, i) =>
      Object.entries(keys).map(([key, value]) => `${JSON.stringify({ tenant, key, value: value(i) })}\n`))
    .join(''),
});
const all = original.text('export', '--reveal');
const whole = readFileSync(join(stack.options.db, 'data.mdb'));

/** Makes the store anew, of these bytes. */
function put(db, bytes) {
  rmSync(db, { recursive: true, force: true });
  mkdirSync(db, { mode: 0o750 });
  writeFileSync(join(db, 'data.mdb'), bytes);
}

/** {status, signal, stdout, stderr}, with all that a command may come to. */
function run(db, ...args) {
  return spawnSync(admin, args, { env: cleanEnv({ ORDERCONF_DB: db }), encoding: 'latin1' });
}

test('a sound store', () => {
  assert.equal(all.trimEnd().split('\n').length, 300);
  assert.equal(original.text('check'), `${stack.options.db}: sound: 300 settings, 300 versions\n`);
  assert.deepEqual(original.json('check'),
    { path: stack.options.db, format: 2, records: 300, versions: 300 });
  assert.ok(readFileSync(join(stack.options.db, 'data.mdb')).equals(whole));
});

test('no store, and one that is cut', () => {
  const { db } = make().options;
  original.fails(1, /there is no store in this directory/, 'check', '--db', join(db, 'none'));
  original.fails(2, /^orderconf check: more: not expected here/, 'check', 'more');
  put(db, whole);
  truncateSync(join(db, 'data.mdb'), whole.length / 2);
  original.fails(1, /data\.mdb is damaged: page \d+ is missing: the file is too short$/,
    'check', '--db', db);
  truncateSync(join(db, 'data.mdb'), 100);
  original.fails(1, /data\.mdb is not a store, or is damaged/, 'check', '--db', db);
});

test(`${FILES} damaged files`, () => {
  const { db } = make().options;
  const r = random(13);
  const byte = (n) => Math.floor(r() * n);
  let found = 0;
  for (let i = 0; i < FILES; i++) {
    const bytes = Buffer.from(whole);
    for (let n = 1 + byte(20); n > 0; n--) bytes[byte(bytes.length)] = byte(256);
    put(db, bytes);
    const { status, signal, stdout, stderr } = run(db, 'check');
    assert.equal(signal, null, `file ${i}: ${stderr}`);
    assert.ok(status === 0 || status === 1, `file ${i}: ${stderr}`);
    if (status === 1) {
      found++;
      assert.equal(stdout, '');
      assert.match(stderr, /^orderconf check: [^\n]*damaged[^\n]*\n$/);
      continue;
    }
    // Only what nobody reads was changed.
    assert.equal(run(db, 'export', '--reveal').stdout, all, `file ${i}`);
    for (const args of [['stat'], ['set', '--tenant', tenants[byte(75)], 'on_hold_timer_duration', '7']])
      assert.equal(run(db, ...args).status, 0, `file ${i}: ${args}`);
  }
  assert.ok(found > FILES / 2, `${found}`);
});

test('beside a service that is written to', async () => {
  const live = await start({ nginx: false });
  const writers = Array.from({ length: 4 }, () => live.tenant());
  let isDone = false;
  const writing = writers.map(async (tenant) => {
    for (let value = 0; !isDone; value++) {
      const body = JSON.stringify({ value });
      const { status } = await live.direct(
        live.params('POST', 'on_hold_timer_duration', { tenant, body }), body);
      assert.equal(status, 200);
    }
  });
  for (let i = 0; i < 20; i++) {
    const check = spawn(admin, ['check', '--json', '--db', live.options.db], { env: cleanEnv() });
    let out = '';
    for (const stream of [check.stdout, check.stderr])
      stream.setEncoding('utf8').on('data', (text) => { out += text; });
    const status = await new Promise((resolve) => { check.on('close', resolve); });
    assert.equal(status, 0, out);
  }
  isDone = true;
  await Promise.all(writing);
  await live.stop();
});

const PAGE = 4096, PAGE_HEAD = 16, AT_FLAGS = 10, AT_LOWER = 12, BRANCH = 1;

/** The store with other bounds of what stands in its branch pages: LMDB aborts
 * the process when there is one entry only. */
function damageBranches(lower) {
  const bytes = Buffer.from(whole);
  for (let at = 2 * PAGE; at < bytes.length; at += PAGE)
    if (bytes.readBigUInt64LE(at) === BigInt(at / PAGE) && bytes.readUInt16LE(at + AT_FLAGS) === BRANCH)
      bytes.writeUInt16LE(lower, at + AT_LOWER);
  return bytes;
}

test('the service refuses a file that kills, or outlives its workers', async (t) => {
  for (const lower of [PAGE_HEAD + 2, 0]) {
    put(stack.options.db, damageBranches(lower));
    const { signal } = run(stack.options.db, 'export');
    t.diagnostic(`orderconf export: ${signal}`);
    const service = new Program(stack.program, stack.args(), { log: stack.logFile, env: stack.env });
    await until('it is there, or has ended', async () => service.end || (await stack.answers()));
    for (const tenant of tenants.slice(0, 2)) {
      if (service.end) break;
      const key = 'on_hold_timer_duration';
      const body = '{"value":8}';
      // A worker that dies answers nothing.
      for (const params of [stack.params('GET', key, { tenant }),
        stack.params('POST', key, { tenant, body })])
        await within(5, stack.direct(params, params.REQUEST_METHOD === 'POST' ? body : undefined)
          .catch(() => {}));
    }
    if (!service.end) await until('it answers again', () => stack.answers());
    assert.match(stack.log(), /"event":"worker_ended"/);
    const end = service.end ?? (await service.stop());
    assert.equal(end.signal, null, stack.log());
    assert.ok(end.code === 0 || end.code === 1, stack.log());
  }
});
