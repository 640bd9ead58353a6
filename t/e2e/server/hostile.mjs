// SPDX-License-Identifier: MIT
// Peers that stall, abort, send nonsense and come in thousands: meanwhile a good
// client is answered in time, and at the end the workers are the same and hold
// no more memory than they should.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertVersion, versionOf } from '../lib/etag.mjs';
import { FcgiConnection, fcgiRequest } from '../lib/fcgi.mjs';
import { act } from '../lib/hostile.mjs';
import { builddir, find, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { random, seed, soak } from '../lib/seed.mjs';
import { factory } from '../lib/stack.mjs';

const timer = 'on_hold_timer_duration';
const webhook = 'external_order_webhook';
const WORKERS = 2;

/** No answer to a good client may take longer, whatever others do. Stalled
 * peers are hung up on after 10 s: were anybody waiting for them, it would show. */
const PATIENCE_MS = 3000;

/** Memory: a sanitizer keeps what is freed. */
const isSanitized = readFileSync(service).includes('__asan_init');
const GROWTH_MAX = 48 * 1024; // KiB for ten thousand connections and all the rest

const limit = execFileSync('sh', ['-c', 'ulimit -Hn'], {
  encoding: 'utf8',
}).trim();
const descriptors = limit === 'unlimited' ? Infinity : Number(limit);
const CONNECTIONS = Math.min(10000, Math.floor(descriptors * 0.9) - 500);

const { make, start } = factory();
const stack = await start({ options: { workers: WORKERS }, nginx: false });
const workers = stack.service.children();
const { fcgiSocket: socketPath } = stack;

/** Of a process, in KiB. */
function residentOf(pid) {
  return Number(
    /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1],
  );
}

function memory() {
  return Math.max(...workers.map(residentOf));
}

function identity() {
  const tenant = stack.tenant();
  return { tenant, token: stack.token(tenant) };
}

function post(key, value, { token } = identity()) {
  const body = JSON.stringify({ value });
  return { params: stack.params('POST', key, { token, body }), body };
}

/** Reads and writes, on a connection of its own and on new ones, until done. */
async function goodClient(done) {
  const { token } = identity();
  const times = [];
  let working = true;
  done.then(
    () => {
      working = false;
    },
    () => {
      working = false;
    },
  );
  const connection = await FcgiConnection.open(socketPath);
  for (let n = 1; working; n++) {
    const { params, body } = post(timer, n, { token });
    for (const send of [
      () => connection.send(params, body),
      () => connection.send(stack.params('GET', timer, { token })),
      () => fcgiRequest(socketPath, stack.params('GET', timer, { token })),
    ]) {
      const started = performance.now();
      const answer = await send();
      times.push(performance.now() - started);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.value, n);
      assertVersion(answer, n);
    }
    await sleep(2);
  }
  connection.close();
  return times.sort((a, b) => a - b);
}

/** The act's result, and what it did to the others. */
async function endure(t, name, options) {
  const before = memory();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, memory());
  }, 50);
  const going = act(name, { socketPath, seed, ...options });
  try {
    const [result, times] = await Promise.all([going, goodClient(going)]);
    assert.deepEqual(stack.service.children(), workers, 'a worker died');
    assert.ok(times.length > 0);
    t.diagnostic(
      `${name}: a good client's ${times.length} requests: median ` +
        `${times[times.length >> 1].toFixed(1)} ms, at most ${times.at(-1).toFixed(0)} ms; ` +
        `a worker's memory: ${before} KiB, then at most ${peak} KiB`,
    );
    assert.ok(
      times.at(-1) < PATIENCE_MS,
      `a good client waited ${times.at(-1)} ms`,
    );
    if (!isSanitized)
      assert.ok(
        peak - before < GROWTH_MAX,
        `grew from ${before} to ${peak} KiB`,
      );
    return result;
  } finally {
    clearInterval(watch);
  }
}

test('ten thousand connections that say nothing', async (t) => {
  const { connected, kept } = await endure(t, 'idle', {
    count: CONNECTIONS,
    seconds: 1,
  });
  assert.equal(connected, CONNECTIONS);
  assert.equal(kept, CONNECTIONS);
});

