// SPDX-License-Identifier: MIT
// orderconf backup: while writers are at it, and restored into another service.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { admin, cleanEnv, find } from '../lib/paths.mjs';
import { factory } from '../lib/stack.mjs';

const { make, start } = factory();
const stack = await start({ nginx: false });
const { db } = stack.options;
const key = 'on_hold_timer_duration';

const root = mkdtempSync(join(tmpdir(), 'orderconf-backup-'));
after(() => rmSync(root, { recursive: true, force: true }));
let dirs = 0;
function makeDir() {
  const dir = join(root, String(dirs++));
  mkdirSync(dir);
  return dir;
}

/** Runs it beside the tests, which go on. */
function backup(...args) {
  return new Promise((resolve) => {
    const child = spawn(admin, ['backup', `--db=${db}`, ...args], { env: cleanEnv() });
    const out = { stdout: '', stderr: '' };
    for (const name of Object.keys(out))
      child[name].setEncoding('utf8').on('data', (text) => { out[name] += text; });
    child.on('close', (status) => {
      assert.doesNotMatch(out.stderr, /Sanitizer|runtime error:/);
      resolve({ status, ...out });
    });
  });
}

async function fails(status, message, ...args) {
  const result = await backup(...args);
  assert.deepEqual([result.status, result.stdout], [status, ''], result.stderr);
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^orderconf backup: [^\n]*\n$/);
}

async function set(on, tenant, value) {
  const body = JSON.stringify({ value });
  const { status } = await on.direct(on.params('POST', key, { tenant, body }), body);
  assert.equal(status, 200);
}

async function historyOf(on, tenant, before = 0) {
  const answer = await on.direct(on.params('GET', `${key}/history`,
    { tenant, QUERY_STRING: `limit=100${before ? `&before=${before}` : ''}` }));
  assert.equal(answer.status, 200);
  return answer.json.history;
}

test('while writers are at it, and restored', async () => {
  const tenants = Array.from({ length: 8 }, () => stack.tenant());
  const acknowledged = new Map(tenants.map((tenant) => [tenant, 0]));
  let isDone = false;
  const writers = tenants.map(async (tenant) => {
    for (let value = 1; !isDone && value < 5000; value++) {
      await set(stack, tenant, value);
      acknowledged.set(tenant, value);
    }
  });
  while (Math.min(...acknowledged.values()) < 20)
    await new Promise((resolve) => { setTimeout(resolve, 5); });

  const before = new Map(acknowledged);
  const dest = join(makeDir(), 'copy');
  const { status, stdout, stderr } = await backup('--json', `${dest}/`);
  isDone = true;
  await Promise.all(writers);
  assert.deepEqual([status, stderr], [0, '']);
  const after = new Map(acknowledged);
  assert.deepEqual(readdirSync(dest), ['data.mdb']);
  assert.equal(statSync(dest).mode & 0o7777, 0o750);
  assert.equal(statSync(join(dest, 'data.mdb')).mode & 0o7777, 0o640);
  assert.equal(statSync(dest).uid, statSync(db).uid);

  const printed = JSON.parse(stdout);
  assert.deepEqual(Object.keys(printed), ['path', 'records', 'versions', 'bytes']);
  assert.deepEqual([printed.path, printed.records], [dest, tenants.length]);
  assert.equal(printed.bytes, statSync(join(dest, 'data.mdb')).size);

  const restored = make({ nginx: false });
  restored.key = stack.key;
  for (const tenant of tenants) restored.setKeys(tenant, [restored.key]);
  renameSync(dest, restored.options.db);
  await restored.startService();
  let versions = 0;
  for (const tenant of tenants) {
    const history = await historyOf(restored, tenant);
    const { version } = history[0];
    versions += Math.min(version, 100);
    assert.ok(version >= before.get(tenant), `${tenant}: ${version} < ${before.get(tenant)}`);
    assert.ok(version <= after.get(tenant));
    assert.equal(history.length, Math.min(version, 100));
    for (const [i, entry] of history.entries()) {
      assert.deepEqual([entry.version, entry.value], [version - i, version - i]);
      assert.equal(entry.updated_by, 'somebody');
    }
    const { json } = await restored.direct(restored.params('GET', key, { tenant }));
    assert.equal(json.value, version);
    await set(restored, tenant, version + 1); // it goes on from there
    assert.equal((await historyOf(restored, tenant))[0].version, version + 1);
  }
  assert.ok(printed.versions >= versions);
  await restored.stop();
});

