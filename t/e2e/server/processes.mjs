// SPDX-License-Identifier: MIT
// Starting, stopping, replacing and losing processes.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { FcgiConnection } from '../lib/fcgi.mjs';
import { find, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const { make, start } = factory();

test('a restart keeps data and versions', async () => {
  const stack = await start();
  const tenant = stack.tenant();
  for (const value of [1, 2, 3])
    assert.equal((await stack.post(tenant, key, { value })).status, 200);
  const before = await stack.get(tenant, key);
  await stack.stopService();
  assert.ok(!existsSync(stack.fcgiSocket), 'the socket is still there');
  await stack.startService();
  const again = await stack.get(tenant, key);
  assert.equal(again.text, before.text);
  assertVersion(again, 3);
  assertVersion(await stack.post(tenant, key, { value: 4 }), 4);
  await stack.stop();
});

test('there are as many workers as asked for, and the supervisor has no store', async () => {
  const stack = await start({ options: { workers: 3 }, nginx: false });
  assert.equal(stack.service.children().length, 3);
  await stack.stop();
});

test('a worker that dies is replaced, and no request fails', async () => {
  const stack = await start({ options: { workers: 2 } });
  const tenant = stack.tenant();
  for (let round = 0; round < 3; round++) {
    const before = stack.service.children();
    process.kill(before[0], 'SIGKILL');
    for (let i = 0; i < 20; i++) {
      assert.equal((await stack.get(tenant, key)).status, 200);
      assert.equal((await stack.post(tenant, key, { value: i })).status, 200);
    }
    await until('there are two workers again', () => {
      const pids = stack.service.children();
      return pids.length === 2 && !pids.includes(before[0]);
    });
  }
  await stack.stop();
});

test('SIGHUP replaces every worker under load, without a failed request', async () => {
  const stack = await start({ options: { workers: 2 } });
  const tenants = Array.from({ length: 8 }, () => stack.tenant());
  let loading = true;
  let served = 0;
  const load = tenants.map(async (tenant) => {
    for (let n = 1; loading; n++) {
      const written = await stack.post(tenant, key, { value: n });
      assert.equal(written.status, 200, written.text);
      assertVersion(written, n);
      const read = await stack.get(tenant, key);
      assert.equal(read.status, 200, read.text);
      assert.equal(read.json.value, n);
      served += 2;
    }
  });
  const replacing = (async () => {
    for (let round = 0; round < 4; round++) {
      const before = stack.service.children();
      const count = served;
      stack.service.kill('SIGHUP');
      await until('all workers are new', () => {
        const pids = stack.service.children();
        return pids.length === 2 && !pids.some((pid) => before.includes(pid));
      });
      await until('requests go on', () => served > count + 20);
    }
    loading = false;
  })();
  await Promise.all([replacing, ...load]).finally(() => {
    loading = false;
  });
  await stack.stop();
});

/** A stack whose program may be another one after a while: see become. */
async function startWithOwnProgram(options) {
  const stack = make({ options });
  stack.program = join(stack.dir, 'program');
  copyFileSync(service, stack.program);
  await stack.startService();
  return stack;
}

/** From now on, new workers of stack are this: a script, or the service. */
function become(stack, script) {
  const file = join(stack.dir, 'another');
  if (script) writeFileSync(file, `#!/bin/sh\n${script}`, { mode: 0o755 });
  else copyFileSync(service, file);
  renameSync(file, stack.program);
}

/** Whether a process has not taken a SIGHUP yet that it was sent. */
function isPending(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bits = /^ShdPnd:\s*([0-9a-f]+)$/m.exec(status)[1];
  return (parseInt(bits.slice(-8), 16) & 1) !== 0;
}

const count = (stack, name) =>
  stack.events().filter(({ event }) => event === name).length;

test('SIGHUP counts, also while a successor that fails is not dead yet', async () => {
  const stack = await startWithOwnProgram({ workers: 2 });
  const before = stack.service.children();
  const held = join(stack.dir, 'held');
  const seen = join(stack.dir, 'seen');
  writeFileSync(held, '');
  become(
    stack,
    `: >${seen}; while [ -e ${held} ]; do sleep 0.02; done; exit 1\n`,
  );
  stack.service.kill('SIGHUP');
  await until('the first successor runs', () => existsSync(seen));

  // What was wrong is mended, and told, before the supervisor knows of it.
  become(stack);
  stack.service.kill('SIGHUP');
  // It takes the signal at once: that is a thing of the past, not of SIGCHLD.
  await until('no SIGHUP is pending', () => !isPending(stack.service.pid));
  rmSync(held);
  await until('all workers are new', () => {
    const pids = stack.service.children();
    return pids.length === 2 && !pids.some((pid) => before.includes(pid));
  });
  assert.equal(count(stack, 'renewal_failed'), 1);
  await stack.stop();
});

test('a successor that fails ends the renewal, until SIGHUP comes again', async () => {
  const stack = await startWithOwnProgram({ workers: 2 });
  const before = stack.service.children();
  become(stack, 'exit 1\n');
  stack.service.kill('SIGHUP');
  await until('it failed', () => count(stack, 'renewal_failed') > 0);
  // A second one would start at once, not after a while.
  await sleep(200);
  assert.equal(count(stack, 'renewal_failed'), 1);
  assert.deepEqual(stack.service.children(), before);
  await stack.stop();
});

test('a successor that dies when its predecessor is ending is replaced', async () => {
  const stack = await startWithOwnProgram({ workers: 1 });
  const tenant = stack.tenant();
  const [first] = stack.service.children();
  const busy = await FcgiConnection.open(stack.fcgiSocket);
  assert.equal(
    (await busy.send(stack.params('GET', key, { tenant }))).status,
    200,
  );
  busy.socket.write(Buffer.from([1, 1, 0, 1])); // half a record: it is awaited
  await sleep(50);
  stack.service.kill('SIGHUP');
  const ready = () => count(stack, 'worker_ready');
  await until('there is a successor', () => ready() === 2);
  const successor = stack.service.children().find((pid) => pid !== first);
  become(stack, 'exit 1\n');
  process.kill(successor, 'SIGKILL');
  await until('its own successor failed', () =>
    stack
      .events()
      .some(({ event, status }) => event === 'worker_ended' && status === 1),
  );
  assert.ok(stack.service.children().includes(first), 'it does not end yet');
  become(stack);
  await until('there is another one', () => ready() === 3);
  assert.equal(count(stack, 'renewal_failed'), 0);
  busy.close();
  await until('the first one has ended', () => {
    const pids = stack.service.children();
    return pids.length === 1 && !pids.includes(first);
  });
  assert.equal(
    (await stack.direct(stack.params('GET', key, { tenant }))).status,
    200,
  );
  await stack.stop();
});

test('SIGTERM: every accepted request is answered', async () => {
  const stack = await start({ options: { workers: 2 }, nginx: false });
  const body = '{"value":5}';
  const open = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const tenant = stack.tenant();
      const connection = await FcgiConnection.open(stack.fcgiSocket);
      // Accepted for certain: it has been answered once.
      assert.equal(
        (await connection.send(stack.params('GET', key, { tenant }))).status,
        200,
      );
      return { tenant, connection };
    }),
  );
  const answers = open.map(({ tenant, connection }) =>
    connection.send(stack.params('POST', key, { tenant, body }), body),
  );
  // The requests are in the sockets when the signal comes.
  await sleep(0);
  stack.service.kill('SIGTERM');
  for (const answer of await Promise.all(answers)) {
    assert.equal(answer.status, 200, answer.text);
    assertVersion(answer, 1);
  }
  assert.deepEqual(await stack.service.ended, { code: 0, signal: null });
  stack.assertCleanLog();
  await stack.startService();
  for (const { tenant } of open)
    assert.equal(
      (await stack.direct(stack.params('GET', key, { tenant }))).json.value,
      5,
    );
  await stack.stop();
});

