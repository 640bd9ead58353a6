// SPDX-License-Identifier: MIT
// The log: what it tells, in which form, and what it never holds.
import assert from 'node:assert/strict';
import { fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCgi } from '../lib/cgi.mjs';
import { service } from '../lib/paths.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const { make, start } = factory();

const stored = (events) => events.filter(({ event }) => event === 'stored');

test('each stored write is one line, and nothing else is', async () => {
  const stack = await start({ options: { workers: 1 } });
  const tenant = stack.tenant();
  const token = stack.token(tenant, { sub: 'user-17' });
  const path = `/v0/config/sales_order/${key}`;
  const ids = [];
  for (const [method, body, headers, status] of [
    ['POST', { value: 1 }, {}, 200],
    ['GET', undefined, {}, 200],
    ['POST', { value: 'x' }, {}, 400],
    ['POST', { value: 2 }, { 'if-match': '"9"' }, 412],
    ['POST', { value: 2 }, {}, 200],
    ['GET', undefined, { 'if-none-match': '*' }, 304],
  ]) {
    const answer = await stack.request({ token, method, path, body, headers });
    assert.equal(answer.status, status, answer.text);
    if (method === 'POST' && status === 200)
      ids.push(answer.headers['x-request-id']);
  }
  const lines = stored(stack.events());
  assert.equal(lines.length, 2);
  for (const [i, line] of lines.entries()) {
    const { time, pid, ...rest } = line;
    assert.deepEqual(rest, {
      level: 'notice',
      event: 'stored',
      tenant,
      key,
      version: i + 1,
      subject: 'user-17',
      request_id: ids[i],
    });
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60000, time);
    assert.deepEqual([pid], stack.service.children());
  }
  await stack.stop();
});

test('a write that lost its race, or a repeated one of a write-once key, is not', async () => {
  const stack = await start({ nginx: false });
  const tenant = stack.tenant();
  const once = 'sales_order_generator_sequence';
  const body = '{"value":{"prefix":"A"}}';
  for (let i = 0; i < 2; i++) {
    const answer = await stack.direct(
      stack.params('POST', once, { tenant, body }),
      body,
    );
    assert.equal(answer.status, 200, answer.text);
  }
  assert.equal(stored(stack.events()).length, 1);
  const text = '{"value":5}';
  const answers = await Promise.all(
    Array.from({ length: 32 }, () =>
      stack.direct(stack.params('POST', key, { tenant, body: text }), text),
    ),
  );
  const won = answers.filter(({ status }) => status === 200).length;
  assert.equal(stored(stack.events()).length, 1 + won);
  await stack.stop();
});

test('a CGI run logs its write to stderr', async () => {
  const stack = make();
  const tenant = stack.tenant();
  const body = '{"value":3}';
  const { stderr } = await runCgi(
    stack,
    stack.params('POST', key, { tenant, body, REQUEST_ID: 'r-1' }),
    body,
  );
  const { time, pid, ...rest } = JSON.parse(stderr);
  assert.ok(time && pid);
  assert.deepEqual(rest, {
    level: 'notice',
    event: 'stored',
    tenant,
    key,
    version: 1,
    subject: 'somebody',
    request_id: 'r-1',
  });
});

// What would forge a line, break the JSON, or colour a terminal.
const forged = '"}\n{"event":"forged","time":"x"}\r\u001b[31m\u2028\u202e\\';

test('an answer of 500 is one line that names its request', async () => {
  const stack = await start({ options: { workers: 1, 'map-size': '1M' } });
  const tenant = stack.tenant();
  const webhook = 'external_order_webhook';
  const value = { url: 'https://example.com/', api_key: 'k'.repeat(30000) };
  const ids = [];
  for (let i = 0; i < 200 && ids.length < 2; i++) {
    const answer = await stack.post(tenant, webhook, { value });
    if (answer.status !== 200) {
      assert.equal(answer.status, 500, answer.text);
      ids.push(answer.headers['x-request-id']);
    }
  }
  const lines = stack.events().filter(({ event }) => event === 'failed');
  assert.deepEqual(
    lines.map(({ time, pid, ...rest }) => rest),
    ids.map((request_id) => ({
      level: 'error',
      event: 'failed',
      error_code: 'storage_full',
      path: `/config/sales_order/${webhook}`,
      request_id,
      tenant,
    })),
  );
  assert.equal(ids.length, 2);
  await stack.stop();
});

