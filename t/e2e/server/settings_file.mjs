// SPDX-License-Identifier: MIT
// The settings file of the service: what wins, what is wrong, what a reload
// does with it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanEnv, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const { make } = factory();

/** A stack whose service has its settings from a file, but for args. */
async function startFromFile({ options, more = '', args = [], env = {} } = {}) {
  const stack = make({ options });
  stack.config = stack.writeSettings(stack.options, more);
  stack.service = new Program(service, args, {
    log: stack.logFile,
    env: { ORDERCONF_CONFIG: stack.config, ...env },
  });
  await stack.serviceReady();
  return stack;
}

const events = (stack, name) => stack.events().filter(({ event }) => event === name);

/** Reloads, and waits until all workers are others. */
async function reload(stack) {
  const before = stack.service.children();
  stack.service.kill('SIGHUP');
  await until('all workers are new', () => {
    const pids = stack.service.children();
    return pids.length === before.length && !pids.some((pid) => before.includes(pid));
  });
}

/** The status of a GET of a token with these claims. */
async function statusOf(stack, tenant, claims) {
  const token = stack.token(tenant, claims);
  return (await stack.direct(stack.params('GET', key, { token }))).status;
}

/** What the service says of a file with this text, and its status. */
function refuse(text, { args = [], env = {} } = {}) {
  const { dir } = make();
  const file = join(dir, 'orderconf.conf');
  if (text !== null) writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(service, ['--config', file, ...args], {
    env: cleanEnv(env),
    encoding: 'utf8',
  });
  assert.deepEqual([status, stdout], [2, '']);
  return stderr.replace(file, 'FILE');
}

test('the file sets all, the environment wins over it, the command line over both', async () => {
  const stack = await startFromFile({
    options: { workers: 3, audience: 'file', 'read-scope': 'file', 'write-scope': 'file' },
    env: { ORDERCONF_AUDIENCE: 'environment', ORDERCONF_READ_SCOPE: 'environment' },
    args: ['--read-scope=command'],
  });
  const tenant = stack.tenant();
  assert.equal(stack.service.children().length, 3);
  assert.ok(existsSync(join(stack.options.db, 'data.mdb')));
  const good = { aud: 'environment', scope: 'command' };
  assert.equal(await statusOf(stack, tenant, good), 200);
  assert.equal(await statusOf(stack, tenant, { ...good, aud: 'file' }), 401);
  assert.equal(await statusOf(stack, tenant, { ...good, scope: 'environment file' }), 403);
  await stack.stop();
});

test('what is wrong in it is named by its line, and nothing of it is told', () => {
  const number = 'must be a number from 1 to 100000, not "many"';
  for (const [text, message] of [
    ['# ok\nORDERCONF_HISTORY=many\n', `FILE:2: ORDERCONF_HISTORY: ${number}`],
    ['\nORDERCONF_AUDIENCES=s3cret\n', 'FILE:2: ORDERCONF_AUDIENCES: no such setting'],
    ['s3cret\n', 'FILE:1: is not ORDERCONF_NAME=VALUE'],
    ['PATH=s3cret\n', 'FILE:1: is not ORDERCONF_NAME=VALUE'],
    ['ORDERCONF_DB="s3cret\n', 'FILE:1: the quote is not closed'],
    ['ORDERCONF_AUDIENCE=\n', 'FILE:1: ORDERCONF_AUDIENCE: must not be empty'],
    ['ORDERCONF_OPERATOR=1\n', 'FILE:1: ORDERCONF_OPERATOR: no such setting'],
    ['ORDERCONF_CONFIG=/x\n', 'FILE:1: ORDERCONF_CONFIG: cannot be set in this file'],
    [null, 'FILE: No such file or directory'],
    ['ORDERCONF_DB=/d\n', 'issuer: is required'],
  ])
    assert.equal(refuse(text), `orderconf.fcgi: ${message}\n`);
  // Also as a CGI program, whose environment has more.
  const env = { GATEWAY_INTERFACE: 'CGI/1.1', ORDERCONF_OPERATOR: '1' };
  assert.match(refuse('ORDERCONF_OPERATOR=1\n', { env }), /no such setting/);
});

