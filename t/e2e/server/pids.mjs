// SPDX-License-Identifier: MIT
// Processes of several pid namespaces, as containers have them, on one store:
// their pids coincide.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { assertVersion } from '../lib/etag.mjs';
import { admin, cleanEnv, service } from '../lib/paths.mjs';
import { Program, until, within } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const key = 'on_hold_timer_duration';
const { make } = factory();

// As root of its own, where it is nobody's.
const isolated = [...(process.getuid() === 0 ? [] : ['-r']), '-pf', '--kill-child'];
const skip =
  spawnSync('unshare', [...isolated, 'true']).status !== 0 &&
  'not allowed to make a pid namespace';

// /proc is that of another namespace, where a sanitizer that looks for leaks does
// not find its own threads.
const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` };

/** A service whose supervisor is process 1, and its workers are 2 and 3. */
async function startIsolated(options) {
  const stack = make({ options, nginx: false });
  const args = [...isolated, service, ...stack.args()];
  stack.service = new Program('unshare', args, { log: stack.logFile, env });
  await stack.serviceReady();
  [stack.supervisor] = stack.service.children();
  return stack;
}

/** Sends the supervisor SIGTERM: all that there is ends well. */
async function stopIsolated(stack) {
  process.kill(stack.supervisor, 'SIGTERM');
  const end = await within(20, stack.service.ended);
  assert.deepEqual(end, { code: 0, signal: null }, stack.log());
  stack.assertCleanLog();
}

async function ask(stack, method, tenant, body = '') {
  const answer = await stack.direct(stack.params(method, key, { tenant, body }), body);
  assert.equal(answer.status, 200, stack.log());
  return answer;
}

/** The supervisor's own children, which may wait for theirs. */
const workersOf = ({ service: { children }, supervisor }) =>
  children.call({ pid: supervisor });

const countReady = (stack) =>
  stack.events().filter(({ event }) => event === 'worker_ready').length;

test('services of several pid namespaces share a store', { skip }, async () => {
  const first = await startIsolated();
  const options = { db: first.options.db, jwks: first.options.jwks };
  const second = await startIsolated(options);
  const third = await startIsolated(options);
  const tenant = first.tenant();
  second.key = third.key = first.key;

  for (const [i, stack] of [first, second, third, first].entries()) {
    const answer = await ask(stack, 'POST', tenant, JSON.stringify({ value: i }));
    assertVersion(answer, i + 1);
  }
  for (const stack of [second, third])
    assertVersion(await ask(stack, 'GET', tenant), 4);

  // What the supervisor knows of it, it can replace.
  process.kill(second.supervisor, 'SIGHUP');
  await until('the workers are replaced', () =>
    countReady(second) >= 4 && workersOf(second).length === 2);
  process.kill(workersOf(second)[0], 'SIGKILL');
  await until('a worker is replaced', () => countReady(second) >= 5);
  assertVersion(await ask(second, 'GET', tenant), 4);
  for (const stack of [first, second, third]) await stopIsolated(stack);
});

test('commands and CGI runs beside them, whatever their pids', { skip }, async () => {
  const stack = await startIsolated();
  const tenant = stack.tenant();
  await ask(stack, 'POST', tenant, '{"value":5}');
  const run = (script) =>
    spawnSync('unshare', [...isolated, 'sh', '-c', script, service], {
      env: cleanEnv({
        ...env,
        ...stack.params('GET', key, { tenant }),
        ORDERCONF_DB: stack.options.db,
        ORDERCONF_JWKS: stack.options.jwks,
        ORDERCONF_ISSUER: stack.options.issuer,
        TENANT_NAME: tenant,
        ADMIN: admin,
      }),
      encoding: 'utf8',
    });
  const eight = (command) => `for i in 1 2 3 4 5 6 7 8; do ${command} || exit; done`;

  const set = run(eight('"$ADMIN" set --tenant $TENANT_NAME on_hold_timer_duration $i'));
  assert.deepEqual([set.status, set.stderr.match(/"event":"\w+"/g)],
    [0, Array(8).fill('"event":"stored"')]);
  const check = run(eight('"$ADMIN" check'));
  assert.deepEqual([check.status, check.stderr], [0, '']);
  const cgi = run(eight('"$0"'));
  assert.deepEqual([cgi.status, cgi.stderr], [0, '']);
  assert.equal(cgi.stdout.match(/Status: 200/g).length, 8, cgi.stdout);
  // A status other than 0 gets out, too.
  const none = run(eight('{ "$ADMIN" get --tenant $TENANT_NAME external_order_webhook; [ $? = 1 ]; }'));
  assert.equal(none.status, 0, none.stderr);
  assertVersion(await ask(stack, 'GET', tenant), 9);
  await stopIsolated(stack);
});
