// SPDX-License-Identifier: MIT
// All config keys in one answer.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertDescribed, KEYS, operationOf } from '../lib/document.mjs';
import { LIST_TAG, versionOf } from '../lib/etag.mjs';
import { srcdir } from '../lib/paths.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const { start } = factory();
const stack = await start();

const path = BASE.slice(0, -1);
const listing = operationOf('GET', '/config/sales_order');
const list = (tenant, headers) => stack.request({ tenant, path, headers });

// The one of each key that t/data has as an example.
const values = Object.fromEntries(
  KEYS.map((key) => [
    key,
    JSON.parse(readFileSync(join(srcdir, 't/data', key, 'good/example.json.expected'), 'utf8')),
  ]),
);
test('a tenant that never set anything has the defaults', async () => {
  const tenant = stack.tenant();
  const answer = await list(tenant);
  assertDescribed(listing, answer);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.deepEqual(Object.keys(answer.json), KEYS);
  for (const key of KEYS) {
    const own = await stack.get(tenant, key);
    assert.deepEqual(answer.json[key], {
      value: own.status === 404 ? null : own.json.value,
      updated_at: '1970-01-01T00:00:00Z',
      version: 0,
      etag: '"0"',
      updated_by: null,
    });
  }
});

test('it says of each key what the key itself says', async () => {
  const tenant = stack.tenant();
  for (const [i, key] of KEYS.entries())
    for (let n = 0; n <= i; n++)
      await stack.post(tenant, key, { value: values[key] });
  const answer = await list(tenant);
  assertDescribed(listing, answer);
  for (const key of KEYS) {
    const own = await stack.get(tenant, key);
    assert.deepEqual(answer.json[key], {
      value: values[key],
      updated_at: own.json.updated_at,
      version: versionOf(own),
      etag: own.headers.etag,
      updated_by: 'somebody',
    });
  }
});

test('its ETag changes with each key, and else stays', async () => {
  const tenant = stack.tenant();
  const seen = new Set();
  for (const key of [undefined, ...KEYS]) {
    if (key) await stack.post(tenant, key, { value: values[key] });
    const { headers } = await list(tenant);
    assert.match(headers.etag, LIST_TAG);
    assert.ok(!seen.has(headers.etag), `${key}: ${headers.etag}`);
    seen.add(headers.etag);
    const same = await list(tenant, { 'if-none-match': headers.etag });
    assertDescribed(listing, same);
    assert.equal(same.status, 304);
    assert.equal(same.headers.etag, headers.etag);
  }
  const stale = await list(tenant, { 'if-none-match': [...seen][3] });
  assert.equal(stale.status, 200);
  // Another tenant's writes are nothing to this one.
  await stack.post(stack.tenant(), KEYS[1], { value: 1 });
  const etag = [...seen].at(-1);
  assert.equal((await list(tenant, { 'if-none-match': etag })).status, 304);
});

test('its If-Match is met by its ETag alone', async () => {
  const tenant = stack.tenant();
  const { headers } = await list(tenant);
  const met = await list(tenant, { 'if-match': headers.etag });
  assert.equal(met.status, 200);
  const failed = await list(tenant, { 'if-match': '"0"' });
  assertProblem(failed, 412, 'precondition_failed', /^If-Match: /);
  assertDescribed(listing, failed);
  assert.equal(failed.headers.etag, headers.etag);
});

test('a malformed If-None-Match is a 400', async () => {
  const answer = await list(stack.tenant(), { 'if-none-match': '1.2' });
  assertProblem(answer, 400, 'bad_request', /^If-None-Match: /);
});

test('large values come whole', async () => {
  const tenant = stack.tenant();
  const large = 'x'.repeat(60000);
  const places = Array.from({ length: 8000 }, () => 'store');
  for (const [key, value] of [
    ['sales_order_generator_sequence', { prefix: large }],
    ['cancellation_allowed_from', places],
    ['external_order_webhook', { url: 'https://a.example', api_key: large }],
  ])
    assert.equal((await stack.post(tenant, key, { value })).status, 200);
  const { json } = await list(tenant);
  assert.equal(json.sales_order_generator_sequence.value.prefix, large);
  assert.deepEqual(json.cancellation_allowed_from.value, places);
  assert.equal(json.external_order_webhook.value.api_key, large);
});

test('HEAD, media types, methods, access', async () => {
  const tenant = stack.tenant();
  const head = await stack.request({ tenant, method: 'HEAD', path });
  const get = await list(tenant, { accept: 'application/problem+json' });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], get.headers['content-length']);
  assert.equal(get.type, 'application/problem+json');
  assertDescribed(listing, get);
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await stack.request({ tenant, method, path, body: {} });
    assertProblem(answer, 405, 'method_not_allowed');
    assert.equal(answer.headers.allow, 'GET, HEAD');
  }
  assertProblem(await stack.request({ path }), 401, 'unauthorized');
});

test('the service stops cleanly and logs no token', () => stack.stop());

test('reading needs the read scope', async () => {
  const scoped = await start({ options: { 'read-scope': 'r' } });
  const tenant = scoped.tenant();
  for (const [scope, status] of [
    ['r', 200],
    ['w', 403],
  ]) {
    const token = scoped.token(tenant, { scope });
    assert.equal((await scoped.request({ token, path })).status, status);
  }
  await scoped.stop();
});
