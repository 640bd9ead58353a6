// SPDX-License-Identifier: MIT
// What a front end must get right beside the contract: where the service is, who
// may ask what, whose tenant, how much, and what it says itself. By itself this
// is about nginx; front_*.mjs run it for the others. What one of them cannot do
// is in lib/fronts.mjs, and is asserted here as well.
import assert from 'node:assert/strict';
import { chownSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { listenAsMirror } from '../lib/fcgi.mjs';
import { exchange, parse, request } from '../lib/http.mjs';
import { until } from '../lib/process.mjs';
import { BASE, Stack } from '../lib/stack.mjs';

/** The tenant whose host name the files have as their example. */
const ACME = 'acme';

/** What an operator uncomments: a host name for the tenant. */
const edit = (_name, text) =>
  text
    .replace(/^#(SetEnvIfExpr "tolower)/m, '$1')
    .replace(/^#(\$HTTP\["host"\].*)\n#(.*)\n#\}/m, '$1\n$2\n}');

const stack = await Stack.start({ edit });
after(() => stack.kill());
const { front } = stack;
stack.setKeys(ACME, [stack.key]);

const key = 'big_sales_order';
const path = BASE + key;
const body = '{"value":{"soft_limit_for_big_orders":5}}';
const MAX = 65536;
const padded = (size) => body + ' '.repeat(size - body.length);

/** What the front end says itself: a problem, with an id if it has one. */
function assertOwnProblem(answer, status, code) {
  if (!front.negotiates && answer.json?.request_id === 'unknown')
    answer.headers['x-request-id'] = 'unknown';
  assertProblem(answer, status, code);
}

/** A request from another address than this machine's first. */
const outside = (options) =>
  stack.target.socketPath
    ? stack.request(options)
    : request(
        { ...stack.target, localAddress: '127.0.0.2' },
        {
          agent: new stack.agent.constructor(),
          headers: { host: front.host },
          ...options,
        },
      );

test('the tenant of the host name must be that of the token', async () => {
  const host = { host: `${ACME}.x.example` };
  const right = await stack.get(ACME, key, host);
  assert.equal(right.status, 200, right.text);
  const wrong = await stack.get(stack.tenant(), key, host);
  assertProblem(wrong, 403, 'forbidden');
  const upper = await stack.get(ACME, key, { host: 'ACME.X.EXAMPLE' });
  assert.equal(upper.status, 200, upper.text);
  const api = await stack.get(stack.tenant(), key, { host: 'api.x.example' });
  assert.equal(api.status, 200, api.text);
});

test('no header is one of the variables that the front end gives', async () => {
  const tenant = stack.tenant();
  const answer = await stack.get(tenant, key, {
    proxy: 'http://127.0.0.1:1',
    content_length: '5',
    tenant: 'other',
    'x-tenant': 'other',
    request_method: 'POST',
    path_info: '/metrics',
    redirect_http_authorization: 'Bearer x',
    request_uri: '/v0/metrics',
    script_name: '/v1',
    orderconf_issuer: 'x',
  });
  assert.equal(answer.status, 200, answer.text);
});

test('two Authorization fields are refused', async () => {
  const good = stack.authorization(stack.token(stack.tenant()));
  for (const fields of [
    [good, 'Bearer x'],
    ['Bearer x', good],
    [good, good],
  ]) {
    const answer = await stack.request({
      path,
      headers: { authorization: fields },
    });
    assert.ok([400, 401].includes(answer.status), answer.text);
  }
});

test('a field on two lines is one list', async () => {
  const tenant = stack.tenant();
  const strict = await stack.post(
    tenant,
    key,
    { value: { soft_limit_for_big_orders: 1, more: 2 } },
    { prefer: ['return=minimal', 'handling=strict'] },
  );
  assertProblem(strict, 400, 'validation_failed');
  const coded = await stack.post(tenant, key, body, {
    'content-encoding': ['identity', 'gzip'],
  });
  assertProblem(coded, 415, 'unsupported_media_type');
  const first = await stack.post(tenant, key, body);
  assertVersion(first, 1);
  const read = await stack.get(tenant, key, {
    accept: ['text/html', 'application/problem+json'],
  });
  assert.equal(read.type, 'application/problem+json');
});

test('a condition on two lines is one list, or refused', async () => {
  const tenant = stack.tenant();
  const { etag } = (await stack.post(tenant, key, body)).headers;
  const changed = await stack.get(tenant, key, {
    'if-none-match': ['"1"', etag],
  });
  assert.equal(changed.status, front.twoLines['if-none-match'] ?? 304);
  const mine = await stack.post(tenant, key, body, {
    'if-match': ['"1"', etag],
  });
  assert.equal(mine.status, front.twoLines['if-match'] ?? 200);
  const lost = await stack.post(tenant, key, body, {
    'if-match': ['"1"', '"2"'],
  });
  assert.equal(lost.status, front.twoLines.lost ?? 412);
});

test('an empty condition is not taken for none', async () => {
  const tenant = stack.tenant();
  for (const field of ['if-match', 'if-none-match']) {
    const answer = await stack.post(tenant, key, body, { [field]: '' });
    if (front.losesEmptyFields) {
      assert.equal(answer.status, 200);
      continue;
    }
    assertProblem(answer, 400, 'bad_request');
    assert.match(answer.json.message, new RegExp(`^${field}: `, 'i'));
  }
  const version = front.losesEmptyFields ? 2 : 0;
  assertVersion(await stack.get(tenant, key), version);
});

test('too many or too large fields are said to be so', async () => {
  const tenant = stack.tenant();
  const many = (count, size) =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`x-${i}`, 'x'.repeat(size)]),
    );
  for (const [count, size] of [
    [300, 1],
    [1000, 20],
    [4, 16000],
    [6, 12000],
    [1, 20000],
  ]) {
    const answer = await stack.get(tenant, key, many(count, size));
    if (answer.status === 200) continue; // there is room for them
    const sent = `${count} of ${size}: ${answer.status} ${answer.text}`;
    assert.ok(front.tooLarge.includes(answer.status), sent);
  }
});

