// SPDX-License-Identifier: MIT
// Kill -9 of a worker, of all workers, and of the supervisor, at random moments
// while clients write: nothing that was answered is lost, and the service
// answers again at once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fcgiRequest } from '../lib/fcgi.mjs';
import { Ledger, Writer } from '../lib/ledger.mjs';
import { Program, until } from '../lib/process.mjs';
import { service } from '../lib/paths.mjs';
import { random, seed, soak } from '../lib/seed.mjs';
import { Stack } from '../lib/stack.mjs';

const WORKERS = 3;
const WRITERS = 12;
const key = 'on_hold_timer_duration';

const loads = [];
after(() =>
  Promise.all(
    loads.map((load) => {
      load.going = false;
      return load.stack.kill();
    }),
  ),
);

/** A service under write load. */
async function start(seedOf) {
  const stack = await Stack.start({
    options: { workers: WORKERS },
    nginx: false,
  });
  stack.killsWriters = true;
  const ledger = new Ledger();
  const load = {
    stack,
    ledger,
    random: random(seedOf),
    going: true,
    waits: [],
    probe: stack.tenant(),
  };
  loads.push(load);
  load.token = stack.token(load.probe);
  load.writers = Array.from(
    { length: WRITERS },
    () => new Writer(stack, ledger, load.random),
  );
  load.done = Promise.all(
    load.writers.map((writer) => writer.run(() => load.going)),
  );
  load.done.catch(() => {
    load.going = false;
  });
  await until('writes go on', () => ledger.stored > WRITERS);
  return load;
}

/** Ms until a new client has an answer. */
async function answersAgain(load) {
  const started = performance.now();
  for (;;) {
    try {
      const answer = await fcgiRequest(
        load.stack.fcgiSocket,
        load.stack.params('GET', key, { token: load.token }),
      );
      assert.equal(answer.status, 200);
      break;
    } catch (error) {
      if (error.code === 'ERR_ASSERTION') throw error;
      assert.ok(performance.now() - started < 20000, `no answer, SEED=${seed}`);
      await sleep(1);
    }
  }
  load.waits.push(performance.now() - started);
}

async function finish(load, t) {
  load.going = false;
  await load.done;
  const { ledger, waits } = load;
  await ledger.assertKept(load.stack.options.db);
  for (const { failures } of load.writers)
    assert.deepEqual(
      failures.map((answer) => answer.text),
      [],
      'answers other than 200',
    );
  waits.sort((a, b) => a - b);
  const errors = load.writers.reduce((sum, writer) => sum + writer.errors, 0);
  t.diagnostic(
    `SEED=${seed}: ${waits.length} rounds, ${ledger.stored} writes answered, ` +
      `${ledger.unknown} not, ${errors} broken connections; a new client waited ` +
      `${waits[waits.length >> 1].toFixed(0)} ms, at most ${waits.at(-1).toFixed(0)} ms`,
  );
  // The last answer may have been that of a worker whose supervisor is gone.
  await until(
    'the workers are there',
    () => load.stack.service.children().length === WORKERS,
  );
  await load.stack.stop();
}

/** A number of kills, each followed by an answer and a few of them by a check. */
async function rounds(load, count, kill) {
  for (let round = 0; round < count && load.going; round++) {
    await sleep(load.random() * 40);
    await kill();
    await answersAgain(load);
    if (round % 25 === 24) await load.ledger.assertKept(load.stack.options.db);
  }
}

function killWorker(load, pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    assert.equal(error.code, 'ESRCH'); // it has just been reaped
  }
}

test('kill -9 of a worker', async (t) => {
  const load = await start(seed);
  let killed = 0;
  await rounds(load, 150 * soak, () => {
    const pids = load.stack.service.children();
    if (pids.length === 0) return;
    killWorker(load, pids[Math.floor(load.random() * pids.length)]);
    killed++;
  });
  assert.ok(killed >= 140 * soak);
  await finish(load, t);
});

test('kill -9 of all workers', async (t) => {
  const load = await start(seed + 1);
  await rounds(load, 80 * soak, () => {
    for (const pid of load.stack.service.children()) killWorker(load, pid);
  });
  await finish(load, t);
  const longest = Math.max(...load.waits);
  assert.ok(longest < 3000, `a new client waited ${longest} ms`);
});

test('kill -9 of the supervisor, and a new one on the same socket at once', async (t) => {
  const load = await start(seed + 2);
  const { stack } = load;
  await rounds(load, 40 * soak, async () => {
    const old = stack.service;
    old.kill('SIGKILL');
    if (load.random() < 0.5) await old.ended;
    stack.service = new Program(service, stack.args(), { log: stack.logFile });
  });
  await finish(load, t);
});

test('kill -9 of all of them at once', async (t) => {
  const load = await start(seed + 3);
  const { stack } = load;
  await rounds(load, 40 * soak, async () => {
    const pids = stack.service.children();
    stack.service.kill('SIGKILL');
    for (const pid of pids) killWorker(load, pid);
    await stack.service.ended;
    stack.service = new Program(service, stack.args(), { log: stack.logFile });
  });
  await finish(load, t);
});
