// SPDX-License-Identifier: MIT
// Methods, paths, sizes, media types of requests, request ids; and what nginx
// answers itself.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem, documents } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { exchange, parse } from '../lib/http.mjs';
import { BASE, Stack } from '../lib/stack.mjs';

const stack = await Stack.start();
after(() => stack.kill());

const key = 'big_sales_order';
const path = BASE + key;
const body = '{"value":{"soft_limit_for_big_orders":5}}';
const MAX = 65536;

/** body, padded to this size. */
const padded = (size) => body + ' '.repeat(size - body.length);

const send = async (text) => parse(await exchange(stack.target, text));

test('404 for paths that are none of ours', async () => {
  const tenant = stack.tenant();
  for (const elsewhere of [
    '/v0/',
    '/v0/config',
    `${BASE}`,
    `${BASE}nope`,
    `${path}/`,
    `${path}/history2`,
    `${path}x`,
    `${BASE}${'k'.repeat(500)}`,
    '/v0/config//sales_order/big_sales_order',
    '//v0/openapi.json',
    '/v0',
    '/config/sales_order/big_sales_order',
    '/v1/config/sales_order/big_sales_order',
    '/v0/openapi.json/',
    `${BASE}BIG_SALES_ORDER`,
    `${BASE}%ff`,
    `${BASE}%2e%2e`,
  ])
    for (const method of ['GET', 'POST']) {
      const answer = await stack.request({
        tenant,
        method,
        path: elsewhere,
        body: method === 'POST' ? body : undefined,
      });
      assertProblem(answer, 404, 'not_found');
    }
});

test("nginx's way through dots ends at the same resource", async () => {
  const tenant = stack.tenant();
  const answer = await stack.request({
    tenant,
    path: `${BASE}../sales_order/%62ig_sales_order`,
  });
  assert.equal(answer.status, 200);
});

test('405 with Allow', async () => {
  const tenant = stack.tenant();
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const answer = await stack.request({ tenant, method, path });
    assertProblem(answer, 405, 'method_not_allowed');
    assert.equal(answer.headers.allow, 'GET, HEAD, POST');
  }
  const post = await stack.request({
    tenant,
    method: 'POST',
    path: '/v0/openapi.json',
    body,
  });
  assertProblem(post, 405, 'method_not_allowed');
  assert.equal(post.headers.allow, 'GET, HEAD');
});

test('TRACE, which nginx refuses itself, is a 405 with Allow too', async () => {
  const answer = await stack.request({ method: 'TRACE', path });
  assertProblem(answer, 405, 'method_not_allowed');
  assert.equal(answer.headers.allow, 'GET, HEAD, POST');
});

test('a body of 65536 bytes is taken', async () => {
  const answer = await stack.post(stack.tenant(), key, padded(MAX));
  assert.equal(answer.status, 200, answer.text);
});

test('413 of nginx for a larger one', async () => {
  const tenant = stack.tenant();
  const answer = await stack.post(tenant, key, padded(MAX + 1));
  assertProblem(answer, 413, 'content_too_large');
  for (const document of documents.slice(0, 1))
    document.assertKept('POST', key, answer);
  assertVersion(await stack.get(tenant, key), 0);
});

test('413 of the worker for a larger one', async () => {
  const tenant = stack.tenant();
  const large = padded(MAX + 1);
  const answer = await stack.direct(
    stack.params('POST', key, { tenant, body: large }),
    large,
  );
  assertProblem(answer, 413, 'content_too_large');
  const exact = padded(MAX);
  const taken = await stack.direct(
    stack.params('POST', key, { tenant, body: exact }),
    exact,
  );
  assert.equal(taken.status, 200, taken.text);
});

test('413 of the worker for a body that is larger than it says', async () => {
  const tenant = stack.tenant();
  const answer = await stack.direct(
    {
      ...stack.params('POST', key, { tenant, body }),
      CONTENT_LENGTH: 999999999999,
    },
    body,
  );
  assertProblem(answer, 413, 'content_too_large');
});

test('400 for a body that is not as long as it says', async () => {
  const tenant = stack.tenant();
  for (const size of [body.length + 1, body.length - 1, 'ten', '-1', '0x10']) {
    const answer = await stack.direct(
      { ...stack.params('POST', key, { tenant }), CONTENT_LENGTH: size },
      body,
    );
    assertProblem(answer, 400, 'bad_request');
  }
  assertVersion(await stack.get(tenant, key), 0);
});

for (const [type, status] of [
  ['application/json', 200],
  ['application/json; charset=utf-8', 200],
  ['Application/JSON;charset="UTF-8"', 200],
  ['application/json ; x=y', 200],
  ['application/json; charset=iso-8859-1', 415],
  ['application/problem+json', 415],
  ['application/jsonx', 415],
  ['application/x-www-form-urlencoded', 415],
  ['text/plain', 415],
  ['multipart/form-data; boundary=x', 415],
  [null, 415],
])
  test(`POST with Content-Type ${type}: ${status}`, async () => {
    const answer = await stack.post(stack.tenant(), key, body, {
      'content-type': type,
    });
    if (status === 415) assertProblem(answer, 415, 'unsupported_media_type');
    else assert.equal(answer.status, 200, answer.text);
  });

test('415 for a compressed body', async () => {
  const answer = await stack.post(stack.tenant(), key, body, {
    'content-encoding': 'gzip',
  });
  assertProblem(answer, 415, 'unsupported_media_type');
});

