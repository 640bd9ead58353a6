// SPDX-License-Identifier: MIT
// Whether the service lives and is ready; and who may ask, through nginx.
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCgi } from '../lib/cgi.mjs';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { FcgiConnection, parseCgi } from '../lib/fcgi.mjs';
import { request } from '../lib/http.mjs';
import { parse } from '../lib/prometheus.mjs';
import { factory } from '../lib/stack.mjs';

const { make, start } = factory();

const params = (path, method = 'GET') => ({
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: method,
  PATH_INFO: path,
  ORDERCONF_OPERATOR: 1,
});
const ask = (stack, path) => stack.direct(params(path));

function assertReady(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.type, 'application/json');
  assert.deepEqual(answer.json, { status: 'ready' });
  assert.equal(answer.headers['cache-control'], 'no-store');
}

/** Not ready, for these reasons and no other. */
function assertUnready(answer, ...reasons) {
  assertProblem(answer, 503, 'service_unavailable');
  assert.deepEqual(answer.json.messages, reasons);
  assert.equal(answer.headers['retry-after'], '1');
  assert.equal(answer.headers['cache-control'], 'no-store');
}

const NO_KEYS = 'keys: no tenant has a key that can be used';

test('healthz: the process answers, whatever else is wrong', async () => {
  const stack = await start({ nginx: false });
  const answer = await ask(stack, '/healthz');
  assert.equal(answer.status, 200);
  assert.equal(answer.type, 'application/json');
  assert.deepEqual(answer.json, { status: 'ok' });
  assert.equal(answer.headers['cache-control'], 'no-store');
  const head = await stack.direct(params('/healthz', 'HEAD'));
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    const post = await stack.direct(params(path, 'POST'));
    assertProblem(post, 405, 'method_not_allowed');
    assert.equal(post.headers.allow, 'GET, HEAD');
    assertProblem(await ask(stack, `${path}/`), 404, 'not_found');
  }
  await stack.stop();
});

test('readyz: the keys', async () => {
  const stack = await start({ nginx: false, options: { workers: 1 } });
  assertUnready(await ask(stack, '/readyz'), NO_KEYS);
  assertUnready(await ask(stack, '/readyz'), NO_KEYS);
  const tenant = stack.tenant();
  assertReady(await ask(stack, '/readyz'));
  assertReady(await ask(stack, '/readyz'));
  stack.setKeys(tenant, []);
  assertUnready(await ask(stack, '/readyz'), NO_KEYS);
  rmSync(stack.keys, { recursive: true });
  assertUnready(await ask(stack, '/readyz'), NO_KEYS);
  mkdirSync(stack.keys);
  writeFileSync(join(stack.keys, 'broken.json'), '{"keys":[');
  assertUnready(await ask(stack, '/readyz'), NO_KEYS);
  stack.setKeys(tenant, [stack.key]);
  assertReady(await ask(stack, '/readyz'));
  // The log has each change once.
  const told = stack
    .events()
    .map(({ event }) => event)
    .filter((event) => /ready_again|not_ready|failed/.test(event));
  const change = ['not_ready', 'ready_again'];
  assert.deepEqual(told, [...change, ...change]);
  await stack.stop();
});

test('readyz: a full store, in every worker', async () => {
  const options = { workers: 3, 'map-size': '1M' };
  const stack = await start({ nginx: false, options });
  const key = 'external_order_webhook';
  const fill = async (size) => {
    for (let i = 0; i < 1000; i++) {
      const tenant = stack.tenant();
      const body = JSON.stringify({
        value: { url: 'https://a.example/', api_key: 'k'.repeat(size) },
      });
      const asked = stack.params('POST', key, { tenant, body });
      const answer = await stack.direct(asked, body);
      if (answer.status !== 200)
        return assertProblem(answer, 500, 'storage_full');
    }
    return assert.fail('never full');
  };
  const tenant = stack.tenant();
  assertReady(await ask(stack, '/readyz'));
  await fill(30000);
  await fill(1);
  for (let i = 0; i < 12; i++)
    assertUnready(await ask(stack, '/readyz'), 'store: is full');
  // Reads go on, and so does the rest.
  const read = await stack.direct(stack.params('GET', key, { tenant }));
  assert.equal(read.status, 404);
  assert.equal((await ask(stack, '/healthz')).status, 200);
  await stack.stop();
  stack.options['map-size'] = '8M';
  await stack.startService();
  assertReady(await ask(stack, '/readyz'));
  await stack.stop();
});

