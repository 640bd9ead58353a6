// SPDX-License-Identifier: MIT
// ETag, and the preconditions of reading and writing.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion, withTags } from '../lib/etag.mjs';
import { BASE, Stack } from '../lib/stack.mjs';

const stack = await Stack.start();
after(() => stack.kill());

const key = 'on_hold_timer_duration';

/** A tenant whose key is at this version. */
async function at(version) {
  const tenant = stack.tenant();
  for (let value = 1; value <= version; value++)
    assertVersion(await stack.post(tenant, key, { value }), value);
  return tenant;
}

test('versions count from 1', async () => {
  const tenant = await at(0);
  assertVersion(await stack.get(tenant, key), 0);
  for (let version = 1; version <= 12; version++) {
    const written = await stack.post(tenant, key, { value: version });
    assertVersion(written, version);
    assertVersion(await stack.get(tenant, key), version);
  }
});

test('the same value again is a new version', async () => {
  const tenant = await at(1);
  assertVersion(await stack.post(tenant, key, { value: 1 }), 2);
});

test('each key of a tenant has its own version', async () => {
  const tenant = await at(3);
  assertVersion(await stack.get(tenant, 'big_sales_order'), 0);
});

for (const [field, status] of [
  ['{2}', 304],
  ['W/{2}', 304],
  ['{1}, {2}', 304],
  ['*', 304],
  ['{1},"7",W/{2}', 304],
  ['{1}', 200],
  ['"2"', 200],
  ['"02"', 200],
  ['"22"', 200],
  ['""', 200],
  ['"a,b"', 200],
  ['2', 400],
  ['"2', 400],
  ['"1" "2"', 400],
])
  test(`GET If-None-Match: ${field}: ${status}`, async () => {
    const tenant = await at(2);
    const answer = await stack.get(tenant, key, {
      'if-none-match': await withTags(stack, tenant, key, field),
    });
    assert.equal(answer.status, status, answer.text);
    if (status === 400) {
      assertProblem(answer, 400, 'bad_request', /^If-None-Match: /);
      return;
    }
    assertVersion(answer, 2);
    if (status === 304) {
      assert.equal(answer.text, '');
      assert.equal(answer.headers['content-type'], undefined);
      assert.ok(answer.headers['x-request-id']);
    }
  });

for (const [version, field, status] of [
  [2, '{2}', 200],
  [2, '{1}, {2}', 200],
  [2, '*', 200],
  [2, '{1}', 412],
  [2, 'W/{2}', 412],
  [2, '"2"', 412],
  [2, '2', 400],
  [0, '"0"', 200],
  [0, '*', 412],
])
  test(`GET at version ${version}, If-Match: ${field}: ${status}`, async () => {
    const tenant = await at(version);
    const answer = await stack.get(tenant, key, {
      'if-match': await withTags(stack, tenant, key, field),
    });
    assert.equal(answer.status, status, answer.text);
    assertVersion(answer, version);
    if (status === 412)
      assertProblem(answer, 412, 'precondition_failed', /^If-Match: /);
    if (status === 400) assertProblem(answer, 400, 'bad_request', /^If-Match: /);
  });

test('If-Match comes before If-None-Match, and holds for an old version', async () => {
  const tenant = await at(2);
  for (const [query, match, status] of [
    ['', '{1}', 412],
    ['', '{2}', 304],
    ['?version=1', '{2}', 412],
    ['?version=1', '{1}', 200],
  ]) {
    const answer = await stack.get(tenant, `${key}${query}`, {
      'if-match': await withTags(stack, tenant, key, match),
      'if-none-match': await withTags(stack, tenant, key, '{2}'),
    });
    assert.equal(answer.status, status, `${query} ${match}: ${answer.text}`);
  }
});

test('an unset key is not modified for a client that knows so', async () => {
  const tenant = await at(0);
  assert.equal(
    (await stack.get(tenant, key, { 'if-none-match': '"0"' })).status,
    304,
  );
  // "*" asks for a value that is there.
  assert.equal(
    (await stack.get(tenant, key, { 'if-none-match': '*' })).status,
    200,
  );
});

for (const [version, name, field, status] of [
  [2, 'if-match', '{2}', 200],
  [2, 'if-match', '{1}, {2}', 200],
  [2, 'if-match', '*', 200],
  [2, 'if-match', '{1}', 412],
  [2, 'if-match', '"2"', 412],
  [2, 'if-match', 'W/{2}', 412],
  [2, 'if-match', '""', 412],
  [2, 'if-match', '2', 400],
  [0, 'if-match', '*', 412],
  [0, 'if-match', '"0"', 200],
  [0, 'if-match', '"1"', 412],
  [0, 'if-none-match', '*', 200],
  [2, 'if-none-match', '*', 412],
  [2, 'if-none-match', '{2}', 412],
  [2, 'if-none-match', 'W/{2}', 412],
  [2, 'if-none-match', '{1}', 200],
  [2, 'if-none-match', '"2"', 200],
  [2, 'if-none-match', '"', 400],
])
  test(`POST at version ${version}, ${name}: ${field}: ${status}`, async () => {
    const tenant = await at(version);
    const answer = await stack.post(
      tenant,
      key,
      { value: 99 },
      { [name]: await withTags(stack, tenant, key, field) },
    );
    assert.equal(answer.status, status, answer.text);
    const after200 = status === 200 ? version + 1 : version;
    if (status === 412) assertProblem(answer, 412, 'precondition_failed');
    if (status === 400)
      assertProblem(answer, 400, 'bad_request', new RegExp(`^${name}`, 'i'));
    if (status !== 400) assertVersion(answer, after200);
    const read = await stack.get(tenant, key);
    assertVersion(read, after200);
    assert.equal(read.json.value, status === 200 ? 99 : version);
  });

test('of many writers with If-Match one wins, and 412 carries the version', async () => {
  const tenant = await at(1);
  const tag = (await stack.get(tenant, key)).headers.etag;
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, i) =>
      stack.post(tenant, key, { value: i }, { 'if-match': tag }),
    ),
  );
  const won = answers.filter((answer) => answer.status === 200);
  assert.equal(won.length, 1);
  assertVersion(won[0], 2);
  for (const answer of answers) {
    if (answer === won[0]) continue;
    assertProblem(answer, 412, 'precondition_failed');
    assert.equal(answer.headers.etag, won[0].headers.etag);
  }
  assert.equal((await stack.get(tenant, key)).json.value, won[0].json.value);
});

test('of many first writers with If-None-Match: * one wins', async () => {
  const tenant = await at(0);
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, i) =>
      stack.post(tenant, key, { value: i }, { 'if-none-match': '*' }),
    ),
  );
  assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
  assert.equal(answers.filter((answer) => answer.status === 412).length, 31);
});

test('HEAD has the fields of GET and no body', async () => {
  const tenant = await at(2);
  const get = await stack.get(tenant, key);
  const head = await stack.request({
    tenant,
    method: 'HEAD',
    path: BASE + key,
  });
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  for (const name of [
    'etag',
    'content-type',
    'content-length',
    'cache-control',
  ])
    assert.equal(head.headers[name], get.headers[name], name);
  assert.equal(
    get.headers['content-length'],
    String(Buffer.byteLength(get.text)),
  );
  const fresh = await stack.request({
    tenant,
    method: 'HEAD',
    path: BASE + key,
    headers: { 'if-none-match': get.headers.etag },
  });
  assert.equal(fresh.status, 304);
});

test('the service stops cleanly and logs no token', () => stack.stop());
