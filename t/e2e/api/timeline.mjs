// SPDX-License-Identifier: MIT
// What has changed of a tenant, across its keys.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertDescribed, operationOf } from '../lib/document.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const { start } = factory();
const stack = await start();

const listing = operationOf('GET', '/config/sales_order/history');
const timeline = (tenant, query = '', on = stack) => on.get(tenant, `history${query}`);
const entries = (answer) =>
  answer.json.history.map(({ key, version }) => `${key} ${version}`);

const TIMER = 'on_hold_timer_duration';
const BIG = 'big_sales_order';

/** A tenant whose keys were set in turn by alice and bob, newest first. */
async function changed(count) {
  const tenant = stack.tenant();
  const made = [];
  for (let n = 0; n < count; n++) {
    const key = n % 3 === 0 ? BIG : TIMER;
    const value = key === BIG ? { soft_limit_for_big_orders: n } : n;
    const answer = await stack.request({
      token: stack.token(tenant, { sub: n % 2 ? 'bob' : 'alice' }),
      method: 'POST',
      path: BASE + key,
      body: { value },
    });
    assert.equal(answer.status, 200, answer.text);
    made.unshift({
      key,
      version: made.filter((one) => one.key === key).length + 1,
      etag: answer.headers.etag,
      value,
      updated_at: answer.json.updated_at,
      updated_by: n % 2 ? 'bob' : 'alice',
      request_id: answer.headers['x-request-id'],
      note: null,
    });
  }
  return { tenant, made };
}

/** All pages, by their links. */
async function pages(tenant, query) {
  const found = [];
  let count = 0;
  for (let next = query; next; count++) {
    const answer = await timeline(tenant, next);
    assertDescribed(listing, answer);
    found.push(...answer.json.history);
    next = /^<(\?[^>]*)>; rel="next"$/.exec(answer.headers.link ?? '')?.[1];
  }
  return { found, count };
}

test('what was never changed has none', async () => {
  const answer = await timeline(stack.tenant());
  assertDescribed(listing, answer);
  assert.deepEqual(answer.json, { history: [] });
  assert.equal(answer.headers['cache-control'], 'no-store');
});

test('versions of all keys, newest first, page by page', async () => {
  const { tenant, made } = await changed(12);
  const whole = await timeline(tenant);
  assertDescribed(listing, whole);
  assert.deepEqual(whole.json.history, made);
  const { found, count } = await pages(tenant, '?limit=5');
  assert.deepEqual(found, made);
  assert.equal(count, 3);
});

test('of one key, of one author, and of a time', async () => {
  const { tenant, made } = await changed(12);
  for (const [query, wanted] of [
    [`?key=${BIG}`, ({ key }) => key === BIG],
    ['?by=bob', ({ updated_by }) => updated_by === 'bob'],
    [`?by=alice&key=${TIMER}&limit=2`, ({ key, updated_by }) => key === TIMER && updated_by === 'alice'],
    [`?since=${made.at(-1).updated_at}`, () => true],
    ['?since=2999-01-01T00:00:00Z', () => false],
    [`?until=${made.at(-1).updated_at}`, () => false],
    ['?until=2999-01-01T00:00:00%2B01:00', () => true],
  ])
    assert.deepEqual((await pages(tenant, query)).found, made.filter(wanted), query);
});

test('a tenant sees its own', async () => {
  const { tenant } = await changed(1);
  const { tenant: other } = await changed(2);
  assert.equal((await timeline(tenant)).json.history.length, 1);
  assert.equal((await timeline(other)).json.history.length, 2);
});

test('a version that comes between two pages is in neither', async () => {
  const { tenant, made } = await changed(4);
  const first = await timeline(tenant, '?limit=2');
  await stack.post(tenant, TIMER, { value: 99 });
  const next = /<(.*)>/.exec(first.headers.link)[1];
  assert.deepEqual((await timeline(tenant, next)).json.history, made.slice(2));
});

test('a restored version is one', async () => {
  const { tenant } = await changed(2);
  await stack.post(tenant, `${TIMER}/history`, { restore_version: 1 });
  assert.deepEqual(entries(await timeline(tenant)), [`${TIMER} 2`, `${TIMER} 1`, `${BIG} 1`]);
});

test('what is wrong with a parameter is said', async () => {
  const tenant = stack.tenant();
  const answer = await timeline(tenant, '?limit=0&key=timer&since=now');
  assertDescribed(listing, answer);
  assertProblem(answer, 400, 'bad_request');
  assert.equal(answer.json.messages.length, 3);
  for (const query of ['?before=1', '?before=', '?by=', '?until=2026-02-30T00:00:00Z'])
    assertProblem(await timeline(tenant, query), 400, 'bad_request', new RegExp(`^${query.slice(1).split('=')[0]}: `));
  assertProblem(await stack.post(tenant, 'history', { value: 1 }), 405, 'method_not_allowed');
});