test('a request that cannot be read is a problem, too', async () => {
  const version = (number) => `GET ${path} HTTP/${number}\r\n@`;
  const post = (field, rest = '') =>
    `POST ${path} HTTP/1.1\r\n@Content-Type: application/json\r\n` +
    `${field}\r\n\r\n${rest}`;
  const chunked = 'Transfer-Encoding: chunked';
  const { expectation, lengthRequired, version: unknown } = front;
  for (const [text, statuses] of [
    [`${version('3.0')}\r\n`, [unknown]],
    [`${version('9.9')}\r\n`, [unknown]],
    [`${version('0.9')}\r\n`, [400, 505]],
    [`${version('1.1')}A b: c\r\n\r\n`, [400]],
    [`${version('1.1')}A: b\0c\r\n\r\n`, [400]],
    [`${version('1.1')}Host: b\r\n\r\n`, [400]],
    [`GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`, [400]],
    [`GET ${path} HTTP/1.1\r\nHost: a/b\r\n\r\n`, [400]],
    [`GET ${path.slice(1)} HTTP/1.1\r\n@\r\n`, [400]],
    [`GE T ${path} HTTP/1.1\r\n@\r\n`, [400, 501]],
    [`GET ${path}%zz HTTP/1.1\r\n@\r\n`, [400, 404]],
    [`GET /${'a'.repeat(20000)} HTTP/1.1\r\n@\r\n`, [414, 431]],
    [`CONNECT localhost:80 HTTP/1.1\r\n@\r\n`, [400, 404, 405]],
    ['GARBAGE\r\n\r\n', [400]],
    [post('Expect: the-unexpected\r\nContent-Length: 0'), [expectation]],
    [post('X: no length'), [lengthRequired]],
    [post('Content-Length: -1'), [400]],
    [post('Content-Length: 2\r\nContent-Length: 3', '{}'), [400]],
    [post('Transfer-Encoding: unheard-of'), [400, 501]],
    [post(chunked, 'zz\r\n\r\n'), [400, 401]],
    [post(chunked, `${'f'.repeat(17)}\r\n\r\n`), [400, 401, 413]],
  ]) {
    const own = `Host: ${front.host}\r\nConnection: close\r\n`;
    const bytes = Buffer.from(text.replace('@', own), 'latin1');
    const answer = parse(await exchange(stack.target, bytes));
    const sent = `${text.slice(0, 200)} is ${answer.status}: ${answer.text}`;
    // The rest is the host's, whose pages a directory of it cannot change.
    if (!front.ownsServer && !text.startsWith(post(chunked))) continue;
    assert.ok(statuses.includes(answer.status), sent);
    assert.ok(answer.json, sent);
    assertOwnProblem(answer, answer.status, answer.json.error_code);
    assert.notEqual(answer.json.error_code, 'internal_server_error', sent);
  }
});

test('health is for everybody', async () => {
  for (const from of [outside, (o) => stack.request(o)]) {
    const answer = await from({ path: front.health });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { status: 'ok' });
  }
});

test('readyz and metrics are for this machine', async () => {
  for (const own of front.own)
    for (const asked of [own, `${own}?x=y`, `/.${own}`, `/v0/..${own}`]) {
      const denied = await outside({ path: asked });
      assertOwnProblem(denied, 403, 'forbidden');
    }
  if (stack.target.socketPath) return; // health.mjs asks nginx by TCP
  for (const own of front.own) {
    const answer = await stack.request({ path: own });
    assert.equal(answer.status, 200, answer.text);
  }
});