test('SIGTERM does not wait for idle connections', async () => {
  const stack = await start({ options: { workers: 1 }, nginx: false });
  const idle = await Promise.all(
    Array.from({ length: 10 }, () => FcgiConnection.open(stack.fcgiSocket)),
  );
  const started = Date.now();
  await stack.stop();
  assert.ok(Date.now() - started < 5000);
  for (const connection of idle) connection.close();
});

test('one idle connection does not keep the only worker from the others', async () => {
  const stack = await start({ options: { workers: 1 }, nginx: false });
  const tenant = stack.tenant();
  const idle = await FcgiConnection.open(stack.fcgiSocket);
  assert.equal(
    (await idle.send(stack.params('GET', key, { tenant }))).status,
    200,
  );
  const silent = await FcgiConnection.open(stack.fcgiSocket);
  silent.socket.write(Buffer.from([1, 1, 0, 1])); // half a record
  for (let i = 0; i < 5; i++)
    assert.equal(
      (await stack.direct(stack.params('GET', key, { tenant }))).status,
      200,
    );
  assert.equal(
    (await idle.send(stack.params('GET', key, { tenant }))).status,
    200,
  );
  idle.close();
  silent.close();
  await stack.stop();
});

test('spawn-fcgi gives the socket on fd 0', async () => {
  const spawnFcgi = find('spawn-fcgi');
  assert.ok(spawnFcgi, 'spawn-fcgi is not installed');
  const stack = make({ options: { listen: null, workers: null } });
  // -n: it becomes the service, and does not go into the background.
  stack.service = new Program(
    spawnFcgi,
    ['-n', '-s', stack.fcgiSocket, '--', service, ...stack.args()],
    { log: stack.logFile },
  );
  await until('the worker accepts connections', () => stack.answers());
  await stack.startNginx();
  const tenant = stack.tenant();
  assert.equal((await stack.post(tenant, key, { value: 8 })).status, 200);
  assert.equal((await stack.get(tenant, key)).json.value, 8);
  const many = await Promise.all(
    Array.from({ length: 50 }, () => stack.get(tenant, key)),
  );
  for (const answer of many) assert.equal(answer.status, 200);
  await stack.stop();
});