test('the identity coding is none, however it is written', async () => {
  for (const coding of ['identity', 'Identity']) {
    const answer = await stack.post(stack.tenant(), key, body, {
      'content-encoding': coding,
    });
    assert.equal(answer.status, 200, `${coding}: ${answer.text}`);
  }
});

test('a chunked body arrives whole', async () => {
  const tenant = stack.tenant();
  const auth = stack.authorization(stack.token(tenant));
  const chunks = [...body].map((c) => `1\r\n${c}\r\n`).join('');
  const answer = await send(
    `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n` +
      `Authorization: ${auth}\r\nContent-Type: application/json\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  );
  assert.equal(answer.status, 200);
  assertVersion(answer, 1);
});

test("X-Request-Id is nginx's, differs each time, and is in the log", async () => {
  const tenant = stack.tenant();
  const ids = new Set();
  for (let i = 0; i < 3; i++) {
    // A client cannot choose it.
    const answer = await stack.post(tenant, key, body, {
      'x-request-id': 'mine',
    });
    assert.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/);
    ids.add(answer.headers['x-request-id']);
  }
  assert.equal(ids.size, 3);
  const logged = stack.events().filter((event) => ids.has(event.request_id));
  assert.equal(logged.filter((event) => event.event === 'stored').length, 3);
});

test('without REQUEST_ID the worker makes one', async () => {
  const tenant = stack.tenant();
  const ids = [];
  for (const given of [
    {},
    { REQUEST_ID: '' },
    { REQUEST_ID: 'a b' },
    { REQUEST_ID: 'x'.repeat(200) },
    { REQUEST_ID: 'Given-1.2_3' },
  ]) {
    const answer = await stack.direct(
      stack.params('GET', 'nope', { tenant, ...given }),
    );
    assertProblem(answer, 404, 'not_found');
    ids.push(answer.headers['x-request-id']);
  }
  assert.equal(new Set(ids).size, 5);
  assert.equal(ids[4], 'Given-1.2_3');
  for (const id of ids.slice(0, 4)) assert.match(id, /^[0-9a-f]{32}$/);
});

test("nothing that is not FastCGI's reaches the service as its variables", async () => {
  const tenant = stack.tenant();
  // Each of these would be another variable if nginx passed it on.
  const answer = await stack.get(tenant, key, {
    proxy: 'http://127.0.0.1:1',
    content_length: '5',
    tenant: 'other',
    'x-tenant': 'other',
    request_method: 'POST',
  });
  assert.equal(answer.status, 200);
});

test('problems of nginx: bad requests', async () => {
  for (const [text, status, code] of [
    ['GARBAGE\r\n\r\n', 400, 'bad_request'],
    [`GET ${path} HTTP/1.1\r\n\r\n`, 400, 'bad_request'],
    [`GET ${path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, 400, 'bad_request'],
    [`GET ${path}%00 HTTP/1.1\r\nHost: a\r\n\r\n`, 400, 'bad_request'],
    [`GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n`, 400, 'bad_request'],
    [
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n`,
      400,
      'bad_request',
    ],
    [
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'bad_request',
    ],
    [
      `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n`,
      501,
      'not_implemented',
    ],
    [`GET ${path} HTTP/2.0\r\nHost: a\r\n\r\n`, 505, 'http_version_not_supported'],
    [`GET / HTTP/3.0\r\n\r\n`, 505, 'http_version_not_supported'],
    [
      `GET ${path} HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(20000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      `GET /${'a'.repeat(20000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      414,
      'uri_too_long',
    ],
  ]) {
    const answer = await send(text);
    assertProblem(answer, status, code);
    assert.equal(answer.headers.server, 'nginx');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers.vary, 'Accept');
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  }
});

test('two Authorization fields are refused, whichever comes first', async () => {
  const tenant = stack.tenant();
  const good = stack.authorization(stack.token(tenant));
  for (const [one, two] of [
    [good, 'Bearer x'],
    ['Bearer x', good],
    [good, good],
  ]) {
    const answer = await send(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n` +
        `Authorization: ${one}\r\nAuthorization: ${two}\r\n\r\n`,
    );
    assertProblem(answer, 400, 'bad_request');
  }
});

test('the OpenAPI document needs no token', async () => {
  const answer = await stack.request({ path: '/v0/openapi.json' });
  assert.equal(answer.status, 200);
  assert.equal(answer.type, 'application/json');
  assert.equal(answer.json.openapi, '3.0.3');
  assert.ok(answer.headers['x-request-id']);
});

test('answers that hold a secret are not to be kept', async () => {
  const tenant = stack.tenant();
  const value = {
    url: 'https://example.com/',
    api_key: 'a-secret-that-no-log-may-hold',
  };
  stack.sent.add(value.api_key);
  const written = await stack.post(tenant, 'external_order_webhook', { value });
  const read = await stack.get(tenant, 'external_order_webhook');
  for (const answer of [written, read]) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.json.value.timeout, 15);
  }
  for (const body of [
    { value: { ...value, timeout: 99 } },
    `{"value":{"api_key":"${value.api_key}"`,
  ]) {
    const refused = await stack.post(tenant, 'external_order_webhook', body);
    assert.equal(refused.status, 400);
    assert.ok(!refused.text.includes(value.api_key));
  }
});

test('the service stops cleanly and logs no token', () => stack.stop());