test('settings of the admin command may stand in it', () => {
  assert.match(
    refuse('ORDERCONF_ISSUER=https://id/{tenant}\nORDERCONF_KEY=\nORDERCONF_JWKS_URL=x\nORDERCONF_JWKS_CA=y\n'),
    /nothing to serve/,
  );
});

test('one that cannot be read is an error, a missing one only if it was asked for', (t) => {
  const { dir } = make();
  const say = (env) =>
    spawnSync(service, [], { env: { ...cleanEnv(), ...env }, encoding: 'utf8' }).stderr;
  assert.equal(say({ ORDERCONF_CONFIG: dir }), `orderconf.fcgi: ${dir}: is not a regular file\n`);
  assert.match(say({ ORDERCONF_CONFIG: join(dir, 'none') }), /none: No such file or directory\n$/);
  assert.match(say({ ORDERCONF_CONFIG: '' }), /issuer: is required/);
  if (existsSync('/etc/orderconf/orderconf.conf')) {
    t.skip('this machine has one');
    return;
  }
  const { stderr } = spawnSync(service, [], { env: {}, encoding: 'utf8' });
  assert.equal(stderr, 'orderconf.fcgi: issuer: is required\n');
});

test('a reload applies what the file says now, and names what it cannot', async () => {
  const stack = await startFromFile({ options: { audience: 'one', workers: 2 } });
  const tenant = stack.tenant();
  assert.equal(await statusOf(stack, tenant, { aud: 'one' }), 200);

  stack.writeSettings({ ...stack.options, audience: 'two', 'read-scope': 'r' });
  await reload(stack);
  assert.equal(await statusOf(stack, tenant, { aud: 'one' }), 401);
  assert.equal(await statusOf(stack, tenant, { aud: 'two' }), 403);
  assert.equal(await statusOf(stack, tenant, { aud: 'two', scope: 'r' }), 200);
  assert.deepEqual(events(stack, 'restart_needed'), []);

  // Without the line, it is as it was without it.
  const { audience, ...rest } = stack.options;
  stack.writeSettings({ ...rest, workers: 3, db: join(stack.dir, 'other'), listen: 'unix:/nowhere' });
  await reload(stack);
  assert.equal(await statusOf(stack, tenant, { aud: 'three' }), 200);
  assert.deepEqual(
    events(stack, 'restart_needed').map(({ level, settings }) => [level, settings]),
    [['warning', 'db, listen, workers']],
  );
  assert.equal(stack.service.children().length, 2);
  assert.ok(!existsSync(join(stack.dir, 'other')));
  await stack.stop();
  assert.ok(!existsSync(stack.fcgiSocket), 'the socket of the start is gone');
});

test('the command line and the environment win over the file at a reload, too', async () => {
  const stack = await startFromFile({
    env: { ORDERCONF_AUDIENCE: 'environment' },
    args: ['--read-scope', 'command'],
  });
  const tenant = stack.tenant();
  stack.writeSettings({ ...stack.options, audience: 'file', 'read-scope': 'file' });
  await reload(stack);
  assert.equal(await statusOf(stack, tenant, { aud: 'environment', scope: 'command' }), 200);
  await stack.stop();
});

