// SPDX-License-Identifier: MIT
// ./bootstrap serve, as a newcomer runs it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertVersion } from '../lib/etag.mjs';
import { freePort } from '../lib/files.mjs';
import { request } from '../lib/http.mjs';
import { admin, builddir, cleanEnv, find, srcdir } from '../lib/paths.mjs';
import { nameOf, Program, until, within } from '../lib/process.mjs';

const bootstrap = join(srcdir, 'bootstrap');
const dir = mkdtempSync(join(tmpdir(), 'oc-'));
const state = join(dir, 'state'); // it is made
const programs = [];
after(async () => {
  for (const program of programs)
    if (!program.end) await program.stop().catch(() => {});
  rmSync(dir, { recursive: true, force: true });
});

const env = { BUILDDIR: builddir };

/** Runs it until it is ready; {program, port, token}. */
async function serve(more = {}, args = []) {
  const port = await freePort();
  const log = join(dir, `log${programs.length}`);
  const program = new Program(
    bootstrap,
    ['serve', '--port', String(port), `--state=${state}`, ...args],
    { log, env: { ...env, ...more }, cwd: '/', lastSignal: 'SIGTERM' },
  );
  programs.push(program);
  await until(
    'it is ready',
    () => {
      assert.equal(program.end, undefined, `it ended:\n${program.log()}`);
      return program.log().includes(`ready: http://127.0.0.1:${port}/v0\n`);
    },
    60,
  );
  return {
    program,
    port,
    token: readFileSync(join(state, 'token'), 'utf8').trim(),
  };
}

const path = '/v0/config/sales_order/big_sales_order';
const ask = ({ port, token }, more = {}) =>
  request(
    { host: '127.0.0.1', port },
    { path, headers: { authorization: `Bearer ${token}` }, ...more },
  );

