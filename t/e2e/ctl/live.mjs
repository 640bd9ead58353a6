// SPDX-License-Identifier: MIT
// The admin command beside a running service with writers: no version is lost
// or made twice, and either sees at once what the other has stored.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { adminOf } from '../lib/admin.mjs';
import { LIST_TAG, assertVersion, versionOf } from '../lib/etag.mjs';
import { admin, cleanEnv } from '../lib/paths.mjs';
import { Stack } from '../lib/stack.mjs';

const execute = promisify(execFile);
const key = 'on_hold_timer_duration';
let stack;
let store;

before(async () => {
  stack = await Stack.start({ options: { workers: 2, history: 100000 } });
  store = adminOf(stack.options.db);
});
after(() => stack?.kill());

/** Runs the command while the test goes on: its status and what it printed. */
async function run(...args) {
  const options = { env: cleanEnv({ ORDERCONF_DB: stack.options.db }) };
  try {
    const { stdout } = await execute(admin, args.map(String), options);
    return { status: 0, stdout };
  } catch (error) {
    return { status: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

test('the service sees a change at once, and the command the service\'s', async () => {
  const tenant = stack.tenant();
  const of = ['--tenant', tenant];
  let before = '"0"';
  for (let i = 1; i <= 10; i++) {
    const set = await run('set', ...of, key, i, '--json');
    assert.equal(set.status, 0, set.stderr);
    const { version, etag, updated_at: at } = JSON.parse(set.stdout);
    assert.equal(version, 2 * i - 1);
    for (const answer of [await stack.get(tenant, key), await stack.get(tenant, key)]) {
      assert.equal(answer.headers.etag, etag);
      assert.deepEqual(answer.json, { value: i, updated_at: at });
    }
    const stale = await stack.post(tenant, key, { value: 0 }, { 'if-match': before });
    assert.equal(stale.status, 412);
    const post = await stack.post(tenant, key, { value: 100 + i }, { 'if-match': etag });
    assert.equal(post.status, 200);
    const got = store.json('get', ...of, key);
    assert.deepEqual([got.value, got.version, got.etag],
      [100 + i, 2 * i, post.headers.etag]);
    before = got.etag;
  }
});

test('unset: the service answers the default, and its writers notice', async () => {
  const tenant = stack.tenant();
  const of = ['--tenant', tenant];
  const hook = 'external_order_webhook';
  const value = { url: 'https://a.example/', api_key: 'k' };
  const set = await stack.post(tenant, key, { value: 5 });
  assert.equal(set.status, 200);
  assert.equal((await stack.post(tenant, hook, { value })).status, 200);
  store.text('unset', ...of, key, '--subject', 'ops');
  store.text('unset', ...of, hook);

  const unset = await stack.get(tenant, key);
  assertVersion(unset, 2);
  assert.deepEqual(unset.json, { value: 0, updated_at: '1970-01-01T00:00:00Z' });
  const gone = await stack.get(tenant, hook);
  assert.deepEqual([gone.status, gone.json.error_code, versionOf(gone)],
    [404, 'config_not_set', 2]);
  const all = await stack.request({ tenant, path: '/v0/config/sales_order' });
  assert.match(all.headers.etag, LIST_TAG);
  assert.deepEqual([all.json[key].etag, all.json[key].updated_by], [unset.headers.etag, 'ops']);
  assert.deepEqual(all.json, store.json('list', ...of));
  const history = (await stack.get(tenant, `${key}/history`)).json.history;
  assert.deepEqual(history, store.lines('history', ...of, key));
  assert.deepEqual([history[0].value, history[0].updated_by], [null, 'ops']);

  const post = (headers) => stack.post(tenant, key, { value: 6 }, headers);
  assert.equal((await post({ 'if-match': set.headers.etag })).status, 412);
  assert.equal((await post({ 'if-match': '*' })).status, 412);
  const restored = await stack.post(tenant, `${key}/history`, { restore_version: 2 });
  assert.equal(restored.status, 400);
  const again = await post({ 'if-none-match': '*' });
  assert.deepEqual([again.status, versionOf(again)], [200, 3]);
  assert.equal((await post({ 'if-none-match': '*' })).status, 412);
});

test('no version is lost or made twice beside busy writers', async () => {
  const tenant = stack.tenant();
  const of = ['--tenant', tenant];
  const made = new Map(); // version to value, as they were told
  let value = 0;
  let isOver = false;
  const note = (version, stored) => {
    assert.ok(!made.has(version), `version ${version} was made twice`);
    made.set(version, stored);
  };
  const writer = async () => {
    while (!isOver) {
      const mine = ++value;
      const { status, headers } = await stack.post(tenant, key, { value: mine });
      if (status === 200) note(versionOf(headers.etag), mine);
      else assert.equal(status, 409);
    }
  };
  const writers = [writer(), writer(), writer(), writer()];
  for (let i = 0; i < 25; i++) {
    const mine = ++value;
    const set = await run('set', ...of, key, mine, '--json');
    assert.equal(set.status, 0, set.stderr);
    note(JSON.parse(set.stdout).version, mine);
    if (i % 5 === 4) {
      const unset = await run('unset', ...of, key, '--json');
      assert.equal(unset.status, 0, unset.stderr);
      note(JSON.parse(unset.stdout).version, null);
      for (const args of [['list', ...of], ['history', ...of, key], ['tenants'], ['stat']])
        assert.equal((await run(...args)).status, 0);
    }
  }
  isOver = true;
  await Promise.all(writers);

  const history = store.lines('history', ...of, key);
  assert.equal(history[0].version, made.size);
  assert.deepEqual(history.map(({ version }) => version),
    [...made.keys()].sort((a, b) => b - a));
  for (const entry of history) assert.equal(entry.value, made.get(entry.version));
  const authors = history.map((entry) => entry.updated_by.startsWith('cli:'));
  assert.equal(authors.filter(Boolean).length, 30);
  assert.ok(authors.filter((isCli) => !isCli).length > 0, 'the writers wrote');
});

test('of several that want the same version one gets it, the others are told', async () => {
  const tenant = stack.tenant();
  const of = ['--tenant', tenant];
  for (let version = 0; version < 3; version++) {
    const answers = await Promise.all([1, 2, 3, 4].map((value) =>
      run('set', ...of, key, value, '--version', version)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [0, 3, 3, 3]);
    for (const { status, stderr } of answers)
      if (status === 3) assert.match(stderr, new RegExp(`is at version ${version + 1}, not ${version}\n$`));
  }
});

test('stat counts the workers among the readers', async () => {
  const { readers, tenants } = store.json('stat');
  assert.ok(readers >= 3 && readers <= 5, `${readers} readers`); // and itself
  assert.equal(tenants, store.lines('tenants').length);
});

test('the service stops cleanly', () => stack.stop());
