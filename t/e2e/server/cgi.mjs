// SPDX-License-Identifier: MIT
// The service as a plain CGI program: one request from the environment and
// stdin, its answer on stdout, byte by byte.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { runCgi } from '../lib/cgi.mjs';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { parseCgi } from '../lib/fcgi.mjs';
import { cleanEnv, service } from '../lib/paths.mjs';
import { Stack } from '../lib/stack.mjs';

// For its keys and directory; the service itself runs per request.
const stack = new Stack();
after(() => stack.kill());

const key = 'on_hold_timer_duration';

const run = (params, body, options) => runCgi(stack, params, body, options);

async function answer(params, body = '', options = undefined) {
  const result = await run(params, body, options);
  assert.deepEqual([result.code, result.signal], [0, null], result.stderr);
  if (body !== '')
    assert.equal(result.broken, false, 'it closed stdin before its end');
  assert.doesNotMatch(result.stderr, /Sanitizer|runtime error:/);
  for (const line of result.stderr.split('\n'))
    if (line !== '') assert.doesNotThrow(() => JSON.parse(line), line);
  return { ...parseCgi(Buffer.from(result.stdout)), bytes: result.stdout };
}

test('GET, byte by byte', async () => {
  const tenant = stack.tenant();
  const result = await answer(
    stack.params('GET', key, { tenant, REQUEST_ID: 'r-1' }),
  );
  assert.equal(
    result.bytes,
    [
      'Status: 200 OK',
      'Content-Type: application/json',
      'Content-Length: 47',
      'X-Content-Type-Options: nosniff',
      'Vary: Accept',
      'ETag: "0"',
      'Cache-Control: private, no-cache',
      'X-Request-Id: r-1',
      '',
      '{"value":0,"updated_at":"1970-01-01T00:00:00Z"}',
    ].join('\r\n'),
  );
});

test('HEAD has no body, 304 neither type nor length', async () => {
  const tenant = stack.tenant();
  const head = await answer(
    stack.params('HEAD', key, { tenant, REQUEST_ID: 'r-2' }),
  );
  assert.match(head.bytes, /\r\nContent-Length: 47\r\n.*\r\n\r\n$/s);
  const same = await answer(
    stack.params('GET', key, {
      tenant,
      REQUEST_ID: 'r-3',
      HTTP_IF_NONE_MATCH: '"0"',
    }),
  );
  assert.equal(
    same.bytes,
    [
      'Status: 304 Not Modified',
      'Vary: Accept',
      'ETag: "0"',
      'Cache-Control: private, no-cache',
      'X-Request-Id: r-3',
      '',
      '',
    ].join('\r\n'),
  );
});

test('what one run stores the next one reads', async () => {
  const tenant = stack.tenant();
  const body = '{"value":77}';
  const written = await answer(
    stack.params('POST', key, { tenant, body }),
    body,
  );
  assert.equal(written.status, 200, written.text);
  assertVersion(written, 1);
  const read = await answer(stack.params('GET', key, { tenant }));
  assert.deepEqual(read.json, written.json);
  const stale = await answer(
    stack.params('POST', key, { tenant, body, HTTP_IF_MATCH: '"7"' }),
    body,
  );
  assertProblem(stale, 412, 'precondition_failed');
});

test('runs at the same time keep the versions straight', async () => {
  const tenant = stack.tenant();
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => {
      const body = JSON.stringify({ value: i });
      return answer(stack.params('POST', key, { tenant, body }), body);
    }),
  );
  const won = answers.filter(({ status }) => status === 200);
  for (const { status } of answers) assert.ok([200, 409].includes(status));
  const read = await answer(stack.params('GET', key, { tenant }));
  assertVersion(read, won.length);
});

test('errors are complete answers, and stdin is read to its end', async () => {
  const tenant = stack.tenant();
  const large = `{"value":1}${' '.repeat(300000)}`;
  const params = (more) =>
    stack.params('POST', key, { tenant, body: large, ...more });
  assertProblem(await answer(params(), large), 413, 'content_too_large');
  assertProblem(
    await answer({ ...params(), HTTP_AUTHORIZATION: '' }, large),
    401,
    'unauthorized',
  );
  assertProblem(
    await answer({ ...params(), PATH_INFO: '/nope' }, large),
    404,
    'not_found',
  );
  assertProblem(
    await answer({ ...params(), REQUEST_METHOD: 'PUT' }, large),
    405,
    'method_not_allowed',
  );
  assertProblem(
    await answer(params({ CONTENT_LENGTH: 20 }), '{"value":1}'),
    400,
    'bad_request',
  );
  assertProblem(
    await answer(params({ CONTENT_LENGTH: 'x' }), ''),
    400,
    'bad_request',
  );
  const read = await answer(stack.params('GET', key, { tenant }));
  assertVersion(read, 0);
});

