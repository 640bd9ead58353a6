// SPDX-License-Identifier: MIT
// Requests that are sent without waiting for the answer of the one before, all
// on one connection: each is answered, in order, and none is left over.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encode, parseCgi } from '../lib/fcgi.mjs';
import { factory } from '../lib/stack.mjs';

const [ABORT, END, STDOUT] = [2, 3, 6];
const abort = Buffer.from([1, ABORT, 0, 1, 0, 0, 0, 0]);
const key = 'on_hold_timer_duration';
const once = 'sales_order_generator_sequence';

/** An answer may take so long, and a stop of the service. */
const PATIENCE_MS = 5000;

const { start } = factory();

/** One worker, so that what is sent to it meets there. */
async function startOne() {
  const stack = await start({ options: { workers: 1 }, nginx: false });
  return { stack, pid: stack.service.children()[0] };
}

/** A new tenant's requests, as bytes. */
function client(stack) {
  const tenant = stack.tenant();
  const token = stack.token(tenant);
  const bytes = (method, name, body, { keep = true, ...more } = {}) =>
    encode(stack.params(method, name, { token, body, ...more }), body, keep);
  return {
    tenant,
    get: (more) => bytes('GET', key, undefined, more),
    post: (value, more) => bytes('POST', key, JSON.stringify({ value }), more),
    postOnce: (value) => bytes('POST', once, JSON.stringify({ value })),
  };
}

/** The answers in what came back; {} for an end without one. */
function answersIn(bytes) {
  const found = [];
  for (let at = 0, out = []; at + 8 <= bytes.length; ) {
    const size = bytes.readUInt16BE(at + 4);
    if (at + 8 + size + bytes[at + 6] > bytes.length) break;
    if (bytes[at + 1] === STDOUT)
      out.push(bytes.subarray(at + 8, at + 8 + size));
    if (bytes[at + 1] === END) {
      const answer = out.length > 0 ? parseCgi(Buffer.concat(out)) : {};
      found.push(answer);
      out = [];
    }
    at += 8 + size + bytes[at + 6];
  }
  return found;
}

/** Sends the parts, and gives {answers, isClosed} when there are count answers,
 * the connection is closed, or patience is at an end. */
async function exchange(stack, parts, count, { then, ends = false } = {}) {
  const socket = net.connect({ path: stack.fcgiSocket, allowHalfOpen: true });
  let bytes = Buffer.alloc(0);
  let isClosed = false;
  socket.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  for (const event of ['end', 'close', 'error'])
    socket.on(event, () => {
      isClosed = true;
    });
  for (const part of parts) {
    if (typeof part === 'number') await sleep(part);
    else socket.write(part);
  }
  if (ends) socket.end();
  await then?.(() => answersIn(bytes));
  const started = performance.now();
  while (
    answersIn(bytes).length < count &&
    !isClosed &&
    performance.now() - started < PATIENCE_MS
  )
    await sleep(5);
  await sleep(20); // what is too much, and the end, would come by now
  socket.destroy();
  return { answers: answersIn(bytes), isClosed };
}

/** [status, ETag or value] of each. */
const seen = ({ answers }) =>
  answers.map(({ status, headers, json }) => [
    status,
    status === 200 ? json.value : headers?.etag,
  ]);

async function stored(stack, tenant, name = key) {
  const answer = await stack.direct(stack.params('GET', name, { tenant }));
  return answer.json.value;
}

test('a write behind a write, a read or an abort is answered', async () => {
  const { stack } = await startOne();
  for (const [name, make, expected] of [
    ['POST POST', (c) => [c.post(1), c.post(2)], [1, 2]],
    ['POST GET POST', (c) => [c.post(1), c.get(), c.post(2)], [1, 1, 2]],
    ['POST abort POST', (c) => [c.post(1), abort, c.post(2)], [1, 2]],
    ['GET POST POST', (c) => [c.get(), c.post(1), c.post(2)], [0, 1, 2]],
    ['POST POST POST', (c) => [c.post(1), c.post(2), c.post(3)], [1, 2, 3]],
  ])
    for (const split of ['at once', 'apart', 'byte by byte']) {
      const c = client(stack);
      const bytes = Buffer.concat(make(c));
      const parts = {
        'at once': [bytes],
        apart: make(c).flatMap((part) => [part, 3]),
        'byte by byte': [...bytes].map((byte) => Buffer.from([byte])),
      }[split];
      const result = await exchange(stack, parts, expected.length);
      assert.deepEqual(
        seen(result),
        expected.map((value) => [200, value]),
        `${name}, ${split}`,
      );
      assert.ok(!result.isClosed, `${name}, ${split}: was closed`);
      assert.equal(await stored(stack, c.tenant), expected.at(-1));
    }
  await stack.stop();
});

test('a request that is aborted before its end makes way for the next', async () => {
  const { stack } = await startOne();
  const c = client(stack);
  // Of the second one, only the record that begins it.
  const whole = Buffer.concat([
    c.post(1),
    c.post(2).subarray(0, 16),
    abort,
    c.post(3),
  ]);
  const result = await exchange(stack, [whole], 3);
  assert.deepEqual(
    result.answers.map(({ json }) => json?.value),
    [1, undefined, 3],
  );
  assert.equal(await stored(stack, c.tenant), 3);
  await stack.stop();
});