test('a file that is wrong at a reload changes nothing, until it is right', async () => {
  const stack = await startFromFile({ options: { audience: 'one', workers: 2 } });
  const tenant = stack.tenant();
  const before = stack.service.children();
  const good = stack.writeSettings({ ...stack.options, audience: 'two' }, 's3cret\n');
  stack.service.kill('SIGHUP');
  await until('it is refused', () => events(stack, 'settings_refused').length === 1);
  stack.writeSettings({ ...stack.options, issuer: 'https://id.example/' });
  stack.service.kill('SIGHUP');
  await until('it is refused', () => events(stack, 'settings_refused').length === 2);
  rmSync(good);
  stack.service.kill('SIGHUP');
  await until('it is refused', () => events(stack, 'settings_refused').length === 3);
  assert.deepEqual(
    events(stack, 'settings_refused').map(({ level, reason }) => [level, reason]),
    [
      ['error', `${good}:1: is not ORDERCONF_NAME=VALUE`],
      ['error', 'issuer: must hold {tenant} exactly once'],
      ['error', `${good}: No such file or directory`],
    ],
  );
  assert.doesNotMatch(stack.log(), /s3cret/);
  assert.deepEqual(stack.service.children(), before);

  // A worker that dies meanwhile comes back as the others are.
  stack.writeSettings({ ...stack.options, audience: 'two' }, 's3cret\n');
  process.kill(before[0], 'SIGKILL');
  await until('there are two again', () => {
    const pids = stack.service.children();
    return pids.length === 2 && !pids.includes(before[0]);
  });
  for (let i = 0; i < 20; i++) assert.equal(await statusOf(stack, tenant, { aud: 'one' }), 200);

  stack.writeSettings({ ...stack.options, audience: 'two' });
  await reload(stack);
  assert.equal(await statusOf(stack, tenant, { aud: 'two' }), 200);
  await stack.stop();
});

test('settings that no worker can work with are not kept', async () => {
  const stack = await startFromFile({ options: { audience: 'one', workers: 2 } });
  const tenant = stack.tenant();
  const before = stack.service.children();
  stack.writeSettings({ ...stack.options, audience: 'two', 'secret-keys': join(stack.dir, 'none') });
  stack.service.kill('SIGHUP');
  await until('it failed', () => events(stack, 'renewal_failed').length === 1);
  assert.deepEqual(stack.service.children(), before);
  process.kill(before[0], 'SIGKILL');
  await until('there are two again', () => {
    const pids = stack.service.children();
    return pids.length === 2 && !pids.includes(before[0]);
  });
  await until('both are ready', () => events(stack, 'worker_ready').length === 3);
  assert.equal(events(stack, 'settings_kept').length, 1);
  for (let i = 0; i < 20; i++) assert.equal(await statusOf(stack, tenant, { aud: 'one' }), 200);
  await stack.stop();
});

test('nor are they if the only worker dies while its successor fails', async () => {
  const stack = await startFromFile({ options: { audience: 'one', workers: 1 } });
  const tenant = stack.tenant();
  const [first] = stack.service.children();
  // The supervisor gets to know of both at once.
  const bad = { ...stack.options, audience: 'two', 'secret-keys': join(stack.dir, 'none') };
  stack.writeSettings(bad);
  stack.service.kill('SIGSTOP');
  stack.service.kill('SIGHUP');
  process.kill(first, 'SIGKILL');
  stack.service.kill('SIGCONT');
  await until('another is ready', () => events(stack, 'worker_ready').length === 2);
  assert.equal(await statusOf(stack, tenant, { aud: 'one' }), 200);
  assert.equal(events(stack, 'settings_kept').length, 1);
  await stack.stop();
});

test('a file that changes is nothing to workers before a reload', async () => {
  const stack = await startFromFile({ options: { audience: 'one', workers: 1 } });
  const tenant = stack.tenant();
  const [first] = stack.service.children();
  stack.writeSettings({ ...stack.options, audience: 'two', 'read-scope': 'r' });
  process.kill(first, 'SIGKILL');
  await until('there is another', () => {
    const [pid] = stack.service.children();
    return pid !== undefined && pid !== first;
  });
  assert.equal(await statusOf(stack, tenant, { aud: 'one' }), 200);
  await stack.stop();
});

test('as another user, it is read with the rights of that user', { skip: process.getuid() !== 0 && 'only root can' }, () => {
  const stack = make();
  const file = stack.writeSettings();
  const nobody = { uid: 65534, gid: 65534 };
  chmodSync(stack.dir, 0o711);
  const say = (mode) => {
    chmodSync(file, mode);
    return spawnSync(service, ['--config', file, '--listen=x'], {
      env: cleanEnv(), encoding: 'utf8', ...nobody,
    }).stderr;
  };
  assert.equal(say(0o640), `orderconf.fcgi: ${file}: Permission denied\n`);
  assert.match(say(0o644), /^orderconf.fcgi: --listen: /);
});
