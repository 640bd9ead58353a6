// SPDX-License-Identifier: MIT
// Metrics: their format, and that they add up whatever happens to processes.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCgi } from '../lib/cgi.mjs';
import { FcgiConnection, parseCgi } from '../lib/fcgi.mjs';
import { find, srcdir } from '../lib/paths.mjs';
import { until } from '../lib/process.mjs';
import { parse, sum } from '../lib/prometheus.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const route = '/config/sales_order/{key}';
const { make, start } = factory();
const promtool = find('promtool');

const params = (path, method = 'GET') => ({
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: method,
  PATH_INFO: path,
  ORDERCONF_OPERATOR: 1,
});

/** What any one of the workers says. */
async function scrape(stack) {
  const answer = await stack.direct(params('/metrics'));
  assert.equal(answer.status, 200, answer.text);
  return parse(answer.text);
}

/** Sets the key, and gives the status. */
async function set(stack, tenant, value, more = {}) {
  const body = JSON.stringify({ value });
  const asked = stack.params('POST', key, { tenant, body, ...more });
  return (await stack.direct(asked, body)).status;
}

const get = async (stack, tenant) =>
  (await stack.direct(stack.params('GET', key, { tenant }))).status;

test('the format', async () => {
  const stack = await start({ nginx: false });
  const tenant = stack.tenant();
  assert.equal(await set(stack, tenant, 1), 200);
  const answer = await stack.direct(params('/metrics'));
  assert.equal(answer.status, 200);
  assert.equal(answer.type, 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(answer.headers['cache-control'], 'no-store');
  const families = parse(answer.text);
  assert.ok(families.size >= 14, `${families.size} families`);
  for (const { name, type } of families.values()) {
    assert.match(name, /^orderconf_[a-z_]+$/);
    if (type === 'gauge') assert.doesNotMatch(name, /_total$/);
  }
  // Who asks what is nobody's business.
  assert.ok(!answer.text.includes(`"${tenant}"`));
  assert.ok(!answer.text.includes('somebody'));
  assert.ok(answer.text.length < 65536, `${answer.text.length} bytes`);
  const head = await stack.direct(params('/metrics', 'HEAD'));
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  if (promtool)
    execFileSync(promtool, ['check', 'metrics'], { input: answer.text });
  await stack.stop();
});

test('requests by route, method and status, and their times', async () => {
  const stack = await start({ nginx: false });
  const tenant = stack.tenant();
  for (const [method, path, status, labels] of [
    ['GET', `/config/sales_order/${key}`, 200, { route, method: 'GET' }],
    ['HEAD', `/config/sales_order/${key}`, 200, { route, method: 'HEAD' }],
    ['DELETE', `/config/sales_order/${key}`, 405, { route, method: 'other' }],
    ['GET', '/config/sales_order/x', 404, { route: 'unmatched' }],
    ['GET', '/openapi.json', 200, { route: '/openapi.json' }],
    ['GET', '/healthz', 200, { route: '/healthz' }],
    ['POST', '/healthz', 405, { route: '/healthz', method: 'POST' }],
    ['GET', '/readyz', 200, { route: '/readyz' }],
  ]) {
    const asked = {
      ...stack.params('GET', key, { tenant }),
      ...params(path, method),
    };
    const all = { ...labels, status };
    const before = sum(await scrape(stack), 'orderconf_requests_total', all);
    assert.equal((await stack.direct(asked)).status, status);
    const after = sum(await scrape(stack), 'orderconf_requests_total', all);
    assert.equal(after, before + 1, `${method} ${path}`);
  }
  assert.equal(await set(stack, tenant, 1), 200);
  assert.equal(await set(stack, tenant, 'x'), 400);
  const families = await scrape(stack);
  const posts = { route, method: 'POST' };
  for (const status of [200, 400])
    assert.equal(
      sum(families, 'orderconf_requests_total', { ...posts, status }),
      1,
    );
  // HEAD is timed with GET, what matched no route by itself.
  const times = 'orderconf_request_duration_seconds';
  assert.equal(sum(families, `${times}_count`, posts), 2);
  assert.equal(sum(families, `${times}_count`, { route, method: 'GET' }), 3);
  assert.equal(sum(families, `${times}_count`, { route: 'unmatched' }), 1);
  // A write takes at least as long as its flush, and not minutes.
  const took = sum(families, `${times}_sum`, posts);
  const flush = sum(families, 'orderconf_flush_duration_seconds_sum');
  assert.ok(flush > 0 && took > flush && took < 20, `${took} ${flush}`);
  await stack.stop();
});

test('tokens: refusals by reason, and the cache', async () => {
  const stack = await start({ nginx: false, options: { workers: 1 } });
  const tenant = stack.tenant();
  const token = stack.token(tenant);
  const ask = async (more) =>
    (await stack.direct(stack.params('GET', key, more))).status;
  for (let i = 0; i < 5; i++) assert.equal(await ask({ token }), 200);
  assert.equal(await ask({}), 401);
  assert.equal(await ask({ token: 'x' }), 401);
  assert.equal(await ask({ token: stack.token(tenant, { exp: 1 }) }), 401);
  assert.equal(await ask({ token: stack.token('nobody') }), 401);
  assert.equal(await ask({ token: `${token.slice(0, -6)}AAAAAA` }), 401);
  assert.equal(await ask({ token, TENANT: 'other' }), 403);
  const families = await scrape(stack);
  const refused = (reason) =>
    sum(families, 'orderconf_token_refusals_total', { reason });
  for (const [reason, count] of Object.entries({
    missing: 1,
    malformed: 1,
    expired: 1,
    key: 1,
    signature: 1,
    tenant: 1,
    algorithm: 0,
    scope: 0,
  }))
    assert.equal(refused(reason), count, reason);
  const all = sum(families, 'orderconf_token_refusals_total');
  assert.equal(all, 6);
  // The key file is young, which keeps the cache out of use for a moment.
  const hits = sum(families, 'orderconf_token_cache_hits_total');
  const misses = sum(families, 'orderconf_token_cache_misses_total');
  assert.equal(hits + misses, 10); // all but the one without a token
  await until('the cache is used', async () => {
    assert.equal(await ask({ token }), 200);
    const now = await scrape(stack);
    return sum(now, 'orderconf_token_cache_hits_total') > hits;
  });
  await stack.stop();
});

test('writes: commits, what they store, lost races', async () => {
  const stack = await start({ nginx: false, options: { workers: 1 } });
  const tenants = Array.from({ length: 40 }, () => stack.tenant());
  const statuses = await Promise.all(
    tenants.map((tenant) => set(stack, tenant, 1)),
  );
  assert.ok(statuses.every((status) => status === 200));
  let families = await scrape(stack);
  const commits = sum(families, 'orderconf_commit_writes_count');
  assert.ok(commits >= 1 && commits <= 40);
  assert.equal(sum(families, 'orderconf_commit_writes_sum'), 40);
  assert.equal(
    sum(families, 'orderconf_flush_duration_seconds_count'),
    commits,
  );
  assert.equal(sum(families, 'orderconf_lost_races_total'), 0);

  const read = await stack.direct(
    stack.params('GET', key, { tenant: tenants[0] }),
  );
  const HTTP_IF_MATCH = read.headers.etag;
  const raced = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      set(stack, tenants[0], i, i % 2 ? { HTTP_IF_MATCH } : {}),
    ),
  );
  const count = (status) => raced.filter((one) => one === status).length;
  families = await scrape(stack);
  // A 412 may have been too late already when it arrived.
  const lost = sum(families, 'orderconf_lost_races_total');
  assert.ok(lost >= count(409) && lost <= count(409) + count(412), `${lost}`);
  assert.equal(sum(families, 'orderconf_commit_writes_sum'), 40 + count(200));
  await stack.stop();
});