test('client text stays inside its string', async () => {
  const stack = await start({ nginx: false });
  const tenant = stack.tenant();
  const body = '{"value":3}';
  const asked = [
    stack.params('GET', `${key}${forged}`, { tenant, REQUEST_ID: forged }),
    stack.params('GET', key, { tenant, TENANT: forged }),
    stack.params('GET', key, { token: forged }),
    { ...stack.params('POST', key, { tenant, body }), CONTENT_TYPE: forged },
    stack.params('POST', key, { tenant, body, HTTP_IF_MATCH: forged }),
    { ...stack.params('GET', key, { tenant }), REQUEST_METHOD: forged },
    { ...stack.params('GET', key, { tenant }), QUERY_STRING: forged },
    stack.params('POST', key, {
      token: stack.token(tenant, { sub: forged }),
      body,
    }),
    stack.params('GET', key, {
      token: stack.token(tenant, {
        iss: `https://id.example/realms/${forged}`,
      }),
    }),
  ];
  for (const params of asked)
    await stack.direct(params, params.CONTENT_LENGTH ? body : '');
  const text = stack.logLines().join('\n');
  assert.doesNotMatch(text, /[^\n\x20-\x7e]/);
  for (const event of stack.events()) assert.notEqual(event.event, 'forged');
  // It is there, as the value that it is.
  assert.deepEqual(
    stored(stack.events()).map(({ subject }) => subject),
    [forged],
  );
  await stack.stop();
});

test('no token and no value is ever in it, whatever goes wrong', async () => {
  const stack = await start({ options: { workers: 1 } });
  const tenant = stack.tenant();
  const webhook = 'external_order_webhook';
  const secret = 'k3y-0f-th3-w3bh00k';
  const value = { url: 'https://shop.example/hook', api_key: secret };
  for (const [body, status] of [
    [{ value }, 200],
    [{ value: { ...value, timeout: 99 } }, 400],
    [{ value: { ...value, url: secret } }, 400],
    [`{"value":{"api_key":"${secret}"`, 400],
    [{ value: secret }, 400],
    [{ [secret]: value }, 400],
  ]) {
    const answer = await stack.post(tenant, webhook, body, {
      prefer: 'handling=strict',
    });
    assert.equal(answer.status, status, answer.text);
  }
  const good = stack.token(tenant);
  for (const token of [
    `${good}x`,
    good.slice(0, -4),
    good.replace('.', '..'),
    `${good}.${good}`,
    good.split('.').reverse().join('.'),
    stack.token('nobody'),
    stack.token(tenant, { exp: 1 }),
  ]) {
    const answer = await stack.request({
      token,
      path: `/v0/config/sales_order/${webhook}`,
    });
    assert.equal(answer.status, 401);
  }
  // A key file that turns bad is named by its tenant, not quoted.
  stack.setKeys(tenant, [{ jwk: { kty: 'oct', k: secret } }]);
  await stack.get(tenant, webhook);
  const text = stack.log();
  assert.ok(
    stack.events().filter(({ event }) => event === 'refused').length >= 7,
  );
  assert.ok(!text.includes(secret), 'the log holds a value');
  assert.ok(!text.includes('shop.example'), 'the log holds a value');
  await stack.stop(); // looks for every token that was sent
});

test('in the journal, lines of supervisor and workers have their level', async () => {
  const stack = make({ options: { workers: 1 } });
  const { dev, ino } = fstatSync(openSync(stack.logFile, 'a'));
  stack.env = { JOURNAL_STREAM: `${dev}:${ino}` };
  await stack.startService();
  const tenant = stack.tenant();
  const body = '{"value":1}';
  await stack.direct(stack.params('POST', key, { tenant, body }), body);
  await stack.direct(stack.params('GET', key, { token: 'a.b.c' }));
  await stack.service.stop('SIGTERM');
  const numbers = { error: 3, warning: 4, notice: 5, info: 6 };
  const seen = new Set();
  for (const line of readFileSync(stack.logFile, 'utf8')
    .split('\n')
    .filter(Boolean)) {
    const [, number, json] =
      line.match(/^<(\d)>(\{.*\})$/) ?? assert.fail(line);
    const { level, event } = JSON.parse(json);
    assert.equal(Number(number), numbers[level], line);
    seen.add(event);
  }
  for (const event of [
    'ready',
    'worker_ready',
    'stored',
    'refused',
    'worker_stopped',
  ])
    assert.ok(seen.has(event), `no ${event} in ${[...seen]}`);
});

test('a file that is not the journal gets plain JSON', async () => {
  const stack = await start({ nginx: false, env: { JOURNAL_STREAM: '1:2' } });
  await stack.stop(); // every line is JSON
  assert.ok(stack.events().length > 0);
});

test('--syslog leaves stderr alone', async (t) => {
  const stack = make();
  // A /dev of its own: the machine's log is nobody's to fill.
  const command = [
    'unshare',
    process.getuid() === 0 ? '-m' : '-rm',
    'sh',
    '-c',
    'mount -t tmpfs none /dev || exit 77; exec "$0" "$@"',
    service,
  ];
  const params = stack.params('GET', key, { token: 'a.b.c' });
  const first = await runCgi(stack, params, '', { command });
  if (first.code !== 0) {
    t.skip('not allowed to mount');
    return;
  }
  assert.match(first.stderr, /"event":"refused"/);
  for (const { args, env } of [
    { args: ['--syslog'] },
    { env: { ORDERCONF_SYSLOG: 'yes' } },
  ]) {
    const run = await runCgi(stack, params, '', { command, args, env });
    assert.match(run.stdout, /^Status: 401 /);
    assert.equal(run.stderr, '');
  }
});
