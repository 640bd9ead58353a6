// SPDX-License-Identifier: MIT
// Both programs while memory is refused, to them and to their libraries: one
// allocation after the other, and all from one on. What comes of it is right,
// or an error that says so, or the process is gone; the store is whole.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adminOf, makeStore, orderconf } from '../lib/admin.mjs';
import { runCgi } from '../lib/cgi.mjs';
import { parseCgi } from '../lib/fcgi.mjs';
import { builddir, cleanEnv, service } from '../lib/paths.mjs';
import { until, within } from '../lib/process.mjs';
import { Stack } from '../lib/stack.mjs';

// A sanitizer has a malloc of its own; t/unit/server/no_memory.c knows another way.
if (/__[at]san_init/.test(readFileSync(service, 'latin1'))) {
  console.log('1..0 # SKIP built with a sanitizer');
  process.exit(0);
}

const library = join(builddir, 't', 'lib', 'refuse_memory.so');
const key = 'external_order_webhook';
const stack = new Stack();
const store = adminOf(stack.options.db);
const mark = join(stack.dir, 'refused');
after(() => stack.kill());
makeStore(stack.options.db);

const valueOf = (i) => ({
  url: `https://hooks.example.com/orderconf/${i}`,
  api_key: `secret-${i}`,
  timeout: 15,
});

/** The environment of a program whose allocation n fails, or all from then. */
const refusing = (n, isLasting, more = {}) => ({
  LD_PRELOAD: library,
  REFUSE_MEMORY: String(n),
  REFUSE_MEMORY_MARK: mark,
  ...(isLasting ? { REFUSE_MEMORY_LASTING: '1' } : {}),
  ...more,
});

/**
 * Calls trial(n, isLasting) for n = first, first + step … until none is
 * refused, and gives that n; without isLasting, for both.
 */
async function forEach({ step, first = 0, isLasting }, trial) {
  if (isLasting === undefined) {
    await forEach({ step, first, isLasting: true }, trial);
    return forEach({ step, first, isLasting: false }, trial);
  }
  for (let n = first; ; n += step) {
    rmSync(mark, { force: true });
    await trial(n, isLasting);
    if (!existsSync(mark)) return n;
  }
}

/** What is stored now: {value, version, author}. */
function stored(tenant) {
  const args = ['--tenant', tenant, '--limit', 1, '--reveal'];
  const [newest] = store.lines('history', key, ...args);
  const { value, version, updated_by: author } = newest;
  return { value, version, author };
}

/** The store has the new value in a version of its own, or what it had. */
function assertWhole(tenant, before, value, text) {
  const now = stored(tenant);
  const isNew = now.version !== before.version;
  assert.deepEqual(now.value, isNew ? value : before.value, text);
  assert.equal(now.version, before.version + (isNew ? 1 : 0), text);
  return { ...now, isNew };
}

/** Each outcome was seen, and not by chance. */
const assertAll = (counts) =>
  assert.ok(
    Object.values(counts).every((count) => count > 5),
    JSON.stringify(counts),
  );

let number = 0;

const sets = []; // what came of each: {n, status, stderr, isNew}

test('orderconf set stores what it was given, or nothing', async () => {
  const tenant = stack.tenant();
  const args = ['set', key, '--tenant', tenant, '--subject', 'ada'];
  store.run([...args, JSON.stringify(valueOf('first'))]);
  let before = stored(tenant);
  await forEach({ step: 1 }, (n, isLasting) => {
    const value = valueOf(++number);
    const { status, stderr } = store.run([...args, JSON.stringify(value)], {
      env: refusing(n, isLasting),
    });
    const { isNew, ...now } = assertWhole(tenant, before, value, `n ${n}`);
    before = now;
    sets.push({ n, status, stderr, isNew });
  });
});

test('and says which', () => {
  const counts = { done: 0, said: 0, ended: 0 };
  for (const { n, status, stderr, isNew } of sets) {
    const text = `n ${n}, exit ${status}: ${stderr}`;
    if (status === 0) {
      assert.ok(isNew, text);
      counts.done++;
    } else {
      assert.equal(status, 1, text);
      assert.match(stderr, /^orderconf set: .*memory/, text);
      if (/: out of memory: \d+ bytes were refused$/.test(stderr))
        counts.ended++;
      else counts.said++;
    }
  }
  assertAll(counts);
});