test('there is nothing of that below the base path', async () => {
  const disguised = front.disguised['%2f'] ?? 404;
  for (const [asked, status = 404] of [
    ['/v0/readyz'],
    ['/v0/metrics'],
    ['/v0/%6detrics'],
    ['/v0/metrics/'],
    ['/v0//metrics'],
    ['/v0/./metrics'],
    ['/v0/x/../metrics'],
    ['/v0/%2e/metrics'],
    ['/v0/%2fmetrics', disguised],
    ['/v0%2fmetrics', disguised],
    ['/v0/v0/metrics'],
    ['/v0x/metrics'],
    ['/x/v0/metrics'],
    ['//metrics', [403, 404]],
    ['/metrics/'],
  ])
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await outside({ path: asked, method });
      assert.doesNotMatch(answer.text, /orderconf_/, asked);
      assert.ok([status].flat().includes(answer.status), asked);
    }
});

test('one resource has one path, as far as the front end goes', async () => {
  const tenant = stack.tenant();
  for (const [asked, status] of [
    [`${BASE}../sales_order/%62ig_sales_order`, 200],
    [`/v0//config/sales_order/${key}`, 404],
    [`/v0/config/sales_order%2f${key}`, front.disguised['%2f'] ?? 404],
    [`${path}/`, 404],
    [`${path}%00`, [400, 404]],
    [`/v0`, 404],
    ['/v0/', 404],
    [`/config/sales_order/${key}`, 404],
  ]) {
    const answer = await stack.request({ tenant, path: asked });
    assert.ok([status].flat().includes(answer.status), `${asked} ${answer.status}`);
  }
});

test('405 with Allow, also for OPTIONS', async () => {
  const tenant = stack.tenant();
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const answer = await stack.request({ tenant, method, path });
    assertProblem(answer, 405, 'method_not_allowed');
    assert.equal(answer.headers.allow, 'GET, HEAD, POST');
  }
  const trace = await stack.request({ method: 'TRACE', path });
  if (front.trace === 405)
    assertOwnProblem(trace, 405, 'method_not_allowed');
  else assert.equal(trace.status, front.trace);
});

test('a body of 65536 bytes is taken, a larger one is a 413', async () => {
  const tenant = stack.tenant();
  for (const headers of [
    {},
    { 'transfer-encoding': 'chunked' },
  ]) {
    const taken = await stack.post(tenant, key, padded(MAX), headers);
    assert.equal(taken.status, 200, taken.text);
    const { etag } = taken.headers;
    const large = await stack.post(tenant, key, padded(MAX + 1), headers);
    assertOwnProblem(large, 413, 'content_too_large');
    assert.equal((await stack.get(tenant, key)).headers.etag, etag);
  }
});

test('a chunked body arrives whole', async () => {
  const answer = await stack.post(stack.tenant(), key, body, {
    'transfer-encoding': 'chunked',
  });
  assert.equal(answer.status, 200, answer.text);
  assertVersion(answer, 1);
});

test('a token fits into 16 KiB with its field, and a larger one is said to be so', async () => {
  const tenant = stack.tenant();
  const pad = 'x'.repeat(Math.floor(front.tokenMax * 0.72));
  const token = stack.token(tenant, { pad });
  const part = token.length / front.tokenMax;
  assert.ok(part > 0.95 && part < 1.03, `${token.length}`);
  const answer = await stack.request({ token, path });
  assert.equal(answer.status, 200, answer.text);
  const large = stack.token(tenant, { pad: 'x'.repeat(13000) });
  const refused = await stack.request({ token: large, path });
  if (refused.status !== 401)
    assert.ok(front.tooLarge.includes(refused.status), `${refused.status}`);
});

test('an answer is never compressed nor cut', async () => {
  const tenant = stack.tenant();
  await stack.post(tenant, key, body);
  const answer = await stack.get(tenant, key, {
    'accept-encoding': 'gzip, br, deflate',
    range: 'bytes=0-3',
  });
  assert.equal(answer.status, 200);
  assertVersion(answer, 1);
  assert.equal(answer.headers['content-encoding'], undefined);
  assert.equal(answer.json.value.soft_limit_for_big_orders, 5);
  const head = await stack.request({ tenant, path, method: 'HEAD' });
  assert.equal(head.headers['content-length'], String(answer.text.length));
});

