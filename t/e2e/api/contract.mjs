// SPDX-License-Identifier: MIT
// Every operation and every status of the two documents, as a client that was
// generated from them sees it: with its Accept, checked against its schemas.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem, documents } from '../lib/contract.mjs';
import { TAG, assertVersion } from '../lib/etag.mjs';
import { BASE, Stack } from '../lib/stack.mjs';

const stack = await Stack.start();
after(() => stack.kill());

const [sales, oms] = documents;

// Per key: two values, something invalid, and what reads as unset.
const cases = {
  sales_order_generator_sequence: {
    values: [{ prefix: 'NS', size: 16, start: 1, step: 2 }],
    invalid: { start: 0 },
    unset: {},
  },
  on_hold_timer_duration: { values: [600, 0], invalid: '600', unset: 0 },
  cancellation_allowed_from: {
    values: [['store', 'dc'], ['dc']],
    invalid: [],
    unset: ['store'],
  },
  big_sales_order: {
    values: [
      { soft_limit_for_big_orders: 7 },
      { soft_limit_for_big_orders: -1 },
    ],
    invalid: {},
    unset: { soft_limit_for_big_orders: 100 },
  },
  external_oms: {
    values: [{ enabled: true }, { enabled: false }],
    invalid: { enabled: 'yes' },
    unset: { enabled: false },
  },
  external_order_webhook: {
    values: [
      { url: 'https://example.com/', api_key: 'API_KEY', timeout: 20 },
      { url: 'urn:a:b', api_key: 'x', timeout: -3 },
    ],
    invalid: { url: '/relative', api_key: '', timeout: 26 },
  },
};

/** A request as a client of the document sends it. */
function send(document, tenant, method, key, body, headers = {}) {
  return stack.request({
    tenant,
    method,
    path: BASE + key,
    body,
    headers: { accept: document.accept(method, key), ...headers },
  });
}

/** The same answer must keep what every document says of the operation. */
async function kept(tenant, method, key, body, headers) {
  const answers = [];
  for (const document of documents) {
    if (
      !document.operations().some((o) => o.key === key && o.method === method)
    )
      continue;
    const flat = document === oms ? (body?.value ?? body) : body;
    const answer = await send(document, tenant, method, key, flat, headers);
    document.assertKept(method, key, answer);
    answers.push(answer);
  }
  return answers;
}

test('the documents are the fourteen operations', () => {
  assert.equal(sales.operations().length, 12);
  assert.equal(oms.operations().length, 2);
  assert.deepEqual(
    sales
      .operations()
      .map((o) => o.key)
      .filter((k, i, all) => all.indexOf(k) === i),
    Object.keys(cases),
  );
});