test('a body that came in chunks has no length, and ends with stdin', async () => {
  const tenant = stack.tenant();
  const body = '{"value":78}';
  const params = (text) => {
    const { CONTENT_LENGTH: _, ...rest } = stack.params('POST', key, {
      tenant,
      body: text,
    });
    return rest;
  };
  const chunked = { HTTP_TRANSFER_ENCODING: 'chunked' };
  const written = await answer({ ...params(body), ...chunked }, body);
  assert.equal(written.status, 200, written.text);
  const large = body + ' '.repeat(300000);
  assertProblem(
    await answer({ ...params(large), ...chunked }, large),
    413,
    'content_too_large',
  );
  // Without the word, there is no body, and perhaps no end of stdin either.
  const { code, stdout } = await run(params(''), '');
  assert.equal(code, 0);
  assertProblem(parseCgi(Buffer.from(stdout)), 400, 'bad_request');
});

test("Apache's rewritten Authorization is found", async () => {
  const tenant = stack.tenant();
  const { HTTP_AUTHORIZATION: token, ...rest } = stack.params('GET', key, {
    tenant,
  });
  const result = await answer({ ...rest, REDIRECT_HTTP_AUTHORIZATION: token });
  assert.equal(result.status, 200);
});

test('settings come from the environment too, and the command line wins', async () => {
  const tenant = stack.tenant();
  const { db, issuer, jwks } = stack.options;
  const result = await answer(stack.params('GET', key, { tenant }), '', {
    options: ['db'],
    env: {
      ORDERCONF_DB: '/nonexistent/x',
      ORDERCONF_ISSUER: issuer,
      ORDERCONF_JWKS: jwks,
    },
  });
  assert.equal(result.status, 200, result.text);
  assert.ok(readFileSync(`${db}/data.mdb`).length > 0);
});

test('a store that cannot be opened is a 500, and the log says why', async () => {
  const tenant = stack.tenant();
  const result = await run(stack.params('GET', key, { tenant }), '', {
    options: ['issuer', 'jwks'],
    env: { ORDERCONF_DB: '/proc/nonexistent/db' },
  });
  assertProblem(
    parseCgi(Buffer.from(result.stdout)),
    500,
    'internal_server_error',
  );
  assert.match(result.stderr, /proc\/nonexistent/);
  assert.doesNotMatch(result.stdout, /nonexistent/);
});

test('bad settings are named at start', async () => {
  for (const [args, words] of [
    [['--nope=1'], /--nope/],
    [['--workers=0'], /--workers/],
    [['--workers=x'], /--workers/],
    [['--map-size=1'], /--map-size/],
    [['--db='], /--db/],
    [['--db'], /--db/],
    [[], /issuer/],
    [['--issuer=x'], /issuer/],
    [['--issuer=a/{tenant}', '--jwks=/x'], /jwks/],
    [['--issuer=a/{tenant}', '--listen=nowhere'], /--listen/],
    [['extra'], /extra/],
  ]) {
    const child = spawn(service, args, {
      env: cleanEnv({ GATEWAY_INTERFACE: 'CGI/1.1' }),
    });
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
    });
    const code = await new Promise((resolve) => {
      child.on('close', resolve);
    });
    assert.equal(code, 2, `${args} ${text}`);
    assert.match(text, words);
  }
  const misspelt = await run({ ORDERCONF_WORKER: '2' }, '');
  assert.equal(misspelt.code, 2);
  assert.match(misspelt.stderr, /ORDERCONF_WORKER/);
});

test('a first answer takes a moment only', async () => {
  const tenant = stack.tenant();
  const params = stack.params('GET', key, { tenant });
  const times = [];
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    await answer(params);
    times.push(performance.now() - start);
  }
  // The figure itself is the benchmark's; this only notices a disaster.
  assert.ok(Math.min(...times) < 1000, `${Math.min(...times)} ms`);
});