test('the store: room and readers', async () => {
  const stack = await start({
    nginx: false,
    options: { workers: 3, 'map-size': '8M' },
  });
  const tenant = stack.tenant();
  const before = await scrape(stack);
  assert.equal(sum(before, 'orderconf_store_map_bytes'), 8 << 20);
  await until('three workers have read', async () => {
    await get(stack, tenant);
    return sum(await scrape(stack), 'orderconf_store_readers') === 3;
  });
  assert.ok(sum(before, 'orderconf_store_readers_max') >= 3);
  const body = JSON.stringify({
    value: { url: 'https://a.example/', api_key: 'k'.repeat(50000) },
  });
  for (let i = 0; i < 10; i++) {
    const asked = stack.params('POST', 'external_order_webhook', {
      tenant: stack.tenant(),
      body,
    });
    assert.equal((await stack.direct(asked, body)).status, 200);
  }
  const after = await scrape(stack);
  const grown =
    sum(after, 'orderconf_store_used_bytes') -
    sum(before, 'orderconf_store_used_bytes');
  assert.ok(grown > 1000000 && grown < 2000000, `${grown}`); // and the history
  await stack.stop();
});

test('all processes add up, CGI runs and killed workers included', async () => {
  const stack = await start({ nginx: false, options: { workers: 2 } });
  const tenant = stack.tenant();
  const gets = async () =>
    sum(await scrape(stack), 'orderconf_requests_total', {
      route,
      method: 'GET',
      status: 200,
    });
  let asked = 0;
  for (let round = 0; round < 3; round++) {
    // Many connections at once, so that both workers get some.
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => get(stack, tenant)),
    );
    assert.ok(answers.every((status) => status === 200));
    asked += 50;
    const cgi = await runCgi(stack, stack.params('GET', key, { tenant }));
    assert.equal(parseCgi(Buffer.from(cgi.stdout)).status, 200, cgi.stderr);
    asked += 1;
    // Whichever worker answers, it tells the same.
    for (let i = 0; i < 4; i++) assert.equal(await gets(), asked);

    const [victim] = stack.service.children();
    process.kill(victim, 'SIGKILL');
    await until('it is replaced', () => {
      const pids = stack.service.children();
      return pids.length === 2 && !pids.includes(victim);
    });
    await until('the new one answers', async () => {
      const died = sum(await scrape(stack), 'orderconf_worker_restarts_total', {
        cause: 'died',
      });
      return died === round + 1;
    });
    assert.equal(await gets(), asked);
  }
  const { stdout } = await runCgi(stack, params('/metrics'));
  assert.equal(
    sum(parse(parseCgi(Buffer.from(stdout)).text), 'orderconf_requests_total', {
      route,
    }),
    asked,
  );
  await stack.stop();
  await stack.startService();
  assert.equal(await gets(), asked);
  await stack.stop();
});

