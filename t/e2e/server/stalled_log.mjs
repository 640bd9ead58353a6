// SPDX-License-Identifier: MIT
// Nobody reads the log, or late: requests, commits and signals do not wait.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { orderconf } from '../lib/admin.mjs';
import { admin, cleanEnv, find, service } from '../lib/paths.mjs';
import { Program, until, within } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const { make } = factory();

/** A FIFO that is full until it is read. */
class Sink {
  constructor(dir) {
    this.path = join(dir, `sink-${Math.random()}`);
    execFileSync('mkfifo', [this.path]);
    this.fd = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
    this.text = '';
  }

  fill() {
    try {
      for (;;) writeSync(this.fd, `${'.'.repeat(1023)}\n`);
    } catch (error) {
      assert.equal(error.code, 'EAGAIN');
    }
  }

  /** All that has come, of which what filled it is no part. */
  read() {
    const bytes = Buffer.alloc(65536);
    try {
      for (let n; (n = readSync(this.fd, bytes)) > 0; )
        this.text += bytes.toString('latin1', 0, n);
    } catch (error) {
      assert.equal(error.code, 'EAGAIN');
    }
    return this.text.replace(/^\.+\n/gm, '');
  }

  events() {
    const lines = this.read().split('\n').slice(0, -1);
    return lines
      .filter((line) => line !== 'ready')
      .map((line) => JSON.parse(line));
  }

  close() {
    closeSync(this.fd);
  }
}

/** Starts it with both outputs in the sink. */
function startProgram(path, args, sink) {
  const program = new Program(path, args, { log: sink.path });
  program.log = () => sink.read(); // as a file, it would never end
  return program;
}

/** A service whose log is a FIFO. */
async function startStalled(options = {}) {
  const stack = make({ options: { workers: 1, ...options } });
  const sink = new Sink(stack.dir);
  sink.fill();
  stack.service = startProgram(service, stack.args(), sink);
  await until('the service answers', () => stack.answers());
  return { stack, sink };
}

/** So many requests, each of which is a line of the log. */
async function refuse(stack, count) {
  const params = {
    ...stack.params('GET', key, { token: 'a.b.c' }),
    REQUEST_ID: 'r'.repeat(128),
  };
  for (let at = 0; at < count; at += 16)
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        const answer = await within(5, stack.direct(params));
        assert.equal(answer?.status, 401, `no answer after ${at}`);
      }),
    );
}

const post = (stack, tenant, value) => {
  const body = JSON.stringify({ value });
  return within(
    5,
    stack.direct(stack.params('POST', key, { tenant, body }), body),
  );
};

/** The metric, as a worker tells it. */
const dropped = async (stack) => {
  const { text } = await stack.direct({
    ...stack.params('GET', key),
    PATH_INFO: '/metrics',
    ORDERCONF_OPERATOR: '1',
  });
  return Number(text.match(/^orderconf_log_dropped_total (\d+)$/m)?.[1]);
};

test('requests are answered and writes stored, and the lines that are lost are counted', async () => {
  const { stack, sink } = await startStalled();
  const tenant = stack.tenant();
  await refuse(stack, 6400);
  for (let value = 1; value <= 20; value++)
    assert.equal((await post(stack, tenant, value))?.status, 200);
  const count = await dropped(stack);
  assert.ok(count > 0, 'the queue is larger than this test believes');

  // Whoever reads again is told what is missing, in one line.
  const notes = () =>
    sink.events().filter(({ event }) => event === 'log_dropped');
  await until('the loss is told', () => notes().length > 0);
  assert.deepEqual(
    notes().map(({ level, pid, lines }) => ({ level, pid, lines })),
    [{ level: 'warning', pid: stack.service.children()[0], lines: count }],
  );
  const before = sink.events().length;
  assert.equal((await post(stack, tenant, 21))?.status, 200);
  const after = await until('the next line', () => {
    const events = sink.events();
    return events.length > before && events;
  });
  const last = after.at(-1);
  assert.deepEqual([last.event, last.version], ['stored', 21]);
  const kept = after.filter(({ event }) =>
    ['refused', 'stored'].includes(event),
  );
  assert.equal(kept.length + count, 6400 + 21);
  await stack.stopService();
  sink.close();
});

