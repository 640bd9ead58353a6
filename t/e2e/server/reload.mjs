// SPDX-License-Identifier: MIT
// orderconf.fcgi --reload: a reload that is over when it returns, and says what
// became of it.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FcgiConnection } from '../lib/fcgi.mjs';
import { cleanEnv, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { keySet, writeKeys } from '../lib/secrets.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const webhook = 'external_order_webhook';
const { make } = factory();

/** A stack whose service has its settings from a file. */
async function startFromFile(options = {}, env = {}) {
  const stack = make({ options: { workers: 3, ...options } });
  stack.config = stack.writeSettings(stack.options);
  stack.service = new Program(service, [], {
    log: stack.logFile,
    env: { ORDERCONF_CONFIG: stack.config, ...env },
  });
  await stack.serviceReady();
  return stack;
}

/** Runs it beside the tests: {status, said}. */
function ask(pid) {
  return new Promise((resolve) => {
    const env = cleanEnv(pid === undefined ? {} : { MAINPID: String(pid) });
    const child = spawn(service, ['--reload'], { env });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    child.on('close', (status) => resolve({ status, said }));
  });
}

const reload = (stack) => ask(stack.service.pid);
const count = (stack, name) =>
  stack.events().filter(({ event }) => event === name).length;

test('it returns when the last old worker is gone, and the log says so once', async () => {
  const stack = await startFromFile();
  for (let n = 1; n <= 3; n++) {
    const before = stack.service.children();
    assert.deepEqual(await reload(stack), { status: 0, said: '' });
    const after = stack.service.children();
    assert.equal(after.length, before.length);
    assert.ok(!after.some((pid) => before.includes(pid)), `${before} ${after}`);
    assert.equal(count(stack, 'workers_replaced'), n);
  }
  const replaced = stack.events().find(({ event }) => event === 'workers_replaced');
  assert.equal(replaced.workers, 3);
  assert.ok(replaced.ms >= 0);
  await stack.stop();
});

test('several who ask at once all have their answer', async () => {
  const stack = await startFromFile();
  const answers = await Promise.all([1, 2, 3, 4].map(() => reload(stack)));
  for (const answer of answers) assert.deepEqual(answer, { status: 0, said: '' });
  await stack.stop();
});

test('settings that are refused are said, and nothing changes', async () => {
  const stack = await startFromFile();
  const before = stack.service.children();
  stack.writeSettings({ ...stack.options, history: 'many' });
  const { status, said } = await reload(stack);
  assert.equal(status, 1);
  assert.match(said, /the settings are refused: .*ORDERCONF_HISTORY: must be a number/);
  assert.deepEqual(stack.service.children(), before);
  stack.writeSettings(stack.options);
  assert.equal((await reload(stack)).status, 0);
  await stack.stop();
});

test('settings that a reload cannot apply are named', async () => {
  const stack = await startFromFile();
  stack.writeSettings({ ...stack.options, workers: 2, history: 7 });
  const { status, said } = await reload(stack);
  assert.equal(status, 0, said);
  assert.match(said, /a restart is needed for: workers\n$/);
  await stack.stop();
});

test('what new workers cannot work with is said in their words', async () => {
  const { dir } = make();
  const file = join(dir, 'secrets.json');
  writeKeys(file, keySet('a'));
  const stack = await startFromFile({ 'secret-keys': file });
  const before = stack.service.children();
  writeKeys(file, '{"keys":[');
  const { status, said } = await reload(stack);
  assert.equal(status, 1);
  assert.match(said, /secrets\.json/);
  assert.match(said, /not valid JSON/);
  assert.match(said, /a new worker did not become ready; the old workers go on with the old settings/);
  assert.deepEqual(stack.service.children(), before);
  assert.equal(count(stack, 'workers_replaced'), 0);
  writeKeys(file, keySet('a'));
  assert.equal((await reload(stack)).status, 0);
  await stack.stop();
});

test('secret keys are rotated without a failed request', async () => {
  const { dir } = make();
  const file = join(dir, 'secrets.json');
  writeKeys(file, keySet('a'));
  const stack = await startFromFile({ 'secret-keys': file });
  const tenant = stack.tenant();
  const token = stack.token(tenant);
  const value = { url: 'https://a.example/', api_key: 'k', timeout: 5 };
  const body = JSON.stringify({ value });
  let turning = true;
  let served = 0;
  const clients = [1, 2, 3, 4].map(async () => {
    while (turning) {
      const connection = await FcgiConnection.open(stack.fcgiSocket);
      const written = await connection.send(stack.params('POST', webhook, { token, body }), body);
      assert.ok([200, 409].includes(written.status), written.text);
      connection.close();
      const again = await FcgiConnection.open(stack.fcgiSocket);
      const read = await again.send(stack.params('GET', webhook, { token }));
      assert.equal(read.status, 200, read.text);
      again.close();
      served += 2;
    }
  });
  await until('there are requests', () => served > 20);
  // Steps 1 and 2, directly one behind the other: as soon as some worker seals
  // with the new key, all have to know it.
  for (const [old, next] of [['a', 'b'], ['b', 'c'], ['c', 'd']]) {
    writeKeys(file, keySet(old, next));
    assert.deepEqual(await reload(stack), { status: 0, said: '' });
    writeKeys(file, keySet(next, old));
    assert.deepEqual(await reload(stack), { status: 0, said: '' });
  }
  turning = false;
  await Promise.all(clients);
  await stack.stop();
});

test('whom to ask must be known', async () => {
  const nobody = await ask();
  assert.equal(nobody.status, 2);
  assert.match(nobody.said, /--reload: MAINPID/);
  const gone = spawnSync('true').pid;
  const dead = await ask(gone);
  assert.equal(dead.status, 1);
  assert.match(dead.said, /No such process/);
});

test('a service of before this is sent SIGHUP', async () => {
  const { dir } = make();
  const mark = join(dir, 'hup');
  const child = spawn('sh', ['-c', 'trap \'echo >"$0"; exit\' HUP; echo ready; while :; do sleep 0.1; done', mark]);
  await new Promise((resolve) => {
    child.stdout.once('data', resolve);
  });
  const { status, said } = await ask(child.pid);
  assert.equal(status, 0, said);
  assert.match(said, /the service was told to reload; see its log for the result/);
  await until('it has come', () => existsSync(mark));
});
