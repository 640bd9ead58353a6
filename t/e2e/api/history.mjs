// SPDX-License-Identifier: MIT
// Who changed what, older versions, and the way back to them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertDescribed, operationOf } from '../lib/document.mjs';
import { assertVersion, versionOf, withTags } from '../lib/etag.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const { start } = factory();
const stack = await start();

const key = 'on_hold_timer_duration';
const path = '/config/sales_order/{key}/history';
const listing = operationOf('GET', path);
const restoring = operationOf('POST', path);
const reading = operationOf('GET', `/config/sales_order/${key}`);

const page = (tenant, query = '', of = key) =>
  stack.get(tenant, `${of}/history${query}`);

const restore = (tenant, version, headers, of = key) =>
  stack.post(tenant, `${of}/history`, { restore_version: version }, headers);

/** A tenant whose key was set to 10, 20, … */
async function at(version, on = stack) {
  const tenant = on.tenant();
  for (let value = 10; value <= version * 10; value += 10)
    assert.equal((await on.post(tenant, key, { value })).status, 200);
  return tenant;
}

const versions = (answer) => answer.json.history.map(({ version }) => version);

test('an entry says what, when, by whom and in which request', async () => {
  const tenant = stack.tenant();
  const written = [];
  for (const [value, sub] of [
    [7, 'alice'],
    [8, 'bob "the builder" \u00e9'],
    [9, undefined],
  ]) {
    const answer = await stack.request({
      token: stack.token(tenant, { sub }),
      method: 'POST',
      path: BASE + key,
      body: { value },
    });
    assert.equal(answer.status, 200);
    written.unshift({
      version: written.length + 1,
      etag: answer.headers.etag,
      value,
      updated_at: answer.json.updated_at,
      updated_by: sub ?? null,
      request_id: answer.headers['x-request-id'],
      note: null,
    });
  }
  const answer = await page(tenant);
  assertDescribed(listing, answer);
  assert.deepEqual(answer.json, { history: written });
  assert.equal(answer.headers.link, undefined);
  assert.equal(answer.headers['cache-control'], 'private, no-cache');
});

test('what was never set has an empty history', async () => {
  const tenant = stack.tenant();
  for (const of of [key, 'external_order_webhook']) {
    const answer = await page(tenant, '', of);
    assertDescribed(listing, answer);
    assert.deepEqual(answer.json, { history: [] });
  }
});

test('a history is its tenant\'s and its key\'s', async () => {
  const tenant = await at(2);
  assert.deepEqual((await page(stack.tenant())).json.history, []);
  assert.deepEqual((await page(tenant, '', 'big_sales_order')).json.history, []);
});

test('the links lead through all versions, once each', async () => {
  const tenant = await at(45);
  for (const limit of [undefined, 1, 7, 45, 100]) {
    const seen = [];
    let pages = 0;
    let url = new URL(`http://a${BASE}${key}/history`);
    if (limit) url.searchParams.set('limit', limit);
    for (;;) {
      const answer = await stack.request({
        tenant,
        path: url.pathname + url.search,
      });
      assertDescribed(listing, answer);
      seen.push(...versions(answer));
      pages++;
      const link = answer.headers.link?.match(/^<([^>]*)>; rel="next"$/);
      if (!link) break;
      url = new URL(link[1], url); // relative to the page
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 45 }, (_, i) => 45 - i),
    );
    assert.equal(pages, Math.ceil(45 / (limit ?? 20)), `limit ${limit}`);
  }
});

test('before is a version, there or not', async () => {
  const tenant = await at(3);
  for (const [query, expected] of [
    ['?before=3', [2, 1]],
    ['?before=3&limit=1', [2]],
    ['?before=1', []],
    ['?before=4711', [3, 2, 1]],
    ['?before=9223372036854775807&unknown=-1', [3, 2, 1]],
    ['?%62efore=%33', [2, 1]],
  ])
    assert.deepEqual(versions(await page(tenant, query)), expected, query);
});

test('pages of large values are short, and whole', async () => {
  const tenant = stack.tenant();
  const of = 'external_order_webhook';
  for (let i = 1; i <= 5; i++) {
    const value = { url: 'https://a.example', api_key: `${i}`.repeat(30000) };
    assert.equal((await stack.post(tenant, of, { value })).status, 200);
  }
  const first = await page(tenant, '', of);
  assertDescribed(listing, first);
  assert.deepEqual(versions(first), [5, 4]);
  assert.equal(first.json.history[0].value.api_key, '5'.repeat(30000));
  assert.equal(first.headers.link, '<?limit=20&before=4>; rel="next"');
  assert.equal(first.headers['cache-control'], 'no-store');
  assert.deepEqual(versions(await page(tenant, '?before=2', of)), [1]);
});