const ELSEWHERE = 'store: the open store is not the one at its path';

test('readyz: a store that was moved away, or restored under it', async () => {
  const stack = await start({ nginx: false, options: { workers: 2 } });
  const { db } = stack.options;
  stack.tenant();
  for (let i = 0; i < 4; i++) assertReady(await ask(stack, '/readyz'));
  renameSync(db, `${db}.away`);
  for (let i = 0; i < 4; i++)
    assertUnready(await ask(stack, '/readyz'), ELSEWHERE);
  // The same bytes, but another file: what is stored now would be lost there.
  cpSync(`${db}.away`, db, { recursive: true });
  for (let i = 0; i < 4; i++)
    assertUnready(await ask(stack, '/readyz'), ELSEWHERE);
  assert.match(stack.log(), /"store_not_writable".*was moved, or has another/);
  rmSync(db, { recursive: true });
  renameSync(`${db}.away`, db);
  for (let i = 0; i < 4; i++) assertReady(await ask(stack, '/readyz'));
  await stack.stop();
});

test('readyz: a store whose file is gone, and no keys', async () => {
  const stack = await start({ nginx: false, options: { workers: 2 } });
  rmSync(join(stack.options.db, 'data.mdb'));
  assertUnready(
    await ask(stack, '/readyz'),
    'store: cannot be written',
    NO_KEYS,
  );
  const answer = await ask(stack, '/readyz');
  assert.ok(!answer.text.includes(stack.dir), 'it names a path');
  assert.match(stack.log(), /"store_not_writable".*the data file was removed/);
  await stack.stop();
});

test('readyz asks in turn with writes, and stores nothing', async () => {
  const stack = await start({ nginx: false, options: { workers: 2 } });
  const key = 'on_hold_timer_duration';
  const tenants = Array.from({ length: 8 }, () => stack.tenant());
  const writing = tenants.map(async (tenant) => {
    const connection = await FcgiConnection.open(stack.fcgiSocket);
    for (let n = 1; n <= 20; n++) {
      const body = JSON.stringify({ value: n });
      const asked = stack.params('POST', key, { tenant, body });
      const answer = await connection.send(asked, body);
      assertVersion(answer, n, answer.text);
    }
    connection.close();
  });
  const asking = Array.from({ length: 8 }, async () => {
    const connection = await FcgiConnection.open(stack.fcgiSocket);
    for (let n = 0; n < 20; n++)
      assertReady(await connection.send(params('/readyz')));
    connection.close();
  });
  await Promise.all([...writing, ...asking]);
  const events = stack.events();
  assert.equal(events.filter(({ event }) => event === 'stored').length, 160);
  await stack.stop();
});

test('readyz and metrics are there only where the web server says so', async () => {
  const stack = await start({ nginx: false, options: { workers: 1 } });
  stack.tenant();
  for (const said of [undefined, '', '0', 'yes'])
    for (const path of ['/readyz', '/metrics'])
      for (const method of ['GET', 'HEAD', 'POST']) {
        const { ORDERCONF_OPERATOR, ...rest } = params(path, method);
        const more = said === undefined ? {} : { ORDERCONF_OPERATOR: said };
        const answer = await stack.direct({
          ...rest,
          ...more,
          HTTP_ORDERCONF_OPERATOR: 1,
        });
        assert.equal(answer.status, 404, answer.text);
        if (method !== 'HEAD') assertProblem(answer, 404, 'not_found');
      }
  const { ORDERCONF_OPERATOR, ...rest } = params('/healthz');
  assert.equal((await stack.direct(rest)).status, 200);
  assertReady(await ask(stack, '/readyz'));
  // The log says why, once.
  const said = stack.events().filter(({ event }) => event === 'hidden');
  assert.equal(said.length, 1);
  assert.equal(said[0].level, 'warning');
  assert.equal(said[0].path, '/readyz');
  assert.match(said[0].reason, /sets ORDERCONF_OPERATOR to 1$/);
  await stack.stop();
});

