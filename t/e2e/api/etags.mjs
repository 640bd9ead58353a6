// SPDX-License-Identifier: MIT
// An ETag stands for one value for ever: after a restore, in another store,
// and under other secret keys.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { adminOf } from '../lib/admin.mjs';
import { assertProblem } from '../lib/contract.mjs';
import { srcdir } from '../lib/paths.mjs';
import { WEBHOOK, hook, keySet, writeKeys } from '../lib/secrets.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const { make, start } = factory();
const key = 'on_hold_timer_duration';
const LIST = BASE.slice(0, -1);

// In t/data/store_1.
const HOOK_TAG = '"1-bdcf2ffaa4a8fe00"';
const TIMER_TAG = '"4-56cc41593b81e343"';

async function write(stack, tenant, ...values) {
  let answer;
  for (const value of values) {
    answer = await stack.post(tenant, key, { value });
    assert.equal(answer.status, 200, answer.text);
  }
  return answer.headers.etag;
}

/**
 * Fails unless a tag that a client holds is of no value that is there: the
 * client reads again, and does not replace what it never saw.
 */
async function assertStale(stack, tenant, tag, value) {
  const read = await stack.get(tenant, key, { 'if-none-match': tag });
  assert.equal(read.status, 200);
  assert.equal(read.json.value, value);
  for (const [path, body] of [
    [key, { value: 99 }],
    [`${key}?validate_only=true`, { value: 99 }],
    [`${key}/history`, { restore_version: 1 }],
  ]) {
    const answer = await stack.post(tenant, path, body, { 'if-match': tag });
    assertProblem(answer, 412, 'precondition_failed', /^If-Match: /);
    assert.equal(answer.headers.etag, read.headers.etag);
  }
  assert.equal((await stack.get(tenant, key)).json.value, value);
}

test('a restored backup takes no tag of what came behind it', async () => {
  const stack = await start();
  const { db } = stack.options;
  const tenant = stack.tenant();
  const all = (headers) => stack.request({ tenant, path: LIST, headers });
  const kept = await write(stack, tenant, 1, 2, 3);
  const backup = join(stack.dir, 'backup');
  adminOf(db).text('backup', backup);
  const lost = await write(stack, tenant, 4, 5);
  const lostList = (await all()).headers.etag;

  await stack.stopService();
  renameSync(db, `${db}.old`);
  renameSync(backup, db);
  await stack.startService();
  const same = await stack.get(tenant, key, { 'if-none-match': kept });
  assert.equal(same.status, 304);
  await write(stack, tenant, 40, 50);

  await assertStale(stack, tenant, lost, 50);
  const read = await all({ 'if-none-match': lostList });
  assert.equal(read.status, 200);
  assert.equal(read.json[key].version, 5);
  assert.equal(read.json[key].etag, (await stack.get(tenant, key)).headers.etag);
  await stack.stop();
});

test('an export in another store makes tags of its own', async () => {
  const stack = await start();
  const other = make();
  other.key = stack.key;
  const tenant = stack.tenant();
  other.setKeys(tenant, [other.key]);
  const old = await write(stack, tenant, 1);
  const exported = adminOf(stack.options.db).text('export');
  await stack.stop();

  const { status, stderr } = adminOf(other.options.db).run(['import'], {
    input: exported.replace('"value":1,', '"value":7,'),
  });
  assert.deepEqual([status, stderr], [0, '']);
  await other.startAll();
  await assertStale(other, tenant, old, 7);
  await other.stop();
});

test('the plain numbers of older clients match nothing', async () => {
  const stack = await start();
  const tenant = stack.tenant();
  await write(stack, tenant, 1);
  await assertStale(stack, tenant, '"1"', 1);
  const { headers } = await stack.get(tenant, key);
  const [entry] = (await stack.get(tenant, `${key}/history`)).json.history;
  assert.equal(entry.etag, headers.etag);
  const written = await stack.post(
    tenant,
    key,
    { value: 2 },
    { 'if-match': entry.etag },
  );
  assert.equal(written.status, 200);
  await stack.stop();
});

test('rekey changes no tag', async () => {
  const stack = make();
  const keys = join(stack.dir, 'secrets.json');
  stack.options['secret-keys'] = writeKeys(keys, keySet('k1'));
  await stack.startAll();
  const tenant = stack.tenant();
  const tags = async () => {
    const seen = [];
    for (const path of [WEBHOOK, `${WEBHOOK}?version=1`])
      seen.push((await stack.get(tenant, path)).headers.etag);
    const { headers } = await stack.request({ tenant, path: LIST });
    return [...seen, headers.etag];
  };
  for (const secret of ['one', 'two']) {
    const answer = await stack.post(tenant, WEBHOOK, { value: hook(secret) });
    assert.equal(answer.status, 200);
  }
  const before = await tags();
  assert.equal(new Set(before).size, 3);
  writeKeys(keys, keySet('k2', 'k1'));
  await stack.stopService();
  const { rewritten } = adminOf(stack.options.db).json('rekey', '--secret-keys', keys);
  assert.equal(rewritten, 2);
  await stack.startService();
  assert.deepEqual(await tags(), before);
  await stack.stop();
});

/** What a token reads: the tags of two keys, of a version and of the list. */
async function tagsFor(stack, token) {
  const tags = [];
  for (const path of [
    BASE + WEBHOOK,
    BASE + key,
    `${BASE}${WEBHOOK}?version=1`,
    LIST,
  ]) {
    const answer = await stack.request({ token, path });
    assert.equal(answer.status, 200, answer.text);
    tags.push(answer.headers.etag);
  }
  return tags;
}

test('versions from before format 2 have tags that stay', async () => {
  const stack = make({ options: { 'secret-scope': 'secrets' } });
  const { db } = stack.options;
  mkdirSync(db, { mode: 0o750 });
  copyFileSync(join(srcdir, 't/data/store_1/data.mdb'), join(db, 'data.mdb'));
  const admin = adminOf(db);
  const keys = join(stack.dir, 'secrets.json');
  stack.setKeys('acme', [stack.key]);
  const read = async () => {
    await stack.startAll();
    const masked = await tagsFor(stack, stack.token('acme'));
    const scope = 'secrets';
    const open = await tagsFor(stack, stack.token('acme', { scope }));
    const { json } = await stack.request({
      token: stack.token('acme'),
      path: LIST,
    });
    assert.equal(json[WEBHOOK].updated_by, 'bob');
    assert.equal(json[WEBHOOK].etag, masked[0]);
    await stack.stop();
    assert.deepEqual(masked, open);
    return masked;
  };

  const first = await read();
  // They are a promise: BLAKE2b of version, time and masked value.
  assert.deepEqual(first.slice(0, 3), [HOOK_TAG, TIMER_TAG, HOOK_TAG]);
  for (const kids of [['k1'], ['k2', 'k1']]) {
    stack.options['secret-keys'] = writeKeys(keys, keySet(...kids));
    admin.json('rekey', '--secret-keys', keys);
    assert.deepEqual(await read(), first);
  }

  await stack.startAll();
  const token = stack.token('acme');
  const post = (tag) =>
    stack.request({
      token,
      method: 'POST',
      path: BASE + key,
      body: { value: 1 },
      headers: { 'if-match': tag },
    });
  assert.equal((await post('"4"')).headers.etag, TIMER_TAG);
  assert.equal((await post(TIMER_TAG)).status, 200);
  assert.equal((await post(TIMER_TAG)).status, 412);
  await stack.stop();
});
