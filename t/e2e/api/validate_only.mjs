// SPDX-License-Identifier: MIT
// POST with ?validate_only=true: what POST would answer, and nothing else.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertDescribed, operationOf } from '../lib/document.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { srcdir } from '../lib/paths.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const { start } = factory();
const stack = await start({ options: { workers: 1 } });

const keys = [
  'sales_order_generator_sequence',
  'on_hold_timer_duration',
  'cancellation_allowed_from',
  'big_sales_order',
  'external_oms',
  'external_order_webhook',
];
const timer = 'on_hold_timer_duration';

const dry = (tenant, key, body, headers) =>
  stack.post(tenant, `${key}?validate_only=true`, body, headers);

/** What must be the same: all but what a request has of its own. */
function essence({ status, headers, json }) {
  const { updated_at, request_id, ...body } = json;
  const kept = Object.fromEntries(
    ['content-type', 'cache-control', 'preference-applied', 'vary'].map(
      (name) => [name, headers[name]],
    ),
  );
  return { status, headers: kept, body };
}

/** The bodies of t/data for a key. */
function bodies(key) {
  return ['good', 'bad'].flatMap((kind) => {
    const dir = join(srcdir, 't/data', key, kind);
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .map((name) => ({
        name: `${key}/${kind}/${name}`,
        body: readFileSync(join(dir, name)),
        headers: name.startsWith('strict-') ? { prefer: 'handling=strict' } : {},
      }));
  });
}

for (const key of keys)
  test(`${key}: the same answers as without it`, async () => {
    const operation = operationOf('POST', `/config/sales_order/${key}`);
    for (const { name, body, headers } of bodies(key)) {
      const tenant = stack.tenant();
      const before = await stack.get(tenant, key);
      const tried = await dry(tenant, key, body, headers);
      assertDescribed(operation, tried);
      const after = await stack.get(tenant, key);
      assert.equal(after.status, before.status, name);
      assertVersion(after, 0, name);
      assert.deepEqual(
        (await stack.get(tenant, `${key}/history`)).json.history,
        [],
      );
      const done = await stack.post(tenant, key, body, headers);
      assert.deepEqual(essence(tried), essence(done), name);
      if (tried.status === 200) assertVersion(tried, 0, name);
    }
  });

test('the version stays, and is what the ETag says', async () => {
  const tenant = stack.tenant();
  for (const value of [1, 2]) await stack.post(tenant, timer, { value });
  const tried = await dry(tenant, timer, { value: 3 });
  assert.equal(tried.status, 200);
  assert.equal(tried.json.value, 3);
  assertVersion(tried, 2);
  const read = await stack.get(tenant, timer);
  assert.equal(read.json.value, 2);
  assertVersion(read, 2);
  const away = Math.abs(Date.parse(tried.json.updated_at) - Date.now());
  assert.ok(away < 60000, tried.json.updated_at);
});

test('preconditions count', async () => {
  const tenant = stack.tenant();
  const set = await stack.post(tenant, timer, { value: 1 });
  for (const [headers, status] of [
    [{ 'if-match': set.headers.etag }, 200],
    [{ 'if-match': '"1"' }, 412],
    [{ 'if-none-match': '*' }, 412],
    [{ 'if-match': '7' }, 400],
  ]) {
    const tried = await dry(tenant, timer, { value: 2 }, headers);
    assert.equal(tried.status, status, tried.text);
    if (status !== 400) assert.equal(tried.headers.etag, set.headers.etag);
  }
  assertVersion(await stack.get(tenant, timer), 1);
});

test('the key that is set once', async () => {
  const tenant = stack.tenant();
  const key = 'sales_order_generator_sequence';
  const set = await stack.post(tenant, key, { value: { size: 5 } });
  const same = await dry(tenant, key, { value: { size: 5.0 } });
  assert.equal(same.text, set.text);
  assert.equal(same.headers.etag, set.headers.etag);
  const other = await dry(tenant, key, { value: { size: 6 } });
  assertProblem(other, 400, 'validation_failed', /can be set only once/);
  assert.equal(other.headers.etag, set.headers.etag);
});

test('rolling back can be tried, too', async () => {
  const tenant = stack.tenant();
  for (const value of [1, 2]) await stack.post(tenant, timer, { value });
  const history = `${timer}/history`;
  const tried = await dry(tenant, history, { restore_version: 1 });
  assertDescribed(
    operationOf('POST', '/config/sales_order/{key}/history'),
    tried,
  );
  assert.equal(tried.status, 200);
  assert.equal(tried.json.value, 1);
  assertVersion(tried, 2);
  const missing = await dry(tenant, history, { restore_version: 3 });
  assertProblem(missing, 404, 'not_found');
  assert.equal((await stack.get(tenant, history)).json.history.length, 2);
});

test('it is true or false, once', async () => {
  const tenant = stack.tenant();
  for (const [query, message] of [
    ['validate_only=1', /^validate_only: must be true or false$/],
    ['validate_only=', /^validate_only: must be true or false$/],
    ['validate_only', /^validate_only: must be true or false$/],
    ['validate_only=True', /^validate_only: must be true or false$/],
    [
      'validate_only=true&validate_only=true',
      /^validate_only: must be there only once$/,
    ],
  ])
    for (const [of, body] of [
      [timer, { value: 1 }],
      [`${timer}/history`, { restore_version: 1 }],
    ]) {
      const answer = await stack.post(tenant, `${of}?${query}`, body);
      assertProblem(answer, 400, 'bad_request', message);
    }
  assertVersion(await stack.get(tenant, timer), 0);
  const really = await stack.post(tenant, `${timer}?validate_only=false&a=b`, {
    value: 1,
  });
  assertVersion(really, 1);
});

test('only what is stored is logged as stored', async () => {
  const token = stack.token(stack.tenant());
  const ids = [];
  const key = 'sales_order_generator_sequence';
  for (const [query, size] of [
    ['?validate_only=true', 5],
    ['', 5],
    ['', 5],
    ['?validate_only=true', 5],
    ['', 6],
  ]) {
    const answer = await stack.request({
      token,
      method: 'POST',
      path: BASE + key + query,
      body: { value: { size } },
    });
    ids.push(answer.headers['x-request-id']);
  }
  const logged = stack
    .events()
    .filter((event) => event.event === 'stored' && ids.includes(event.request_id))
    .map((event) => event.request_id);
  assert.deepEqual(logged, [ids[1]]);
});

test('the service stops cleanly and logs no token', () => stack.stop());

test('it needs the write scope', async () => {
  const scoped = await start({
    options: { 'read-scope': 'r', 'write-scope': 'w' },
  });
  const tenant = scoped.tenant();
  for (const [scope, status] of [
    ['r', 403],
    ['w', 200],
  ]) {
    const answer = await scoped.request({
      token: scoped.token(tenant, { scope }),
      method: 'POST',
      path: `${BASE}${timer}?validate_only=true`,
      body: { value: 1 },
    });
    assert.equal(answer.status, status);
  }
  await scoped.stop();
});
