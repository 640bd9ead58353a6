// SPDX-License-Identifier: MIT
// The examples of data/openapi.yaml are true: valid by its schemas, and what the
// service answers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  errorsText,
  KEYS,
  operationOf,
  operations,
  resolve,
  validator,
} from '../lib/document.mjs';
import { srcdir } from '../lib/paths.mjs';
import { BASE, Stack } from '../lib/stack.mjs';

const stack = await Stack.start();
after(() => stack.kill());

const json = (response) => resolve(response).content?.['application/json'];

test('every answer in JSON has an example that its schema takes', () => {
  for (const { path, method, operation } of operations)
    for (const [status, response] of Object.entries(operation.responses)) {
      const content = json(response);
      if (!content || ['/openapi.json', '/healthz', '/readyz', '/metrics'].includes(path) && status === '200')
        continue;
      const what = `${method} ${path} ${status}`;
      assert.ok('example' in content, what);
      const valid = validator(content.schema);
      assert.ok(valid(content.example), `${what}: ${errorsText(valid)}`);
    }
});

/** What is different each time, as it is in the example. */
function settle(value, example) {
  const varying = ['updated_at', 'etag', 'request_id'];
  if (Array.isArray(value)) return value.map((one, i) => settle(one, example?.[i]));
  // The tag of all keys at once is a hash of theirs.
  if (typeof value === 'string') return value.replace(/"[0-9a-f]{16}"/, '"HASH"');
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const like = example?.[name];
      if (varying.includes(name) && typeof one === typeof like) return [name, like];
      return [name, settle(one, like)];
    }),
  );
}

/** The service gives the example, but for what is different each time. */
function assertExample(operation, answer) {
  const example = json(operation.operation.responses[answer.status]).example;
  const { method, path } = operation;
  assert.deepEqual(settle(answer.json, example), settle(example, example), `${method} ${path}`);
}

test('examples of settings are what is answered', async () => {
  const tenant = stack.tenant();
  const token = stack.token(tenant, { sub: 'alice' });
  const ask = (path, more = {}) => stack.request({ token, path: `${BASE}${path}`, ...more });
  for (const key of KEYS) {
    const [get, post] = ['GET', 'POST'].map((method) =>
      operationOf(method, `/config/sales_order/${key}`),
    );
    const { example, examples: several } = post.operation.requestBody.content['application/json'];
    const body = example ?? Object.values(several)[0].value;
    const written = await ask(key, { method: 'POST', body });
    assert.equal(written.status, 200, written.text);
    assertExample(post, written);
    assertExample(get, await ask(key));
  }
  const list = await stack.request({ token, path: BASE.slice(0, -1) });
  assertExample(operationOf('GET', '/config/sales_order'), list);
  assertExample(
    operationOf('GET', '/config/sales_order/{key}/history'),
    await ask('on_hold_timer_duration/history'),
  );
  assertExample(
    operationOf('GET', '/config/sales_order/history'),
    await ask('history?key=on_hold_timer_duration'),
  );
  assertExample(
    operationOf('POST', '/config/sales_order/{key}/history'),
    await ask('on_hold_timer_duration/history', { method: 'POST', body: { restore_version: 1 } }),
  );
});

test('examples of problems are what is answered', async () => {
  const tenant = stack.tenant();
  const [get, post] = ['GET', 'POST'].map((method) =>
    operationOf(method, '/config/sales_order/on_hold_timer_duration'),
  );
  const sequence = operationOf('POST', '/config/sales_order/sales_order_generator_sequence');
  const list = operationOf('GET', '/config/sales_order');
  const path = `${BASE}on_hold_timer_duration`;
  const body = { value: 1 };
  const late = stack.token(tenant, { exp: 1 });
  for (const [operation, asked] of [
    [
      sequence,
      {
        tenant,
        path: `${BASE}sales_order_generator_sequence`,
        method: 'POST',
        body: { value: { start: 0, step: 'x' } },
      },
    ],
    [get, { token: late, path }],
    [get, { tenant, path, headers: { host: 'other.x.example' } }],
    [get, { tenant, path: `${BASE}big_sales_orde` }],
    [get, { tenant, path, method: 'PUT' }],
    [post, { tenant, path, method: 'POST', body, headers: { 'if-match': '"9"' } }],
    [list, { tenant, path: BASE.slice(0, -1), headers: { 'if-match': '"9"' } }],
    [post, { tenant, path, method: 'POST', body: 'x'.repeat(70000) }],
    [post, { tenant, path, method: 'POST', body, headers: { 'content-type': 'text/plain' } }],
  ])
    assertExample(operation, await stack.request(asked));
});

// Those that cannot be had at will have the texts of the sources.
test('the other examples of problems are as the sources say', () => {
  const sources = ['src/http/problem.c', 'src/base/err.c', 'nginx/orderconf_http.conf']
    .map((name) => readFileSync(join(srcdir, name), 'utf8'))
    .join('\n');
  const post = operationOf('POST', '/config/sales_order/on_hold_timer_duration');
  for (const status of ['409', '500', '503', 'default']) {
    const { error_code: code, message, messages } = json(post.operation.responses[status]).example;
    assert.ok(sources.includes(code), code);
    assert.ok(sources.includes(message), message);
    assert.deepEqual(messages, [message]);
  }
});

test('the service stops cleanly and logs no token', () => stack.stop());