test('peers that stall: within a request, or reading no answer', async (t) => {
  const owner = identity();
  const set = post(
    webhook,
    { url: 'https://example.com/', api_key: 'k'.repeat(60000) },
    owner,
  );
  assert.equal((await stack.direct(set.params, set.body)).status, 200);
  const reads = Array.from({ length: 50 }, () => ({
    params: stack.params('GET', webhook, { token: owner.token }),
  }));
  const [{ first, last, answered, late }, { open }] = await Promise.all([
    endure(t, 'half', {
      count: Math.min(3000, CONNECTIONS),
      requests: [
        post(timer, 1),
        { params: stack.params('GET', timer, identity()) },
      ],
    }),
    endure(t, 'greedy', { requests: reads, count: 40, seconds: 15 }),
  ]);
  // The next part of a request has 10 s, and not for ever; and so has an answer.
  assert.ok(first > 9 && last < 15, `hung up after ${first} to ${last} s`);
  // Whoever has begun a request is told so.
  assert.equal(answered, late);
  assert.ok(late > Math.min(3000, CONNECTIONS) * 0.9, `${late} were told`);
  assert.equal(open, 0, 'a connection whose peer does not read was kept');
});

test('a body one byte at a time', async (t) => {
  const requests = Array.from({ length: 10 }, (_, i) =>
    post(webhook, {
      url: 'https://example.com/',
      api_key: 'k'.repeat(i === 0 ? 20000 : 2000),
    }),
  );
  const statuses = await endure(t, 'bytewise', { requests });
  assert.deepEqual(
    statuses,
    requests.map(() => 200),
  );
});

test('records of odd sizes', async (t) => {
  const requests = Array.from({ length: 200 * soak }, (_, i) =>
    i % 2 === 0
      ? post(webhook, {
          url: 'https://example.com/',
          api_key: 'k'.repeat(1 + ((i * 7) % 5000)),
        })
      : { params: stack.params('GET', timer, identity()) },
  );
  const statuses = await endure(t, 'odd', { requests });
  assert.deepEqual(
    statuses,
    requests.map(() => 200),
    `SEED=${seed}`,
  );
});

test('what is no FastCGI', async (t) => {
  const { open, served } = await endure(t, 'garbage', { count: 1100 * soak });
  assert.equal(open, 0, 'a connection was not closed');
  assert.equal(served, 0);
});

test('clients that abort in mid-write', async (t) => {
  const owners = Array.from({ length: 600 * soak }, identity);
  await endure(t, 'abort', {
    requests: owners.map((owner) => post(timer, 5, owner)),
  });
  // Each was stored whole or not at all; what was never sent whole, not at all.
  let stored = 0;
  const connection = await FcgiConnection.open(socketPath);
  for (const [i, { token }] of owners.entries()) {
    const answer = await connection.send(stack.params('GET', timer, { token }));
    assert.equal(answer.status, 200);
    const isStored = versionOf(answer) === 1;
    assert.equal(answer.json.value, isStored ? 5 : 0);
    if ((i % 100) % 3 === 2)
      assert.ok(!isStored, 'a request without its end was served');
    if ((i % 100) % 3 === 1)
      assert.ok(isStored, 'an abort behind a request undid its write');
    stored += isStored;
    const again = post(timer, 6, { token });
    assertVersion(
      await connection.send(again.params, again.body),
      isStored ? 2 : 1,
    );
  }
  connection.close();
  t.diagnostic(`${stored} of ${owners.length} were stored`);
});

test('bodies of many megabytes', async (t) => {
  const { params } = post(timer, 1);
  delete params.CONTENT_LENGTH; // whatever the front end said
  const statuses = await endure(t, 'huge', {
    request: { params },
    megabytes: 20,
    count: 5,
  });
  assert.deepEqual(statuses, [413, 413, 413, 413, 413]);
});

test(
  'memory does not grow from one time to the next',
  { skip: isSanitized && 'sanitizer' },
  async (t) => {
    const r = random();
    const once = async () => {
      await act('garbage', {
        socketPath,
        seed: Math.floor(r() * 1e9),
        count: 330,
      });
      await act('abort', {
        socketPath,
        seed,
        requests: Array.from({ length: 99 }, () => post(timer, 5)),
      });
      await act('idle', { socketPath, count: 1000, seconds: 0 });
      return memory();
    };
    const first = await once();
    let last;
    for (let i = 0; i < 3 * soak; i++) last = await once();
    t.diagnostic(`a worker's memory: ${first} KiB, at the end ${last} KiB`);
    // Tenants with their keys and tokens are remembered, and those are bounded.
    assert.ok(last - first < 4096, `grew from ${first} to ${last} KiB`);
  },
);

test('the workers are the same, and say nothing bad', async () => {
  assert.deepEqual(stack.service.children(), workers);
  const bad = stack
    .events()
    .filter(
      ({ event, level }) =>
        event === 'worker_ended' || ['error', 'warning'].includes(level),
    );
  assert.deepEqual(bad, []);
  await stack.stop();
});