/** Runs one of the curl lines that it printed, with the shell. */
function paste(said, pick) {
  const commands = said
    .slice(said.indexOf('ready: '))
    .replaceAll('\\\n', ' ')
    .split('\n');
  const token = commands.find((line) => line.trim().startsWith('token='));
  const curl = commands.find(
    (line) => line.includes('curl') && pick.test(line),
  );
  const { stdout, stderr } = spawnSync('sh', ['-c', `${token}\n${curl}`], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

test('serve: ready, usable as printed, and stopped by SIGTERM', async () => {
  const served = await serve();
  assert.equal((await ask(served)).json.value.soft_limit_for_big_orders, 100);
  const said = served.program.log();
  assert.match(
    paste(said, /-d /),
    /^HTTP\/1.1 200 [^]*"soft_limit_for_big_orders":250/,
  );
  assert.match(paste(said, /Bearer[^-]*$/), /ETag: "1-[0-9a-f]{16}"[^]*250/);
  assert.match(paste(said, /openapi/), /"openapi": ?"3\.0/);

  assert.equal(statSync(join(state, 'token')).mode & 0o77, 0);
  assert.equal(statSync(join(state, 'dodici.key.json')).mode & 0o77, 0);
  const keys = JSON.parse(
    readFileSync(join(state, 'keys', 'dodici.json'), 'utf8'),
  ).keys;
  assert.equal(keys.length, 1);
  assert.equal(keys[0].d, undefined);

  // Whoever opens the root finds the way on.
  const page = await ask(served, { path: '/', headers: { accept: 'text/html,*/*;q=0.8' } });
  assert.equal(page.status, 200);
  assert.match(page.type, /^text\/html/);
  for (const [, link] of page.text.matchAll(/href="([^"]+)"/g))
    assert.equal((await ask(served, { path: link })).status, 200, link);
  const index = await ask(served, { path: '/', headers: { accept: 'application/json' } });
  assert.equal(index.type, 'application/json');
  for (const link of Object.values(index.json))
    assert.equal((await ask(served, { path: link })).status, 200, link);

  const taken = spawnSync(
    bootstrap,
    ['serve', '--port', String(served.port), '--state', state],
    { env: cleanEnv(env), encoding: 'utf8' },
  );
  assert.equal(taken.status, 1);
  assert.match(taken.stderr, new RegExp(`port ${served.port} is in use`));

  assert.deepEqual(await served.program.stop('SIGTERM'), {
    code: 0,
    signal: null,
  });
  await assert.rejects(ask(served), /ECONNREFUSED/);
  assert.doesNotMatch(served.program.log(), /\[(alert|crit|emerg)\]|error:/);
});

test('serve again: data, key and token are still there; SIGINT stops it', async () => {
  const before = readFileSync(join(state, 'token'), 'utf8');
  const served = await serve();
  assert.equal(served.token, before.trim());
  const answer = await ask(served);
  assertVersion(answer, 1);
  assert.equal(answer.json.value.soft_limit_for_big_orders, 250);
  assert.deepEqual(await served.program.stop('SIGINT'), {
    code: 0,
    signal: null,
  });
});

test('a second tenant, as README makes it, and a seed', async () => {
  const served = await serve();
  const issuer = /issuer of tokens is (\S+)\n/.exec(served.program.log())[1];
  const run = (args, input) => {
    const { status, stdout, stderr } = spawnSync(admin, args, {
      env: cleanEnv(),
      encoding: 'utf8',
      input,
    });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  const key = join(state, 'acme.key.json');
  run(['keygen', '--key', key, '--jwks', join(state, 'keys', 'acme.json')]);
  const token = run(['token', '--tenant', 'acme', '--key', key, '--issuer', issuer]);
  const acme = { ...served, token };
  assert.equal((await ask(acme)).json.value.soft_limit_for_big_orders, 100);
  const line = { tenant: 'acme', key: 'big_sales_order', value: { soft_limit_for_big_orders: 7 } };
  run(['import', '--db', join(state, 'db')], `${JSON.stringify(line)}\n`);
  assert.equal((await ask(acme)).json.value.soft_limit_for_big_orders, 7);
  assert.equal((await ask(served)).json.value.soft_limit_for_big_orders, 250);
  await served.program.stop();
});

test('a warm serve configures nothing again', async () => {
  const { mtimeMs } = statSync(join(builddir, 'config.status'));
  const served = await serve();
  assert.equal(statSync(join(builddir, 'config.status')).mtimeMs, mtimeMs);
  assert.doesNotMatch(served.program.log(), /autoreconf|configuring|installing/);
  await served.program.stop();
});

test('serve: a token that no longer fits is replaced', async () => {
  const old = readFileSync(join(state, 'token'), 'utf8');
  const expiring = `e30.${Buffer.from(
    `{"exp":${Math.floor(Date.now() / 1000) + 60}}`,
  ).toString('base64url')}.x`;
  writeFileSync(join(state, 'token'), expiring);
  const served = await serve();
  assert.notEqual(served.token, expiring);
  assert.equal((await ask(served)).status, 200);
  await served.program.stop();

  // Another issuer than when the token was made.
  writeFileSync(join(state, 'token'), old);
  const other = await serve({
    ORDERCONF_ISSUER: 'https://other.example/{tenant}',
  });
  assert.notEqual(other.token, old.trim());
  assert.equal((await ask(other)).status, 200);
  await other.program.stop();
});

test('serve: the environment overrides', async () => {
  const db = join(dir, 'elsewhere');
  const served = await serve({
    ORDERCONF_DB: db,
    ORDERCONF_WORKERS: '3',
    ORDERCONF_READ_SCOPE: 'r',
    ORDERCONF_WRITE_SCOPE: 'w',
    ORDERCONF_AUDIENCE: 'here',
  });
  assert.ok(existsSync(join(db, 'data.mdb')));
  assert.match(served.program.log(), /"event":"ready".*"workers":3/);
  const answer = await ask(served, {
    method: 'POST',
    body: { value: { soft_limit_for_big_orders: 1 } },
  });
  assert.equal(answer.status, 200, answer.text);
  assertVersion(answer, 1);
  await served.program.stop();
});

test('serve: if the service dies for good, so does the whole', async () => {
  const { program } = await serve();
  const [supervisor] = program
    .children()
    .filter((pid) => nameOf(pid).startsWith('orderconf.fcgi'));
  process.kill(supervisor, 'SIGKILL');
  const end = await within(30, program.ended);
  assert.equal(end?.code, 1);
  assert.match(program.log(), /ended by itself/);
});

test('bad arguments and directories are named', async () => {
  const port = ['--port', String(await freePort())];
  writeFileSync(join(dir, 'file'), '');
  for (const [args, words] of [
    [['serve', '--port'], /--port: needs a value/],
    [['serve', '--port', '0'], /not a port: 0/],
    [['serve', '--port', '65536'], /not a port: 65536/],
    [['serve', '--port', '80a'], /not a port: 80a/],
    [['serve', ...port, '--state', ''], /--state: needs/],
    [['serve', ...port, '--state', join(dir, 'file')], /cannot make the directory/],
    [
      ['serve', ...port, '--state', join(dir, 'file', 'sub')],
      /cannot make the directory/,
    ],
    [['serve', 'now'], /unknown argument: now/],
    [['check', 'all'], /unknown argument: all/],
    [['run'], /unknown command: run/],
  ]) {
    const { status, stderr } = spawnSync(bootstrap, args, {
      env: cleanEnv(env),
      encoding: 'utf8',
    });
    assert.equal(status, 1, `${args}: ${stderr}`);
    assert.match(stderr, words);
  }
  const help = spawnSync(bootstrap, ['--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^usage: /);
});

test("a setting that the service refuses ends it with the service's words", async () => {
  const port = await freePort();
  const { status, stderr } = spawnSync(
    bootstrap,
    ['serve', '--port', String(port), '--state', state],
    { env: cleanEnv({ ...env, ORDERCONF_WORKERS: 'many' }), encoding: 'utf8' },
  );
  assert.equal(status, 1);
  assert.match(stderr, /ORDERCONF_WORKERS/);
  assert.match(stderr, /the service did not start/);
});

test(
  'shellcheck finds nothing',
  { skip: !find('shellcheck') && 'shellcheck is missing' },
  () => {
    const { status, stdout } = spawnSync(
      'shellcheck',
      [
        '-x',
        ...['bootstrap', '.ci/run', 'data/bash-completion/orderconf', 't/run-criterion'],
        ...['t/check-all', 't/check-bare', 't/check-deb', 't/check-documented', 't/check-seventh-key', 't/check-upgrade'],
        ...['t/lib/bare.sh', 't/lib/tap.sh', 't/under-valgrind'],
      ],
      { cwd: srcdir, encoding: 'utf8' },
    );
    assert.equal(status, 0, stdout);
  },
);

test('the admin command is built', () => {
  assert.equal(spawnSync(admin, ['--help']).status, 0);
});