function isThere(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('SIGHUP and SIGTERM do not wait either', async () => {
  const { stack, sink } = await startStalled({ workers: 2 });
  await refuse(stack, 640);
  const before = stack.service.children();
  stack.service.kill('SIGHUP');
  await until('the workers are replaced', () => {
    const now = stack.service.children();
    return now.length === 2 && !now.some((pid) => before.includes(pid));
  });
  assert.equal((await post(stack, stack.tenant(), 1))?.status, 200);
  const [worker] = stack.service.children();
  process.kill(worker, 'SIGABRT'); // its last line has no more than a second
  await until('the dead one is replaced', () => {
    const now = stack.service.children();
    return now.length === 2 && !now.includes(worker);
  });
  const start = Date.now();
  const end = await stack.service.stop('SIGTERM');
  assert.deepEqual(end, { code: 0, signal: null });
  assert.ok(Date.now() - start < 8000, `${Date.now() - start} ms`);
  sink.close();
});

test('the process that writes for the supervisor is replaced, and leaves with it', async () => {
  const stack = make({ options: { workers: 1 } });
  await stack.startService();
  const { pid } = stack.service;
  const [writer] = stack.service.logWriters();
  assert.equal(stack.service.logWriters().length, 1);
  await sleep(1100);
  process.kill(writer, 'SIGKILL');
  await until('another one writes', () =>
    stack.events().some(({ event }) => event === 'log_writer_ended'),
  );
  const [heir] = stack.service.logWriters();
  assert.notEqual(heir, writer);
  // Signals to a whole group are not for it: lines come until the end.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
    process.kill(heir, signal);
  await sleep(100);
  assert.deepEqual(stack.service.logWriters(), [heir]);
  stack.service.kill('SIGKILL');
  await stack.service.ended;
  await until('it is gone', () => !isThere(heir));
  assert.ok(stack.events().every((event) => event.pid !== heir));
  assert.ok(
    stack
      .events()
      .some((event) => event.event === 'ready' && event.pid === pid),
  );
});

test('it leaves also if it cannot write', async () => {
  const { stack, sink } = await startStalled();
  const [writer] = await until('it is there', () => {
    const writers = stack.service.logWriters();
    return writers.length > 0 && writers;
  });
  stack.service.kill('SIGKILL');
  await stack.service.ended;
  await until('it is gone', () => !isThere(writer), 5);
  sink.close();
});

test('a worker of spawn-fcgi starts, answers and ends', async () => {
  const stack = make({ options: { listen: null, workers: null } });
  const tenant = stack.tenant();
  const sink = new Sink(stack.dir);
  sink.fill();
  stack.service = startProgram(
    find('spawn-fcgi'),
    ['-n', '-s', stack.fcgiSocket, '--', service, ...stack.args()],
    sink,
  );
  await until('the service answers', () => stack.answers());
  assert.equal((await post(stack, tenant, 1))?.status, 200);
  const end = await stack.service.stop('SIGTERM', 8);
  assert.deepEqual(end, { code: 0, signal: null });
  sink.close();
});

test('one that is set up wrongly does not stay to say so', async () => {
  const { dir } = make();
  const sink = new Sink(dir);
  sink.fill();
  const program = startProgram(service, ['--nonsense'], sink);
  const end = await within(5, program.ended);
  program.killAll();
  assert.deepEqual(end, { code: 2, signal: null });
  sink.close();
});

test('a CGI run answers, and ends within seconds', async () => {
  const stack = make();
  const tenant = stack.tenant();
  const sink = new Sink(stack.dir);
  sink.fill();
  const fd = openSync(sink.path, 'w');
  const body = '{"value":3}';
  const child = spawn(
    service,
    ['db', 'issuer', 'jwks'].map((name) => `--${name}=${stack.options[name]}`),
    {
      env: cleanEnv(stack.params('POST', key, { tenant, body })),
      stdio: ['pipe', 'pipe', fd],
    },
  );
  closeSync(fd);
  after(() => child.kill('SIGKILL'));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const start = Date.now();
  let text = '';
  child.stdin.end(body);
  child.stdout.on('data', (chunk) => (text += chunk));
  const answered = new Promise((resolve) => child.stdout.on('end', resolve));
  await within(5, answered);
  assert.match(text, /^Status: 200 /);
  assert.equal(await within(5, ended), 0);
  assert.ok(Date.now() - start < 5000);
  sink.close();
});

/** The admin command with both outputs in a FIFO. */
function startAdmin(args, sink, env) {
  const fd = openSync(sink.path, 'w');
  const child = spawn(admin, args, {
    env: cleanEnv(env),
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  after(() => child.kill('SIGKILL'));
  child.ended = new Promise((resolve) =>
    child.on('exit', (code, signal) => resolve({ code, signal })),
  );
  return child;
}

const WRONG = 3000;

/** A file of lines that are all wrong: [directory, its path]. */
function wrongLines() {
  const { dir } = make();
  const path = join(dir, 'wrong');
  writeFileSync(path, '{"tenant":"t","value":1}\n'.repeat(WRONG));
  return [dir, path];
}

test('the command waits for whoever reads what it says, and loses nothing', async () => {
  const [dir, path] = wrongLines();
  const sink = new Sink(dir);
  const child = startAdmin(['import', path], sink, {
    ORDERCONF_DB: join(dir, 'db'),
  });
  await sleep(1000);
  assert.equal(child.exitCode, null);
  let end;
  child.ended.then((how) => (end = how));
  await until('it ends', () => {
    sink.read();
    return end;
  });
  assert.deepEqual(end, { code: 1, signal: null });
  const lines = sink.read().split('\n').slice(0, -1);
  assert.equal(lines.length, WRONG);
  for (const [i, line] of lines.entries())
    assert.match(line, new RegExp(`^orderconf import: .*:${i + 1}: `));
  sink.close();
});

test('SIGINT and SIGTERM end a command that waits for its reader', async () => {
  const [dir, path] = wrongLines();
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const sink = new Sink(dir);
    const child = startAdmin(['import', path], sink, {
      ORDERCONF_DB: join(dir, 'db'),
    });
    await sleep(500);
    child.kill(signal);
    // It would say how far it got, if there were somebody to read it.
    assert.deepEqual(await within(5, child.ended), { code: 1, signal: null });
    sink.close();
  }
});

test('so they do where it clears away what it has begun', async () => {
  const { dir } = make();
  const db = join(dir, 'db');
  mkdirSync(db);
  const env = { ORDERCONF_DB: db };
  const input = '{"tenant":"t","key":"on_hold_timer_duration","value":1}\n';
  assert.equal(orderconf(['import'], { env, input }).status, 0);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const sink = new Sink(dir);
    sink.fill();
    const child = startAdmin(['backup', join(dir, signal)], sink, env);
    await sleep(1000); // it has nothing left to do but to say so
    child.kill(signal);
    assert.deepEqual(await within(8, child.ended), { code: 1, signal: null });
    sink.close();
  }
});