for (const [key, { values, invalid, unset }] of Object.entries(cases)) {
  test(`${key}: unset, written, read, written again`, async () => {
    const tenant = stack.tenant();
    for (const answer of await kept(tenant, 'GET', key)) {
      if (unset === undefined) {
        assertProblem(answer, 404, 'config_not_set');
        continue;
      }
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json.value, unset);
      assert.equal(answer.json.updated_at, '1970-01-01T00:00:00Z');
      assertVersion(answer, 0);
    }

    let version = 0;
    for (const value of values) {
      const started = Date.now();
      for (const answer of await kept(tenant, 'POST', key, { value })) {
        // Each document's client wrote; only the first value once.
        version +=
          key === 'sales_order_generator_sequence' && version === 1 ? 0 : 1;
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.json.value, value);
        assertVersion(answer, version);
        const age = Date.parse(answer.json.updated_at) - started;
        assert.ok(age > -2000 && age < 10000, answer.json.updated_at);
      }
      for (const answer of await kept(tenant, 'GET', key)) {
        assert.equal(answer.status, 200);
        assert.deepEqual(answer.json.value, value);
        assertVersion(answer, version);
        if (key === 'external_oms')
          assert.equal(answer.json.enabled, value.enabled);
      }
    }
  });

  test(`${key}: 400 for a bad value, and nothing is stored`, async () => {
    const tenant = stack.tenant();
    for (const body of [{ value: invalid }, { value: null }, {}, [], 1, null]) {
      for (const answer of await kept(tenant, 'POST', key, body))
        assertProblem(answer, 400, 'validation_failed');
    }
    const [answer] = await kept(tenant, 'GET', key);
    assert.equal(answer.status, unset === undefined ? 404 : 200);
    assertVersion(answer, 0);
  });

  test(`${key}: 400 for what is not JSON`, async () => {
    const tenant = stack.tenant();
    for (const body of [
      '',
      '{',
      '{"value":1}{}',
      '{"value":1,"value":1}',
      '\u0000',
      '{"value":"\\ud800"}',
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ]) {
      const answer = await stack.request({
        tenant,
        method: 'POST',
        path: BASE + key,
        body,
        headers: { accept: sales.accept('POST', key) },
      });
      assertProblem(answer, 400, 'bad_request', /^body: /);
      sales.assertKept('POST', key, answer);
    }
  });

  test(`${key}: 401 without a token, for reading and writing`, async () => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await stack.request({ method, path: BASE + key });
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'], /^Bearer/);
      if (method === 'HEAD') continue;
      assertProblem(answer, 401, 'unauthorized');
      sales.assertKept(method, key, answer);
    }
  });

  const sendAtOnce = (tenant, count) =>
    Promise.all(
      Array.from({ length: count }, () =>
        send(sales, tenant, 'POST', key, { value: values.at(-1) }),
      ),
    );

  // The same value again is a 200 whoever was first, and changes nothing: a
  // write-once key has no race that could be lost.
  if (key === 'sales_order_generator_sequence') {
    test(`${key}: the same value at once is one version`, async () => {
      for (const answer of await sendAtOnce(stack.tenant(), 32))
        assertVersion(answer, 1);
    });
    continue;
  }

  test(`${key}: 409 for a lost race keeps the promise`, async () => {
    const tenant = stack.tenant();
    const lost = [];
    for (let round = 0; round < 40 && lost.length === 0; round++) {
      const answers = await sendAtOnce(tenant, 32);
      lost.push(...answers.filter((answer) => answer.status === 409));
    }
    assert.ok(lost.length > 0);
    for (const answer of lost) {
      assertProblem(answer, 409, 'concurrent_update_on_tenant_setting');
      assert.match(answer.headers.etag, TAG);
      sales.assertKept('POST', key, answer);
      if (key !== 'external_oms') continue;
      assert.equal(answer.type, 'application/problem+json');
    }
  });
}

test('external_oms: 409 for a client of the older document', async () => {
  const tenant = stack.tenant();
  const lost = [];
  for (let round = 0; round < 40 && lost.length === 0; round++) {
    const answers = await Promise.all(
      Array.from({ length: 32 }, () =>
        send(oms, tenant, 'POST', 'external_oms', { enabled: true }),
      ),
    );
    lost.push(...answers.filter((answer) => answer.status === 409));
  }
  assert.ok(lost.length > 0);
  for (const answer of lost)
    assert.ok(oms.assertKept('POST', 'external_oms', answer));
});

test('external_oms: either shape, both if they agree', async () => {
  const tenant = stack.tenant();
  const key = 'external_oms';
  for (const body of [
    { value: { enabled: true } },
    { enabled: true },
    { value: { enabled: true }, enabled: true },
  ]) {
    const answer = await stack.post(tenant, key, body);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json), [
      'value',
      'updated_at',
      'enabled',
    ]);
    assert.deepEqual(answer.json.value, { enabled: true });
  }
  const answer = await stack.post(tenant, key, {
    value: { enabled: true },
    enabled: false,
  });
  assertProblem(answer, 400, 'validation_failed', /differs/);
  assert.equal((await stack.get(tenant, key)).json.enabled, true);
});

