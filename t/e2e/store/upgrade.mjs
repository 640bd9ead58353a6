// SPDX-License-Identifier: MIT
// An upgrade to a program whose stores have a newer format: never beside the
// older program, whatever is tried, and without a loss. The older program is
// the service built for format 1; OLDER=PATH names a real one, of an earlier
// release, instead.
import assert from 'node:assert/strict';
import { copyFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adminOf } from '../lib/admin.mjs';
import { Ledger, Writer } from '../lib/ledger.mjs';
import { builddir, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { random } from '../lib/seed.mjs';
import { factory } from '../lib/stack.mjs';

const WRITERS = 6;
const NEEDS_RESTART = /needs a restart: store format 2/;
const BELONGS_TO_NEWER =
  /newer version: it has format 2, and this one reads format 1/;
const older = process.env.OLDER ?? join(builddir, 't', 'older.fcgi');

const { make } = factory();
const loads = [];
after(() => {
  for (const load of loads) load.going = false;
});

/** New workers of stack are this program from now on. */
function become(stack, program) {
  const file = join(stack.dir, 'another');
  copyFileSync(program, file);
  renameSync(file, stack.program);
}

/** A service of the older program. */
async function startOlder(workers) {
  const stack = make({ options: { workers } });
  stack.program = join(stack.dir, 'program');
  become(stack, older);
  await stack.startService();
  return stack;
}

/** Writes that go on until end is called. */
async function startWriting(stack) {
  const ledger = new Ledger();
  const load = { ledger, going: true };
  const writers = Array.from(
    { length: WRITERS },
    () => new Writer(stack, ledger, random()),
  );
  loads.push(load);
  load.done = Promise.all(writers.map((one) => one.run(() => load.going)));
  load.done.catch(() => {
    load.going = false;
  });
  load.goesOn = async () => {
    const { stored } = ledger;
    await until('writes go on', () => ledger.stored > stored + 3 * WRITERS);
  };
  load.end = async () => {
    load.going = false;
    await load.done;
    for (const { failures } of writers) assert.deepEqual(failures, []);
  };
  await load.goesOn();
  return load;
}

/** How many there are; the last line may be half written. */
const count = (stack, name) =>
  stack.log().split(`"event":"${name}"`).length - 1;

const format = (stack) => adminOf(stack.options.db).json('stat').format;

test('a reload into a program of a newer format changes nothing', async () => {
  const stack = await startOlder(2);
  const load = await startWriting(stack);
  const before = stack.service.children();
  const metrics = join(stack.options.db, 'metrics');
  const { ino } = statSync(metrics);
  become(stack, service);
  stack.service.kill('SIGHUP');
  await until('it was refused', () => count(stack, 'renewal_failed'));
  assert.match(stack.log(), NEEDS_RESTART);
  assert.deepEqual(stack.service.children(), before);
  assert.equal(statSync(metrics).ino, ino, 'its counters begin anew');
  assert.equal(count(stack, 'store_raised'), 0);
  await load.goesOn();

  // And so are commands of the newer version beside the older service.
  const admin = adminOf(stack.options.db);
  admin.fails(1, NEEDS_RESTART, 'stat');
  await load.goesOn();
  await load.end();

  // A restart is what it needs.
  await stack.stopService();
  await stack.startService();
  await until('it is raised', () => count(stack, 'store_raised') === 1);
  assert.equal(format(stack), 2);
  const again = await startWriting(stack);
  await again.end();
  await stack.stop();
  const ledger = new Ledger();
  for (const { ledger: each } of [load, again])
    for (const name of ['sent', 'told'])
      for (const [id, entry] of each[name]) ledger[name].set(id, entry);
  await ledger.assertKept(stack.options.db);
});

test('the older program refuses what the newer one has raised', async () => {
  const stack = await startOlder(1);
  await stack.stopService();
  become(stack, service);
  await stack.startService();
  const load = await startWriting(stack);
  const before = stack.service.children();

  // A reload, and then a start.
  become(stack, older);
  stack.service.kill('SIGHUP');
  await until('it was refused', () => count(stack, 'renewal_failed'));
  assert.match(stack.log(), BELONGS_TO_NEWER);
  assert.deepEqual(stack.service.children(), before);
  await load.goesOn();
  await load.end();
  await stack.stopService();
  const refused = new Program(older, stack.args(), {
    log: join(stack.dir, 'refused.log'),
  });
  assert.deepEqual(await refused.ended, { code: 1, signal: null });
  assert.match(refused.log(), BELONGS_TO_NEWER);
  become(stack, service);
  await stack.startService();
  await stack.stop();
  await load.ledger.assertKept(stack.options.db);
});

test('workers of the newer program wait for the last of the older one', async () => {
  const stack = await startOlder(2);
  stack.killsWriters = true;
  const load = await startWriting(stack);
  become(stack, service);
  const [first, second] = stack.service.children();
  process.kill(first, 'SIGKILL');
  await until('its successor was refused', () =>
    NEEDS_RESTART.test(stack.log()),
  );
  assert.equal(count(stack, 'store_raised'), 0);
  await load.goesOn();
  process.kill(second, 'SIGKILL');
  await until('the newer ones serve', () => {
    const pids = stack.service.children();
    return (
      count(stack, 'store_raised') === 1 &&
      pids.length === 2 &&
      !pids.includes(second)
    );
  });
  await load.goesOn();
  await load.end();
  assert.equal(format(stack), 2);
  await stack.stop();
  await load.ledger.assertKept(stack.options.db);
});