// To look the user up is glibc's, which does not survive all of this.
test('and under no other name than the usual one', () => {
  const tenant = stack.tenant();
  const args = ['set', key, '--tenant', tenant];
  store.run([...args, JSON.stringify(valueOf('first'))]);
  let before = stored(tenant);
  const usual = before.author;
  for (let n = 0; n < 40; n++) {
    const value = valueOf(++number);
    const { status } = store.run([...args, JSON.stringify(value)], {
      env: refusing(n, false),
    });
    const { isNew, ...now } = assertWhole(tenant, before, value, `n ${n}`);
    before = now;
    assert.equal(now.author, usual, `n ${n}`);
    assert.equal(isNew, status === 0, `n ${n}`);
  }
});

test('what reads prints all, or says so; no file is left half made', async () => {
  const dir = join(stack.dir, 'out');
  const file = join(dir, 'file');
  const exported = join(stack.dir, 'exported');
  assert.equal(store.run(['export', '--output', exported]).status, 0);
  const commands = [
    ['list', '--tenant', 't1', '--json'],
    ['stat', '--json'],
    ['check', '--json'],
    ['diff', exported],
    ['export', '--reveal', '--output', file],
    ['backup', file],
  ];
  for (const command of commands) {
    const clean = () => {
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(dir);
    };
    clean();
    const expected = store.run(command);
    assert.equal(expected.status, 0, expected.stderr);
    const step = command[0] === 'backup' ? 11 : 1;
    await forEach({ step }, (n, isLasting) => {
      clean();
      const { status, stdout, stderr } = store.run(command, {
        env: refusing(n, isLasting),
      });
      const text = `${command[0]}, n ${n}, exit ${status}: ${stderr}`;
      if (status === 0) {
        assert.equal(stdout, expected.stdout, text);
      } else {
        assert.equal(status, command[0] === 'diff' ? 2 : 1, text);
        assert.match(stderr, /memory/i, text);
      }
      assert.ok(['', 'file'].includes(readdirSync(dir).join()), text);
    });
  }
});

test('a token that is printed is signed', async () => {
  const file = join(stack.dir, 'private.json');
  const keys = join(stack.keys, 'signed.json');
  assert.equal(orderconf(['keygen', '--key', file, '--jwks', keys]).status, 0);
  const args = ['token', '--key', file, '--tenant', 'signed'];
  args.push('--issuer', stack.options.issuer);
  await forEach({ step: 211 }, async (n, isLasting) => {
    const { status, stdout, stderr } = orderconf(args, {
      env: refusing(n, isLasting),
    });
    const text = `n ${n}, exit ${status}: ${stderr}`;
    if (status !== 0) {
      assert.deepEqual([status, stdout], [1, ''], text);
      assert.match(stderr, /memory/, text);
      return;
    }
    const params = stack.params('GET', key, { token: stdout.trim() });
    const answer = await runCgi(stack, params);
    assert.match(answer.stdout, /^Status: 404/, text); // not 401
  });
});

/** The answer of a CGI run, or null if it ended without one. */
function answerOf(result, text) {
  const isGone = result.signal !== null;
  if (isGone) {
    assert.equal(result.signal, 'SIGABRT', text);
    const lines = result.stderr.trim().split('\n').map(JSON.parse);
    const { time, level, event, pid, bytes, ...rest } = lines.at(-1);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual([level, event, rest], ['error', 'out_of_memory', {}]);
    assert.ok(pid > 0 && bytes > 0);
  } else {
    assert.equal(result.code, 0, text);
  }
  return isGone && result.stdout === ''
    ? null
    : parseCgi(Buffer.from(result.stdout));
}