/** A service of one worker on its own: {small, pid, token}. */
async function startSmall(by = []) {
  const small = make({ options: { workers: 1 } });
  const [program, ...args] = [...by, service, ...small.args()];
  small.service = new Program(program, args, { log: small.logFile });
  await until('it is ready', () => /"event":"ready"/.test(small.log()));
  return {
    small,
    pid: small.service.children()[0],
    token: small.token(small.tenant()),
  };
}

test(
  'a thousand writes that wait take little more than idle connections',
  { skip: isSanitized && 'sanitizer' },
  async (t) => {
    const count = 1000;
    const slow = make({
      options: { workers: null, listen: null },
      env: {
        LD_PRELOAD: join(builddir, 't', 'lib', 'slow_flush.so'),
        SLOW_FLUSH_MS: '4000',
      },
    });
    slow.service = new Program(
      find('spawn-fcgi'),
      ['-n', '-s', slow.fcgiSocket, '--', service, ...slow.args()],
      { log: slow.logFile, env: slow.env },
    );
    await until(
      'it is ready',
      () => /"event":"worker_ready"/.test(slow.log()),
      60,
    );
    const token = slow.token(slow.tenant());
    const connections = await Promise.all(
      Array.from({ length: count }, () => FcgiConnection.open(slow.fcgiSocket)),
    );
    const ask = (method, body) =>
      connections.map((connection) =>
        connection.send(slow.params(method, timer, { token, body }), body),
      );
    await Promise.all(ask('GET'));
    const idle = residentOf(slow.service.pid);
    const answers = ask('POST', '{"value":5}');
    await sleep(1500);
    const each = (residentOf(slow.service.pid) - idle) / count;
    t.diagnostic(`${each.toFixed(1)} KiB for each`);
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), [200, 409]);
    assert.ok(each < 24, `${each} KiB for each`);
    for (const connection of connections) connection.close();
    await slow.stopService();
  },
);

test('few descriptors: idle connections make room, and no request lacks one', async () => {
  const { small, pid, token } = await startSmall(['prlimit', '--nofile=64:64']);
  const idle = await Promise.all(
    Array.from({ length: 300 }, () => FcgiConnection.open(small.fcgiSocket)),
  );
  for (let i = 0; i < 20; i++) {
    const answer = await small.direct(small.params('GET', timer, { token }));
    assert.equal(answer.status, 200, answer.text);
  }
  for (const connection of idle) connection.close();

  // More requests at once than there is room for connections: each is answered,
  // whatever has to be closed for the next one, and also in the last moment.
  for (const signal of ['SIGCONT', 'SIGTERM']) {
    process.kill(pid, 'SIGSTOP');
    const peers = await Promise.all(
      Array.from({ length: 200 }, () => FcgiConnection.open(small.fcgiSocket)),
    );
    const answers = peers.map((peer) =>
      peer.send(small.params('GET', timer, { token })),
    );
    await sleep(50);
    small.service.kill(signal);
    process.kill(pid, 'SIGCONT');
    for (const answer of await Promise.all(answers))
      assert.equal(answer.status, 200);
    for (const peer of peers) peer.close();
  }
  assert.deepEqual(await small.service.ended, { code: 0, signal: null });
});

test('no descriptors: the worker waits without spinning, and goes on', async (t) => {
  const { small, pid, token } = await startSmall();
  execFileSync('prlimit', [`--pid=${pid}`, '--nofile=32:']);
  // Each is in the middle of a request when it is accepted: none can be asked
  // to go.
  process.kill(pid, 'SIGSTOP');
  const peers = await Promise.all(
    Array.from({ length: 100 }, () => FcgiConnection.open(small.fcgiSocket)),
  );
  for (const { socket } of peers) socket.write(Buffer.from([1, 1, 0]));
  await sleep(50);
  process.kill(pid, 'SIGCONT');
  await sleep(300);
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .split(') ')[1]
      .split(' ');
    return Number(fields[11]) + Number(fields[12]); // of 10 ms, in user and system
  };
  const before = ticks();
  await sleep(2000);
  const used = (ticks() - before) / 200;
  t.diagnostic(`${(used * 100).toFixed(0)}% of a core`);
  assert.ok(used < 0.1, `${used} of a core for nothing`);
  for (const connection of peers) connection.close();
  execFileSync('prlimit', [`--pid=${pid}`, '--nofile=64:']);
  assert.equal(
    (await small.direct(small.params('GET', timer, { token }))).status,
    200,
  );
  assert.deepEqual(small.service.children(), [pid]);
  await small.stop();
});