test('X-Request-Id differs each time, is in the log, and not for the client to choose', async () => {
  const tenant = stack.tenant();
  const ids = new Set();
  for (let version = 1; version <= 3; version++) {
    const answer = await stack.post(tenant, key, body, {
      'x-request-id': 'mine',
      request_id: 'mine',
    });
    assertVersion(answer, version);
    ids.add(answer.headers['x-request-id']);
  }
  assert.equal(ids.size, 3);
  assert.ok(!ids.has('mine'));
  if (front.logsIds)
    for (const id of ids)
      await until('it is in the log', () =>
        readFileSync(join(stack.dir, 'access.log'), 'utf8').includes(id),
      );
  const stored = await until('they are in the log', () => {
    const events = stack
      .events()
      .filter(({ event, request_id }) => event === 'stored' && ids.has(request_id));
    return events.length >= 3 && events;
  });
  assert.deepEqual(
    stored.map(({ version }) => version),
    [1, 2, 3],
  );
  for (const event of stored) {
    assert.equal(event.tenant, tenant);
    assert.equal(event.key, key);
    assert.equal(event.subject, 'somebody');
  }
});

test('new workers under load: no request fails', async () => {
  if (!front.replaceWorkers) return;
  const tenants = [1, 2, 3, 4].map(() => stack.tenant());
  let rounds = 0;
  let replacing = true;
  const load = tenants.map(async (tenant) => {
    for (let n = 1; replacing; n++) {
      const written = await stack.post(tenant, key, body);
      assert.equal(written.status, 200, written.text);
      assertVersion(written, n);
      rounds++;
    }
  });
  const replaced = (async () => {
    for (let i = 0; i < 2; i++) await front.replaceWorkers();
  })().finally(() => {
    replacing = false;
  });
  await Promise.all([replaced, ...load]);
  assert.ok(rounds > 0);
});

test('a service that is gone is a problem of its own', async () => {
  await front.lose();
  const answer = await stack.get(stack.tenant(), key);
  assertOwnProblem(answer, ...front.gone);
  if (answer.status !== 500 && front.negotiates)
    assert.equal(answer.headers['retry-after'], '1');
});

test('what the service is told by the web server, and not by the client', async (t) => {
  // Of a program that it starts, the tests above see what it makes of it.
  if (front.startsProgram) return;
  rmSync(stack.fcgiSocket, { force: true });
  const mirror = await listenAsMirror(stack.fcgiSocket);
  t.after(() => mirror.close());
  if (stack.user)
    chownSync(stack.fcgiSocket, stack.user.uid, stack.user.gid);
  const { authorization, ...told } = {
    authorization: stack.authorization(stack.token(ACME)),
    host: `${ACME}.x.example`,
    accept: 'application/json',
    'if-match': '"1"',
    'if-none-match': '"2"',
    prefer: 'handling=strict',
  };
  // As the client sent it, which is not how the web server reads it.
  const disguised = path.replace('/v0', '/x/%2e./v0/.').replace('c', '%63');
  // It may take a web server a moment to believe that there is one again.
  const answer = await until('the web server finds the service', async () => {
    const asked = await stack.request({
      method: 'POST',
      path: `${disguised}?validate_only=true`,
      body,
      headers: {
        ...told,
        authorization,
        proxy: 'http://127.0.0.1:1',
        tenant: 'other',
        path_info: '/metrics',
        request_uri: '/v0/metrics',
        script_name: '/v1',
        orderconf_operator: '1',
        'orderconf-operator': '1',
      },
    });
    return asked.status === 200 && asked;
  });
  const given = answer.json;
  assert.ok(!given.HTTP_PROXY, given.HTTP_PROXY);
  for (const [name, value] of Object.entries({
    REQUEST_METHOD: 'POST',
    REQUEST_URI: `${disguised}?validate_only=true`,
    SCRIPT_NAME: '/v0',
    PATH_INFO: `/config/sales_order/${key}`,
    QUERY_STRING: 'validate_only=true',
    CONTENT_TYPE: 'application/json',
    CONTENT_LENGTH: String(body.length),
    TENANT: ACME,
    HTTP_AUTHORIZATION: authorization,
    HTTP_ACCEPT: told.accept,
    HTTP_IF_MATCH: told['if-match'],
    HTTP_IF_NONE_MATCH: told['if-none-match'],
    HTTP_PREFER: told.prefer,
  }))
    assert.equal(given[name], value, name);
  assert.equal(given.ORDERCONF_OPERATOR, undefined);
  if (front.negotiates) assert.match(given.REQUEST_ID, /^[\w-]{20,}$/);
  else assert.equal(given.REQUEST_ID, undefined);
  for (const own of [front.health, ...front.own]) {
    const { json } = await stack.request({ path: `/%2e${own}?a` });
    if (stack.target.socketPath && own !== front.health) continue; // refused
    assert.equal(json.REQUEST_URI, `/%2e${own}?a`);
    assert.equal(json.SCRIPT_NAME ?? '', '');
    assert.equal(json.PATH_INFO, own);
    const admitted = own === front.health ? undefined : '1';
    assert.equal(json.ORDERCONF_OPERATOR, admitted, own);
  }
});

test('the web server stops cleanly, and no log has a token', async () => {
  await front.stopServer(front.stopSignal);
  stack.assertCleanLog();
});
