// SPDX-License-Identifier: MIT
// SIGHUP and SIGTERM while thousands of requests are under way: through nginx
// no client sees a failed request when workers are replaced, and whatever was
// accepted before the end is answered.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Clients } from '../lib/clients.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { FcgiConnection, encode } from '../lib/fcgi.mjs';
import { builddir, find, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { random, seed, soak } from '../lib/seed.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const CLIENTS = 1500;
const key = 'on_hold_timer_duration';
const body = (value) => JSON.stringify({ value });
const { make, start } = factory();

/** Tenants with their tokens. */
function identities(stack, count) {
  return Array.from({ length: count }, () => {
    const tenant = stack.tenant();
    return { tenant, token: stack.token(tenant) };
  });
}

/** nginx for as many clients as there are. */
function edit(name, text) {
  if (name !== 'demo.conf.in') return text;
  assert.match(text, /worker_connections 1024;/);
  return text
    .replace('worker_connections 1024;', 'worker_connections 8192;')
    .replace('listen @LISTEN@;', 'listen @LISTEN@ backlog=4096;');
}

test('SIGHUP: no request through nginx fails', async (t) => {
  const r = random();
  const stack = await start({ options: { workers: 3 }, edit });
  const load = new Clients(
    stack.target,
    BASE + key,
    identities(stack, CLIENTS).map(({ token }, i) => ({
      token,
      writes: i % 2 === 0,
    })),
  );
  const replaced = new Set();
  try {
    await until('all clients are busy', () => load.served > CLIENTS);
    for (let round = 0; round < 10 * soak && load.failed === 0; round++) {
      const before = stack.service.children();
      for (const pid of before) replaced.add(pid);
      await until(
        'a thousand requests are in flight',
        () => load.inFlight >= 1000,
      );
      stack.service.kill('SIGHUP');
      await until('all workers are new', () => {
        const pids = stack.service.children();
        return pids.length === 3 && !pids.some((pid) => before.includes(pid));
      });
      await sleep(r() * 200);
    }
  } finally {
    await load.stop();
  }
  t.diagnostic(
    `SEED=${seed}: ${load.served} requests of ${CLIENTS} clients, ` +
      `${replaced.size} workers replaced`,
  );
  const errors = stack
    .log()
    .split('\n')
    .filter((line) => /\[(error|crit|alert)\]/.test(line));
  assert.equal(
    load.failed,
    0,
    [...load.failures, ...errors.slice(0, 10)].join('\n'),
  );
  assert.ok(replaced.size >= 30 * soak && load.served > 2 * CLIENTS);
  await stack.stop();
});

test('SIGTERM: every request in a socket is answered', async (t) => {
  const r = random(seed + 1);
  let served = 0;
  for (let round = 0; round < 2 * soak; round++) {
    const stack = await start({ options: { workers: 2 }, nginx: false });
    const all = await Promise.all(
      identities(stack, 2000).map(async ({ tenant, token }, i) => {
        const connection = await FcgiConnection.open(stack.fcgiSocket);
        // Some have been served before; the others may not even be accepted.
        if (i % 2 === 0)
          assert.equal(
            (await connection.send(stack.params('GET', key, { token }))).status,
            200,
          );
        return { connection, tenant, token, writes: r() < 0.5 };
      }),
    );
    const answers = all.map(({ connection, token, writes }) =>
      writes
        ? connection.send(
            stack.params('POST', key, { token, body: body(7) }),
            body(7),
          )
        : connection.send(stack.params('GET', key, { token })),
    );
    // From nothing sent to everything answered; what is answered is counted.
    await until('some are answered', async () => {
      const some = await Promise.race([
        Promise.all(answers.slice(0, Math.floor(r() * 400))),
        null,
      ]);
      return some !== null || round === 0;
    });
    stack.service.kill('SIGTERM');
    const settled = await Promise.allSettled(answers);
    const failed = settled.filter(({ status }) => status === 'rejected');
    assert.equal(
      failed.length,
      0,
      `${failed.length} of ${settled.length}: ${failed[0]?.reason}`,
    );
    for (const { value } of settled)
      assert.equal(value.status, 200, value.text);
    assert.deepEqual(await stack.service.ended, { code: 0, signal: null });
    served += settled.length;

    await stack.startService();
    for (const { tenant, writes } of all.slice(0, 200)) {
      const answer = await stack.direct(stack.params('GET', key, { tenant }));
      assertVersion(answer, writes ? 1 : 0);
    }
    await stack.stop();
  }
  t.diagnostic(`SEED=${seed}: ${served} requests`);
});

test('SIGTERM: requests that are still arriving are answered', async () => {
  const stack = await start({ options: { workers: 2 }, nginx: false });
  const open = await Promise.all(
    identities(stack, 60).map(async ({ token }) => {
      const connection = await FcgiConnection.open(stack.fcgiSocket);
      return {
        connection,
        bytes: encode(
          stack.params('POST', key, { token, body: body(3) }),
          body(3),
        ),
      };
    }),
  );
  const answers = open.map(
    ({ connection, bytes }, i) =>
      new Promise((resolve, reject) => {
        Object.assign(connection, { resolve, reject });
        // Nothing yet, a part of the first record, the parameters, all but a byte.
        const sent = [0, 5, 100, bytes.length - 1][i % 4];
        connection.socket.write(bytes.subarray(0, sent));
        connection.left = bytes.subarray(sent);
      }),
  );
  await sleep(100);
  stack.service.kill('SIGTERM');
  await sleep(300);
  for (const { connection } of open) connection.socket.write(connection.left);
  for (const answer of await Promise.all(answers))
    assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(await stack.service.ended, { code: 0, signal: null });
});

test('SIGTERM: writes that wait for a slow disk are answered', async () => {
  // Whoever holds the write lock keeps every commit waiting.
  const stack = await start({ options: { workers: 2 }, nginx: false });
  const [first, ...others] = stack.service.children();
  const answers = [];
  for (const { token } of identities(stack, 200)) {
    const connection = await FcgiConnection.open(stack.fcgiSocket);
    answers.push(
      connection.send(
        stack.params('POST', key, { token, body: body(9) }),
        body(9),
      ),
    );
  }
  process.kill(first, 'SIGSTOP');
  stack.service.kill('SIGTERM');
  await sleep(500);
  process.kill(first, 'SIGCONT');
  for (const answer of await Promise.all(answers))
    assert.equal(answer.status, 200, answer.text);
  assert.equal(others.length, 1);
  assert.deepEqual(await stack.service.ended, { code: 0, signal: null });
});

test('SIGTERM: who connects while a worker starts is answered', async () => {
  const stack = make({
    options: { listen: null, workers: null },
    // A new store is flushed before anything is served.
    env: {
      LD_PRELOAD: join(builddir, 't', 'lib', 'slow_flush.so'),
      SLOW_FLUSH_MS: '200',
      ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
    },
  });
  const [{ token }] = identities(stack, 1);
  stack.service = new Program(
    find('spawn-fcgi'),
    ['-n', '-s', stack.fcgiSocket, '--', service, ...stack.args()],
    { log: stack.logFile, env: stack.env },
  );
  await until('the store is being made', () => existsSync(stack.options.db));
  const connection = await FcgiConnection.open(stack.fcgiSocket);
  const answer = connection.send(stack.params('GET', key, { token }));
  stack.service.kill('SIGTERM');
  assert.ok(!stack.log().includes('worker_ready'), 'it had started already');
  assert.equal((await answer).status, 200);
  assert.deepEqual(await stack.service.ended, { code: 0, signal: null });
});

test('SIGTERM: a commit that does not end is given up', async () => {
  const stack = await start({ options: { workers: 1 }, nginx: false });
  const [{ token }] = identities(stack, 1);
  await stack.stopService();
  // Longer than anybody would wait; and nobody above it to kill it.
  stack.options.listen = stack.options.workers = null;
  stack.service = new Program(
    find('spawn-fcgi'),
    ['-n', '-s', stack.fcgiSocket, '--', service, ...stack.args()],
    {
      log: stack.logFile,
      env: {
        LD_PRELOAD: join(builddir, 't', 'lib', 'slow_flush.so'),
        SLOW_FLUSH_MS: '100000',
        ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
      },
    },
  );
  await until('the worker is ready', () =>
    stack
      .events()
      .some(
        ({ event, pid }) =>
          event === 'worker_ready' && pid === stack.service.pid,
      ),
  );
  const connection = await FcgiConnection.open(stack.fcgiSocket);
  const answer = connection.send(
    stack.params('POST', key, { token, body: body(9) }),
    body(9),
  );
  await sleep(300);
  const started = performance.now();
  stack.service.kill('SIGTERM');
  await assert.rejects(answer, /closed the connection/);
  assert.deepEqual(await stack.service.ended, { code: 1, signal: null });
  const seconds = (performance.now() - started) / 1000;
  assert.ok(seconds > 29 && seconds < 35, `it ended after ${seconds} s`);
  assert.ok(stack.events().some(({ event }) => event === 'commit_abandoned'));

  // The store is as after any crash.
  stack.options.listen = `unix:${stack.fcgiSocket}`;
  await stack.startService();
  const { json } = await stack.direct(stack.params('GET', key, { token }));
  assert.ok([0, 9].includes(json.value), `it is ${json.value}`);
  await stack.stop();
});

/** A supervisor of two workers, and how its renewal goes on after a SIGHUP. */
async function renewed(stack, before) {
  stack.service.kill('SIGHUP');
  const started = performance.now();
  await until(
    'all workers are new',
    () => {
      const pids = stack.service.children();
      return pids.length === 2 && !pids.some((pid) => before.includes(pid));
    },
    60,
  );
  return (performance.now() - started) / 1000;
}

test(
  'SIGHUP: a worker that hangs does not hold up the others',
  { concurrency: true },
  async (t) => {
    await Promise.all([
      t.test('one that never becomes ready', async () => {
        const stack = make({ options: { workers: 2 }, nginx: false });
        stack.program = join(stack.dir, 'program');
        copyFileSync(service, stack.program);
        await stack.startService();
        const before = stack.service.children();
        const hung = join(stack.dir, 'hung');
        writeFileSync(hung, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
        renameSync(hung, stack.program);
        stack.service.kill('SIGHUP');
        await until(
          'its predecessor stays',
          () => stack.events().some(({ event }) => event === 'renewal_failed'),
          60,
        );
        assert.deepEqual(stack.service.children(), before);
        copyFileSync(service, hung);
        renameSync(hung, stack.program);
        await renewed(stack, before);
        await stack.stop();
      }),
      t.test('one that never ends', async () => {
        const stack = await start({ options: { workers: 2 }, nginx: false });
        const before = stack.service.children();
        process.kill(before[0], 'SIGSTOP');
        const seconds = await renewed(stack, before);
        assert.ok(seconds > 39 && seconds < 50, `it took ${seconds} s`);
        await stack.stop();
      }),
    ]);
  },
);

test('SIGHUP twice: what was started before the second is replaced, too', async () => {
  const stack = await start({ options: { workers: 2 }, nginx: false });
  const [{ token }] = identities(stack, 1);
  // A request that does not end keeps a worker draining, and the renewal with it.
  const slow = await Promise.all(
    [1, 2, 3, 4].map(() => FcgiConnection.open(stack.fcgiSocket)),
  );
  const bytes = encode(stack.params('GET', key, { token }));
  for (const { socket } of slow) socket.write(bytes.subarray(0, 20));
  await sleep(100);
  const before = stack.service.children();
  stack.service.kill('SIGHUP');
  const between = await until('a new worker', () => {
    const pids = stack.service.children();
    return (
      pids.length > before.length && pids.filter((pid) => !before.includes(pid))
    );
  });
  await until('it is ready', () =>
    stack
      .events()
      .some(({ event, pid }) => event === 'worker_ready' && pid === between[0]),
  );
  stack.service.kill('SIGHUP');
  await sleep(100);
  for (const { socket } of slow) socket.write(bytes.subarray(20));
  await until('everybody from before the second SIGHUP is gone', () => {
    const pids = stack.service.children();
    return (
      pids.length === 2 &&
      ![...before, ...between].some((pid) => pids.includes(pid))
    );
  });
  for (const connection of slow) connection.close();
  assert.equal(
    (await stack.direct(stack.params('GET', key, { token }))).status,
    200,
  );
  await stack.stop();
});