test('sales_order_generator_sequence can be set once', async () => {
  const tenant = stack.tenant();
  const key = 'sales_order_generator_sequence';
  const value = { prefix: 'A', size: 9, start: 1, step: 1 };
  const first = await stack.post(tenant, key, { value });
  assert.equal(first.status, 200);
  // The same value, in other words.
  const same = await stack.post(
    tenant,
    key,
    '{"value":{"step":1.0,"start":1,"size":9e0,"prefix":"\\u0041"}}',
  );
  assert.equal(same.status, 200, same.text);
  assertVersion(same, 1);
  assert.equal(same.json.updated_at, first.json.updated_at);
  const other = await stack.post(tenant, key, {
    value: { ...value, start: 2 },
  });
  assertProblem(other, 400, 'validation_failed', /already set/);
  sales.assertKept('POST', key, other);
  assert.deepEqual((await stack.get(tenant, key)).json, first.json);
});

test("a value of one tenant is not another's", async () => {
  const [one, two] = [stack.tenant(), stack.tenant()];
  assert.equal(
    (await stack.post(one, 'on_hold_timer_duration', { value: 5 })).status,
    200,
  );
  assert.equal((await stack.get(two, 'on_hold_timer_duration')).json.value, 0);
});

test('members that no schema names are dropped, or refused on request', async () => {
  const tenant = stack.tenant();
  const body = {
    value: { soft_limit_for_big_orders: 3, colour: 'red' },
    note: 1,
  };
  const lax = await stack.post(tenant, 'big_sales_order', body);
  assert.equal(lax.status, 200);
  assert.deepEqual(lax.json.value, { soft_limit_for_big_orders: 3 });
  assert.equal(lax.headers['preference-applied'], undefined);

  const strict = { prefer: 'respond-async, handling=strict; a=b' };
  const refused = await stack.post(tenant, 'big_sales_order', body, strict);
  assertProblem(
    refused,
    400,
    'validation_failed',
    /value\.colour: .*\n.*note: /s,
  );
  assert.equal(refused.json.messages.length, 2);
  const taken = await stack.post(
    tenant,
    'big_sales_order',
    { value: { soft_limit_for_big_orders: 4 } },
    strict,
  );
  assert.equal(taken.status, 200);
  assert.equal(taken.headers['preference-applied'], 'handling=strict');
});

test('every violation is listed', async () => {
  const answer = await stack.post(stack.tenant(), 'external_order_webhook', {
    value: { url: 7, timeout: 26 },
  });
  assertProblem(answer, 400, 'validation_failed');
  assert.deepEqual(
    answer.json.messages.map((line) => line.split(':')[0]).sort(),
    ['value.api_key', 'value.timeout', 'value.url'],
  );
});

test('500 storage_full keeps the promise, and reads go on', async (t) => {
  const full = await Stack.start({ options: { 'map-size': '1M', workers: 1 } });
  t.after(() => full.kill());
  const tenant = full.tenant();
  const key = 'external_order_webhook';
  const value = { url: 'https://example.com/', api_key: 'x'.repeat(30000) };
  let answer;
  let version = 0;
  for (let i = 0; i < 200; i++) {
    answer = await full.post(tenant, key, { value });
    if (answer.status !== 200) break;
    version++;
  }
  assertProblem(answer, 500, 'storage_full');
  sales.assertKept('POST', key, answer);
  const read = await full.get(tenant, key);
  assert.equal(read.status, 200);
  assertVersion(read, version);
  for (const document of documents) {
    const flat = await full.request({
      tenant,
      method: 'POST',
      path: `${BASE}external_oms`,
      body: { enabled: true },
      headers: { accept: document.accept('POST', 'external_oms') },
    });
    // A small value may still fit; a refusal must look as promised.
    if (flat.status === 500) document.assertKept('POST', 'external_oms', flat);
  }
  await full.stop();
});

test('the service stops cleanly and logs no token', () => stack.stop());