test('a TCP address serves as well', async () => {
  const stack = make();
  // Port 0 would be the best, but nobody would tell nginx what it became.
  const { createServer } = await import('node:net');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.on('listening', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  stack.options.listen = `127.0.0.1:${port}`;
  stack.service = new Program(service, stack.args(), { log: stack.logFile });
  await until('it is ready', () => /"event":"ready"/.test(stack.log()));
  stack.fcgiSocket = { host: '127.0.0.1', port };
  const tenant = stack.tenant();
  assert.equal(
    (await stack.direct(stack.params('GET', key, { tenant }))).status,
    200,
  );
  await stack.stop();
});

test('a second supervisor on the same socket is refused, a stale socket is not', async () => {
  const stack = await start({ nginx: false });
  const second = new Program(service, stack.args(), {
    log: join(stack.dir, 'second.log'),
  });
  const end = await second.ended;
  assert.notEqual(end.code, 0);
  assert.match(second.log(), /fcgi\.sock/);
  const tenant = stack.tenant();
  assert.equal(
    (await stack.direct(stack.params('GET', key, { tenant }))).status,
    200,
  );

  const workers = stack.service.children();
  stack.service.kill('SIGKILL');
  await stack.service.ended;
  assert.ok(existsSync(stack.fcgiSocket));
  await until('its workers are gone', () =>
    workers.every((pid) => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    }),
  );
  await stack.startService();
  assert.equal(
    (await stack.direct(stack.params('GET', key, { tenant }))).status,
    200,
  );
  await stack.stop();
});

test('what cannot work ends with an error, not in a loop of restarts', async () => {
  for (const [options, words] of [
    [{ db: '/proc/nonexistent/db' }, /nonexistent/],
    [{ listen: 'unix:/nonexistent/dir/sock' }, /nonexistent/],
  ]) {
    const stack = make({ options });
    const program = new Program(service, stack.args(), { log: stack.logFile });
    const end = await program.ended;
    assert.equal(end.code, 1, program.log());
    assert.match(program.log(), words);
  }
});

test('nginx says 502 while the service is down, and recovers by itself', async () => {
  const stack = await start();
  const tenant = stack.tenant();
  assert.equal((await stack.get(tenant, key)).status, 200);
  await stack.stopService();
  for (const answer of [
    await stack.get(tenant, key),
    await stack.post(tenant, key, { value: 1 }),
  ]) {
    assertProblem(answer, 502, 'bad_gateway');
    assert.equal(answer.headers['retry-after'], '1');
  }
  await stack.startService();
  assert.equal((await stack.get(tenant, key)).status, 200);
  assertVersion(await stack.get(tenant, key), 0);
  await stack.stop();
});

test('nginx says 504 if the service hangs', async () => {
  const stack = await start({
    edit: (name, text) => {
      if (name !== 'orderconf_server.conf') return text;
      assert.match(text, /fastcgi_read_timeout 30s;/);
      return text
        .replace('fastcgi_read_timeout 30s;', 'fastcgi_read_timeout 500ms;')
        .replace(
          'fastcgi_next_upstream_timeout 5s;',
          'fastcgi_next_upstream_timeout 400ms;',
        );
    },
  });
  const tenant = stack.tenant();
  assert.equal((await stack.get(tenant, key)).status, 200);
  const workers = stack.service.children();
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  try {
    const started = Date.now();
    assertProblem(await stack.get(tenant, key), 504, 'gateway_timeout');
    // Once, not once per try.
    assert.ok(Date.now() - started < 1000);
  } finally {
    for (const pid of workers) process.kill(pid, 'SIGCONT');
  }
  assert.equal((await stack.get(tenant, key)).status, 200);
  await stack.stop();
});