test('nothing is overwritten', async () => {
  const dir = makeDir();
  await fails(1, /exists, and nothing is overwritten/, dir);
  writeFileSync(join(dir, 'file'), 'mine');
  await fails(1, /exists, and nothing is overwritten/, join(dir, 'file'));
  await fails(1, /exists, and nothing is overwritten/, db);
  assert.deepEqual(readdirSync(dir), ['file']);
});

test('where nothing can be written', async () => {
  const dir = makeDir();
  writeFileSync(join(dir, 'file'), '');
  await fails(1, /none\/copy: No such file/, join(dir, 'none', 'copy'));
  await fails(1, /file\/copy: Not a directory/, join(dir, 'file', 'copy'));
  assert.deepEqual(readdirSync(dir), ['file']);
});

test('what is not understood', async () => {
  await fails(2, /where to\?/);
  await fails(2, /--nope: no such option/, '--nope', 'x');
  await fails(2, /b: not expected here/, 'a', 'b');
  await fails(1, /no store in this directory/, '--db', makeDir(), join(root, 'never'));
  assert.ok(!existsSync(join(root, 'never')));
});

test('a full disk leaves nothing', (t) => {
  const dir = makeDir();
  // A small disk that only this shell and its children see.
  const script = `
    mount -t tmpfs -o size=32k none "$1" || exit 77
    "$2" backup --db="$3" "$1/copy"; status=$?
    ls -A "$1"
    exit $status`;
  const { status, stdout, stderr } = spawnSync(find('unshare') ?? 'unshare',
    ['-m', '/bin/sh', '-c', script, 'sh', dir, admin, db], { env: cleanEnv(), encoding: 'utf8' });
  if (status === 77 || status === null || /unshare:/.test(stderr)) return t.skip('not allowed to mount');
  assert.deepEqual([status, stdout], [1, ''], stderr);
  return assert.match(stderr,
    /^orderconf backup: could not write \S+\/data\.mdb: No space left on device\n$/);
});

test('a signal leaves nothing', async () => {
  // Large enough to be still at it when the signal comes.
  const many = makeDir();
  const lines = [];
  const value = JSON.stringify({ url: 'https://x.example/', api_key: 'k'.repeat(20000) });
  for (let i = 1000; i < 3000; i++)
    lines.push(`{"tenant":"t${i}","key":"external_order_webhook","value":${value}}`);
  const file = join(root, 'many.jsonl');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const loaded = spawnSync(admin, ['import', `--db=${many}`, file], { env: cleanEnv(), encoding: 'utf8' });
  assert.equal(loaded.status, 0, loaded.stderr);

  const dir = makeDir();
  const child = spawn(admin, ['backup', `--db=${many}`, join(dir, 'copy')], { env: cleanEnv() });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
  while (readdirSync(dir).length === 0)
    await new Promise((resolve) => { setTimeout(resolve, 1); });
  child.kill('SIGINT');
  const status = await new Promise((resolve) => { child.on('close', resolve); });
  assert.deepEqual([status, stderr], [1, 'orderconf backup: interrupted; there is no copy\n']);
  assert.deepEqual(readdirSync(dir), []);
});

test('what a killed one has left is named by the next one, and by no other', async () => {
  const dir = makeDir();
  const dest = join(dir, 'copy');
  mkdirSync(`${dest}.AbCd12`);
  writeFileSync(join(`${dest}.AbCd12`, 'data.mdb'), 'half');
  mkdirSync(`${dest}.AbCd123`); // what no backup makes
  mkdirSync(`${dest}2.AbCd12`); // of another place
  const { status, stderr } = await backup(dest);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, `orderconf backup: ${dest}.AbCd12: was left by a backup that did not end, and can be removed\n`);
  assert.deepEqual(readdirSync(dir).sort(), ['copy', 'copy.AbCd12', 'copy.AbCd123', 'copy2.AbCd12']);
  rmSync(dest, { recursive: true });

  // One that is worked on is left alone: the lock is that of backup itself.
  const held = spawn(find('flock') ?? 'flock', [`${dest}.AbCd12`, 'sleep', '60']);
  try {
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    const beside = await backup(dest);
    assert.deepEqual([beside.status, beside.stderr], [0, '']);
  } finally {
    held.kill();
  }
});