test('workers that take a place tell why', async () => {
  const stack = await start({ nginx: false, options: { workers: 2 } });
  const restarts = async (cause) =>
    sum(await scrape(stack), 'orderconf_worker_restarts_total', { cause });
  assert.equal(await restarts('died'), 0);
  assert.equal(await restarts('replaced'), 0);
  const before = stack.service.children();
  stack.service.kill('SIGHUP');
  await until('all are new', () => {
    const pids = stack.service.children();
    return pids.length === 2 && !pids.some((pid) => before.includes(pid));
  });
  assert.equal(await restarts('replaced'), 2);
  assert.equal(await restarts('died'), 0);
  process.kill(stack.service.children()[0], 'SIGKILL');
  await until('it is counted', async () => (await restarts('died')) === 1);
  assert.equal(await restarts('replaced'), 2);
  await stack.stop();
});

test('a file that cannot be used stops nothing, and the log says so', async () => {
  const stack = make({ nginx: false, options: { workers: 1 } });
  mkdirSync(join(stack.options.db, 'metrics'), { recursive: true });
  await stack.startService();
  const tenant = stack.tenant();
  assert.equal(await set(stack, tenant, 1), 200);
  const families = await scrape(stack);
  assert.equal(sum(families, 'orderconf_metrics_shared'), 0);
  assert.equal(sum(families, 'orderconf_commit_writes_sum'), 1);
  const [told] = stack
    .events()
    .filter(({ event }) => event === 'metrics_not_shared');
  assert.equal(told.level, 'warning');
  assert.match(told.reason, /db\/metrics: Is a directory/);
  await stack.stop();
});

test('a damaged file is made anew', async () => {
  const stack = make({ nginx: false });
  mkdirSync(stack.options.db, { recursive: true });
  writeFileSync(join(stack.options.db, 'metrics'), 'x'.repeat(10000));
  await stack.startService();
  const tenant = stack.tenant();
  for (let i = 0; i < 10; i++) assert.equal(await get(stack, tenant), 200);
  const families = await scrape(stack);
  assert.equal(sum(families, 'orderconf_metrics_shared'), 1);
  assert.equal(sum(families, 'orderconf_requests_total', { route }), 10);
  const resets = stack
    .events()
    .filter(({ event }) => event === 'metrics_reset');
  assert.equal(resets.length, 1, 'by one of two workers');
  await stack.stop();
});

test('a file that is cut short under the workers stops nothing', async () => {
  const stack = await start({ nginx: false, options: { workers: 2 } });
  const tenant = stack.tenant();
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => FcgiConnection.open(stack.fcgiSocket)),
  );
  const workers = stack.service.children();
  const ask = async (connection, i) => {
    const body = JSON.stringify({ value: i });
    const read = stack.params('GET', key, { tenant });
    assert.equal((await connection.send(read)).status, 200);
    const write = stack.params('POST', key, { tenant, body });
    assert.ok([200, 409].includes((await connection.send(write, body)).status));
  };
  await Promise.all(connections.map(ask));
  truncateSync(join(stack.options.db, 'metrics'), 0);
  await Promise.all(connections.map(ask));
  for (const connection of connections) connection.close();
  assert.deepEqual(stack.service.children(), workers);
  assert.equal(sum(await scrape(stack), 'orderconf_metrics_shared'), 0);
  const lost = stack.events().filter(({ event }) => event === 'metrics_lost');
  assert.ok(lost.length >= 1 && lost.length <= 2);
  await stack.stop();
  // The next start has a whole one again.
  await stack.startService();
  assert.equal(sum(await scrape(stack), 'orderconf_metrics_shared'), 1);
  await stack.stop();
});

test('sixteen workers', async (t) => {
  const stack = await start({ nginx: false, options: { workers: 16 } });
  const tenant = stack.tenant();
  await Promise.all(Array.from({ length: 64 }, () => get(stack, tenant)));
  const connection = await FcgiConnection.open(stack.fcgiSocket);
  const times = [];
  for (let i = 0; i < 50; i++) {
    const started = performance.now();
    const answer = await connection.send(params('/metrics'));
    times.push(performance.now() - started);
    assert.equal(answer.status, 200);
  }
  connection.close();
  times.sort((a, b) => a - b);
  // The figure is for the reader; this only notices a disaster.
  t.diagnostic(`/metrics: ${times[25].toFixed(2)} ms in the median`);
  assert.ok(times[0] < 100, `${times[0]} ms`);
  await stack.stop();
});