for (const method of ['GET', 'POST'])
  test(`${method} by CGI: an answer that is right, or none`, async () => {
    const tenant = stack.tenant();
    const first = JSON.stringify(valueOf('first'));
    store.run(['set', key, '--tenant', tenant, first]);
    let before = stored(tenant);
    const counts = { right: 0, honest: 0, gone: 0 };
    const trial = async (n, isLasting) => {
      const value = valueOf(++number);
      const body = method === 'POST' ? JSON.stringify({ value }) : '';
      const result = await runCgi(
        stack,
        stack.params(method, key, { tenant, body }),
        body,
        { env: refusing(n, isLasting) },
      );
      const text = `n ${n}: ${result.stdout}\n${result.stderr}`;
      const answer = answerOf(result, text);
      const { isNew, ...now } = assertWhole(tenant, before, value, text);
      before = now;
      if (answer === null) {
        counts.gone++;
      } else if (answer.status === 200) {
        assert.deepEqual(answer.json.value, now.value, text);
        assert.equal(isNew, method === 'POST', text);
        counts.right++;
      } else {
        assert.ok([500, 503].includes(answer.status), text);
        assert.equal(answer.json.status, answer.status, text);
        counts.honest++;
      }
    };
    // A run is 5,000 allocations, most of them OpenSSL's start: a few of all,
    // and each of the first and of the last ones, where our own are.
    for (let n = 0; n < 40; n++) await trial(n, false);
    const total = await forEach({ step: 149 }, trial);
    await forEach({ step: 1, first: total - 250, isLasting: false }, trial);
    assertAll(counts);
  });

// The first allocations of a request are our own, then libfcgi's, then those of
// Jansson and OpenSSL.
for (const [n, why] of [
  [15, 'assertion_failed'],
  [60, 'out_of_memory'],
])
  test(`a worker is replaced, and the log says why: ${why}`, async () => {
    stack.env = refusing(n, false, { REFUSE_MEMORY_SIGNAL: '1' });
    stack.options.workers = 1;
    const { dev, ino } = fstatSync(openSync(stack.logFile, 'a'));
    stack.env.JOURNAL_STREAM = `${dev}:${ino}`;
    await stack.startService();
    const tenant = stack.tenant();
    const post = (i) => {
      const body = JSON.stringify({ value: valueOf(i) });
      return stack.direct(stack.params('POST', key, { tenant, body }), body);
    };
    assert.equal((await post('old')).status, 200);
    const [worker] = stack.service.children();
    process.kill(worker, 'SIGUSR2');
    await assert.rejects(post('lost'));
    const find = (name, pid) =>
      stack
        .events()
        .find((event) => event.event === name && event[pid] === worker);
    await until('it has ended', () => find('worker_ended', 'worker'));
    assert.equal(find('worker_ended', 'worker').signal, 6);
    const { bytes, file } = find(why, 'pid');
    assert.ok(bytes > 0 || file === 'fcgiapp.c', `${bytes}, ${file}`);
    const line = new RegExp(`^<3>\\{"time".*"event":"${why}"`, 'm');
    assert.match(stack.log(), line);
    await until('there is another one', () => {
      const [next] = stack.service.children();
      return next && next !== worker;
    });
    assert.deepEqual(stored(tenant).value, valueOf('old'));
    assert.equal((await post('new')).status, 200);
    await stack.service.stop();
  });

test('a log that nobody reads keeps no process', async () => {
  const path = join(stack.dir, 'fifo');
  execFileSync('mkfifo', [path]);
  const full = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  assert.throws(() => {
    for (;;) writeSync(full, 'x'.repeat(4096));
  }, /EAGAIN/);
  const fd = openSync(path, 'w');
  const child = spawn(
    service,
    ['db', 'issuer', 'jwks'].map((name) => `--${name}=${stack.options[name]}`),
    {
      env: cleanEnv({
        ...stack.params('GET', key, { tenant: stack.tenant() }),
        ...refusing(200, false),
      }),
      stdio: ['ignore', 'pipe', fd],
    },
  );
  const ended = new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const end = await within(5, ended);
  child.kill('SIGKILL');
  closeSync(fd);
  closeSync(full);
  assert.deepEqual(end, { code: null, signal: 'SIGABRT' });
});