test('a path is served if it is what the client asked for', async () => {
  const stack = await start({ nginx: false });
  const from = (uri, prefix) =>
    stack.direct({
      ...params('/metrics'),
      REQUEST_URI: uri,
      SCRIPT_NAME: prefix,
    });
  for (const [uri, prefix] of [
    ['/metrics', ''],
    ['/v0/metrics?a', '/v0'],
    ['/v0/x/../%6detrics', '/v0'],
    ['http://localhost/v0/metrics', '/v0'],
    ['', '/v0'], // not passed on
  ])
    assert.equal((await from(uri, prefix)).status, 200, uri);
  for (const [uri, prefix] of [
    ['/metrics%0a', ''],
    ['/v0/metrics', ''],
    ['/v0//metrics', '/v0'],
    ['/v0/metrics;x', '/v0'],
  ]) {
    const answer = await from(uri, prefix);
    assertProblem(answer, 404, 'not_found');
    assert.deepEqual(answer.json.messages, [
      'there is no such path: the web server read it as another one',
    ]);
  }
  await stack.stop();
});

test('as CGI, without a store', async () => {
  const stack = make({ options: { db: '/proc/nonexistent/db' } });
  const cgi = async (path) => {
    const { code, stdout } = await runCgi(stack, params(path));
    assert.equal(code, 0);
    return parseCgi(Buffer.from(stdout));
  };
  assert.equal((await cgi('/healthz')).status, 200);
  assertUnready(await cgi('/readyz'), 'store: could not be opened', NO_KEYS);
  const metrics = await cgi('/metrics');
  assert.equal(metrics.status, 200);
  assert.ok(!parse(metrics.text).has('orderconf_store_map_bytes'));
  stack.options.db = join(stack.dir, 'db');
  stack.tenant();
  assertReady(await cgi('/readyz'));
});

test('nginx: healthz for everybody, the rest for this machine', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.on('listening', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  const stack = await start({
    edit: (name, text) =>
      name === 'demo.conf.in'
        ? text.replace(
            'listen @LISTEN@;',
            (line) => `${line} listen 127.0.0.1:${port};`,
          )
        : text,
  });
  stack.tenant();
  const from = (localAddress, path, more) =>
    request({ host: '127.0.0.1', port, localAddress }, { path, ...more });

  assertReady(await from('127.0.0.1', '/readyz'));
  const metrics = await from('127.0.0.1', '/metrics');
  assert.equal(metrics.status, 200);
  assert.ok(parse(metrics.text).has('orderconf_requests_total'));
  assert.equal(metrics.type, 'text/plain; version=0.0.4; charset=utf-8');

  // Another address of this machine, and a socket, which may be a proxy's.
  for (const outside of [
    (path, more) => from('127.0.0.2', path, more),
    (path, more) => stack.request({ path, ...more }),
  ]) {
    const health = await outside('/healthz');
    assert.equal(health.status, 200);
    assert.match(health.headers['x-request-id'], /^[0-9a-f]{32}$/);
    assert.equal((await outside('/healthz', { method: 'HEAD' })).text, '');
    for (const path of [
      '/readyz',
      '/metrics',
      '/%6detrics',
      '/v0/../metrics',
      '/./readyz',
      '/metrics?x=y',
    ])
      for (const headers of [{}, { 'x-forwarded-for': '127.0.0.1' }]) {
        const denied = await outside(path, { headers });
        assertProblem(denied, 403, 'forbidden');
        assert.doesNotMatch(denied.text, /orderconf_/);
      }
    for (const path of [
      '/v0/metrics',
      '/v0/readyz',
      '/v0/healthz',
      '/v0/%6detrics',
      '/v0//metrics',
      '/v0/metrics/',
      '/v0/x/../metrics',
      '/v0/%2e/metrics',
      '/v0/%2fmetrics',
      '/metrics/',
      '//metrics',
    ])
      assertProblem(await outside(path), 404, 'not_found');
  }
  // From this machine, too, there is but one place.
  assertProblem(await from('127.0.0.1', '/v0/metrics'), 404, 'not_found');
  const post = await from('127.0.0.1', '/readyz', {
    method: 'POST',
    body: 'x'.repeat(60000),
  });
  assertProblem(post, 405, 'method_not_allowed');
  await stack.stop();
});