test('a write behind one that is refused is answered', async () => {
  const { stack } = await startOne();
  for (const [name, first, status] of [
    ['no value', (c) => c.post('x'), 400],
    ['no token', (c) => c.post(1, { HTTP_AUTHORIZATION: 'Bearer x' }), 401],
    ['no such version', (c) => c.post(1, { HTTP_IF_MATCH: '"7"' }), 412],
    ['no JSON', (c) => c.post(1, { CONTENT_TYPE: 'text/plain' }), 415],
  ]) {
    const c = client(stack);
    const bytes = Buffer.concat([first(c), c.post(2), c.post(3)]);
    const { answers } = await exchange(stack, [bytes], 3);
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [status, 200, 200],
      name,
    );
    assert.equal(await stored(stack, c.tenant), 3);
  }
  // By the commit itself: what can be set only once is something else already.
  const c = client(stack);
  const bytes = [{ start: 1 }, { start: 2 }, { start: 1 }].map(c.postOnce);
  const { answers } = await exchange(stack, [Buffer.concat(bytes)], 3);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 400, 200],
  );
  await stack.stop();
});

test('a write behind one that lost its race is answered', async () => {
  const { stack, pid } = await startOne();
  const c = client(stack);
  // What arrives while the worker stands still is committed together. On a busy
  // machine that takes longer.
  let results;
  for (let ms = 50; ms <= 3200; ms *= 2) {
    process.kill(pid, 'SIGSTOP');
    const both = [10, 20].map((value) =>
      exchange(stack, [Buffer.concat([c.post(value + ms), c.post(value + ms + 1)])], 2),
    );
    await sleep(ms);
    process.kill(pid, 'SIGCONT');
    results = (await Promise.all(both)).map(({ answers }) =>
      answers.map(({ status }) => status),
    );
    for (const statuses of results) assert.equal(statuses.length, 2);
    if (results.some(([first]) => first === 409)) break;
  }
  assert.ok(
    results.some(([first]) => first === 409),
    JSON.stringify(results),
  );
  assert.ok(results.some(([first]) => first === 200));
  await stack.stop();
});

test('many on one connection, and many connections', async () => {
  const { stack } = await startOne();
  // More than one read takes.
  const alone = client(stack);
  const values = Array.from({ length: 300 }, (_, i) => i + 1);
  const bytes = Buffer.concat(values.map((value) => alone.post(value)));
  assert.ok(bytes.length > 2 * 65536);
  assert.deepEqual(
    seen(await exchange(stack, [bytes], values.length)),
    values.map((value) => [200, value]),
  );

  // The committer is at work for others when a write is handed over.
  const clients = Array.from({ length: 50 }, () => client(stack));
  const results = await Promise.all(
    clients.map((c) => {
      const parts = values.slice(0, 20).flatMap((v) => [c.post(v), c.get()]);
      return exchange(stack, [Buffer.concat(parts)], parts.length);
    }),
  );
  for (const result of results)
    assert.deepEqual(
      seen(result),
      values.slice(0, 20).flatMap((value) => [
        [200, value],
        [200, value],
      ]),
    );
  await stack.stop();
});

test('a connection that is not to be kept ends with that answer', async () => {
  const { stack } = await startOne();
  const keep = false;
  let c = client(stack);
  let result = await exchange(
    stack,
    [Buffer.concat([c.post(1), c.post(2), c.post(3, { keep })])],
    3,
  );
  assert.deepEqual(seen(result), [1, 2, 3].map((value) => [200, value]));
  assert.ok(result.isClosed);

  // What is behind it was sent against the protocol: not served, nor stored.
  c = client(stack);
  result = await exchange(
    stack,
    [Buffer.concat([c.post(1), c.post(2, { keep }), c.post(3)])],
    3,
  );
  assert.deepEqual(seen(result), [1, 2].map((value) => [200, value]));
  assert.ok(result.isClosed);
  assert.equal(await stored(stack, c.tenant), 2);

  // A peer that has no more to say still hears the answers.
  c = client(stack);
  result = await exchange(stack, [Buffer.concat([c.post(1), c.post(2)])], 2, {
    ends: true,
  });
  assert.deepEqual(seen(result), [1, 2].map((value) => [200, value]));
  await stack.stop();
});

test('SIGTERM: all that has arrived is answered, and nothing waits longer', async () => {
  const { stack } = await startOne();
  const clients = Array.from({ length: 20 }, () => client(stack));
  let started;
  const results = await Promise.all(
    clients.map((c, i) => {
      const parts = Array.from({ length: 100 }, (_, n) => c.post(n + 1));
      return exchange(stack, [Buffer.concat(parts)], parts.length, {
        then: async (answers) => {
          while (answers().length < 1) await sleep(1);
          if (i > 0) return;
          started = performance.now();
          stack.service.kill('SIGTERM');
        },
      });
    }),
  );
  assert.deepEqual(await stack.service.ended, { code: 0, signal: null });
  const ms = performance.now() - started;
  assert.ok(ms < PATIENCE_MS, `it took ${ms} ms`);
  for (const result of results)
    assert.deepEqual(
      seen(result),
      Array.from({ length: 100 }, (_, n) => [200, n + 1]),
    );
  const events = stack.events().map(({ event }) => event);
  assert.ok(!events.includes('drain_incomplete'));
});

test('a peer that is always in the middle of a request is served on', async () => {
  const { stack } = await startOne();
  const c = client(stack);
  // Each part ends one request and begins the next, longer than one may take.
  const [first, second] = [c.get().subarray(0, 50), c.get().subarray(50)];
  const parts = [first];
  for (let ms = 0; ms < 12000; ms += 500)
    parts.push(Buffer.concat([second, first]), 500);
  parts.push(second);
  const count = parts.filter((part) => typeof part === 'number').length + 1;
  const { answers, isClosed } = await exchange(stack, parts, count);
  assert.equal(answers.length, count);
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(!isClosed);
  await stack.stop();
});