test('an old version is read by its number', async () => {
  const tenant = await at(3);
  for (const [version, value] of [
    [1, 10],
    [2, 20],
    [3, 30],
  ]) {
    const answer = await stack.get(tenant, `${key}?version=${version}`);
    assertDescribed(reading, answer);
    assert.equal(answer.json.value, value);
    assertVersion(answer, version);
    const listed = (await page(tenant, `?before=${version + 1}&limit=1`)).json;
    assert.equal(listed.history[0].updated_at, answer.json.updated_at);
  }
  const query = `${key}?version=2`;
  const same = await stack.get(tenant, query, {
    'if-none-match': await withTags(stack, tenant, key, '{2}'),
  });
  assert.equal(same.status, 304);
  const other = await stack.get(tenant, query, {
    'if-none-match': await withTags(stack, tenant, key, '{3}'),
  });
  assert.equal(other.status, 200);
  const head = await stack.request({
    tenant,
    method: 'HEAD',
    path: BASE + query,
  });
  assert.equal(head.status, 200);
  assertVersion(head, 2);
});

test('a version of external_oms has both shapes', async () => {
  const tenant = stack.tenant();
  for (const enabled of [true, false])
    await stack.post(tenant, 'external_oms', { enabled });
  const { json } = await stack.get(tenant, 'external_oms?version=1');
  assert.equal(json.enabled, true);
  assert.deepEqual(json.value, { enabled: true });
});

test('a version that is not there is a 404', async () => {
  const tenant = await at(2);
  for (const of of [`${key}?version=3`, 'external_oms?version=1']) {
    const answer = await stack.get(tenant, of);
    assertProblem(answer, 404, 'not_found', /^version: version [13] of .* does not exist/);
    assert.equal(answer.headers.etag, undefined);
  }
});

test('bad parameters are named, all of them', async () => {
  const tenant = await at(2);
  for (const [query, ...expected] of [
    ['history?limit=0', /^limit: must be an integer from 1 to 100$/m],
    ['history?limit=101', /^limit: /m],
    ['history?limit=', /^limit: /m],
    ['history?limit=1.0', /^limit: /m],
    ['history?before=x', /^before: must be an integer from 1 to \d+$/m],
    ['history?before=0', /^before: /m],
    ['history?limit=-1&before=%00', /^limit: /m, /^before: /m],
    ['history?limit=1&limit=1', /^limit: must be there only once$/m],
    ['history?before=2&%62efore=2', /^before: must be there only once$/m],
    ['?version=-1', /^version: must be an integer from 1 to \d+$/m],
    ['?version=0', /^version: /m],
    ['?version=9223372036854775808', /^version: /m],
    ['?version=1&version=2', /^version: must be there only once$/m],
  ]) {
    const slash = query.startsWith('?') ? '' : '/';
    const answer = await stack.get(tenant, key + slash + query);
    for (const message of expected)
      assertProblem(answer, 400, 'bad_request', message);
    assert.equal(answer.json.messages.length, expected.length, query);
  }
});

test('rolling back is a new version with its own author', async () => {
  const tenant = await at(3);
  const answer = await stack.request({
    token: stack.token(tenant, { sub: 'carol' }),
    method: 'POST',
    path: `${BASE}${key}/history`,
    body: { restore_version: 1 },
  });
  assertDescribed(restoring, answer);
  assert.equal(answer.status, 200);
  assertVersion(answer, 4);
  assert.equal(answer.json.value, 10);

  const read = await stack.get(tenant, key);
  assert.equal(read.text, answer.text);
  assertVersion(read, 4);
  const { history } = (await page(tenant)).json;
  assert.deepEqual(
    history.map(({ value }) => value),
    [10, 30, 20, 10],
  );
  assert.equal(history[0].updated_by, 'carol');
  assert.equal(history[0].request_id, answer.headers['x-request-id']);
  assert.equal(history[3].updated_by, 'somebody');
});

test('each key can be rolled back, but not the one that is set once', async () => {
  const tenant = stack.tenant();
  for (const [of, one, other] of [
    ['cancellation_allowed_from', ['dc'], ['store']],
    ['external_oms', { enabled: true }, { enabled: false }],
    [
      'external_order_webhook',
      { url: 'https://a.example', api_key: 'k', timeout: 3 },
      { url: 'https://b.example', api_key: 'l', timeout: 15 },
    ],
  ]) {
    for (const value of [one, other])
      assert.equal((await stack.post(tenant, of, { value })).status, 200);
    const answer = await restore(tenant, 1, {}, of);
    assertDescribed(restoring, answer);
    assert.deepEqual(answer.json.value, one);
    assertVersion(answer, 3);
  }
  const once = 'sales_order_generator_sequence';
  await stack.post(tenant, once, { value: { size: 4 } });
  const answer = await restore(tenant, 1, {}, once);
  assertProblem(answer, 400, 'validation_failed', /^restore_version: .* once$/);
  assertVersion(await stack.get(tenant, once), 1);
});

test('what cannot be rolled back to', async () => {
  const tenant = await at(2);
  assertProblem(
    await restore(tenant, 3),
    404,
    'not_found',
    /^restore_version: version 3 of .* does not exist/,
  );
  for (const [body, code, message] of [
    ['', 'bad_request', /^body: must not be empty$/],
    ['{', 'bad_request', /^body: /],
    [[1], 'validation_failed', /^body: must be an object$/],
    [{}, 'validation_failed', /^restore_version: is required$/],
    [{ value: 1 }, 'validation_failed', /^restore_version: is required$/],
    [{ restore_version: 0 }, 'validation_failed', /^restore_version: /],
    [{ restore_version: '1' }, 'validation_failed', /^restore_version: /],
    [{ restore_version: 1.5 }, 'validation_failed', /^restore_version: /],
  ]) {
    const answer = await stack.post(tenant, `${key}/history`, body);
    assertProblem(answer, 400, code, message);
    assertDescribed(restoring, answer);
  }
  const strict = await stack.post(
    tenant,
    `${key}/history`,
    { restore_version: 1, why: 'x' },
    { prefer: 'handling=strict' },
  );
  assertProblem(strict, 400, 'validation_failed', /^why: /);
  assertVersion(await stack.get(tenant, key), 2);
});

test('preconditions of rolling back are about the key', async () => {
  const tenant = await at(3);
  const tag = (version) => withTags(stack, tenant, key, `{${version}}`);
  for (const headers of [
    { 'if-match': await tag(1) },
    { 'if-none-match': '*' },
  ]) {
    const answer = await restore(tenant, 1, headers);
    assertProblem(answer, 412, 'precondition_failed');
    assertVersion(answer, 3);
  }
  const answer = await restore(tenant, 1, { 'if-match': await tag(3) });
  assertVersion(answer, 4);
});

test('of many that roll back at once, each wins a version or none', async () => {
  const tenant = await at(3);
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, i) => restore(tenant, 1 + (i % 3))),
  );
  const won = answers.filter(({ status }) => status === 200);
  for (const answer of answers)
    if (answer.status !== 200)
      assertProblem(answer, 409, 'concurrent_update_on_tenant_setting');
  const { history } = (await page(tenant, '?limit=100')).json;
  assert.equal(history.length, 3 + won.length);
  for (const answer of won) {
    const version = versionOf(answer);
    const entry = history.find((found) => found.version === version);
    assert.equal(entry.value, answer.json.value);
    assert.equal(entry.request_id, answer.headers['x-request-id']);
  }
});

test('methods and paths', async () => {
  const tenant = await at(1);
  const put = await stack.request({
    tenant,
    method: 'PUT',
    path: `${BASE}${key}/history`,
  });
  assertProblem(put, 405, 'method_not_allowed');
  assert.equal(put.headers.allow, 'GET, HEAD, POST');
  for (const wrong of ['nope/history', `${key}/history/`, `${key}/history/1`])
    assertProblem(await stack.get(tenant, wrong), 404, 'not_found');
  const none = await stack.request({ path: `${BASE}${key}/history` });
  assertProblem(none, 401, 'unauthorized');
});

test('reading needs the read scope, rolling back the write scope', async () => {
  const scoped = await start({
    options: { 'read-scope': 'r', 'write-scope': 'w' },
  });
  const tenant = scoped.tenant();
  const asked = (scope, method) =>
    scoped.request({
      token: scoped.token(tenant, { scope }),
      method,
      path: `${BASE}${key}/history`,
      body: method === 'POST' ? { restore_version: 1 } : undefined,
    });
  assert.equal((await asked('r', 'GET')).status, 200);
  assert.equal((await asked('w', 'GET')).status, 403);
  assert.equal((await asked('r', 'POST')).status, 403);
  assert.equal((await asked('w', 'POST')).status, 404); // no such version
  await scoped.stop();
});

test('only the last versions are kept, as many as --history says', async () => {
  const short = await start({ options: { history: 4 } });
  const tenant = await at(10, short);
  const kept = async () =>
    versions(await short.get(tenant, `${key}/history?limit=100`));
  assert.deepEqual(await kept(), [10, 9, 8, 7]);
  const pruned = await short.get(tenant, `${key}?version=6`);
  assertProblem(pruned, 404, 'not_found');
  assert.equal((await short.get(tenant, `${key}?version=7`)).json.value, 70);
  const gone = await short.post(tenant, `${key}/history`, {
    restore_version: 6,
  });
  assertProblem(gone, 404, 'not_found');

  await short.stopService();
  short.options.history = 2;
  await short.startService();
  assert.deepEqual(await kept(), [10, 9]);
  const answer = await short.post(tenant, `${key}/history`, {
    restore_version: 9,
  });
  assert.equal(answer.json.value, 90);
  assert.deepEqual(await kept(), [11, 10]);
  await short.stop();
});

test('the service stops cleanly and logs no token', () => stack.stop());
