// SPDX-License-Identifier: MIT
// The admin command, and a store for it without a service.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { admin, cleanEnv, service } from './paths.mjs';

/** Runs it: {status, stdout, stderr, events}; events are what it logged. */
export function orderconf(args, { env = {}, input = '' } = {}) {
  const { status, stdout, stderr } = spawnSync(admin, args.map(String), {
    env: cleanEnv(env),
    input,
    encoding: 'utf8',
  });
  assert.doesNotMatch(stderr, /Sanitizer|runtime error:/);
  const lines = stderr.split('\n').filter(Boolean);
  const isEvent = (line) => line.startsWith('{');
  return {
    status,
    stdout,
    stderr: lines.filter((line) => !isEvent(line)).join('\n'),
    events: lines.filter(isEvent).map((line) => JSON.parse(line)),
  };
}

/** The command for one store. Each function takes the arguments. */
export function adminOf(db) {
  const run = (args, options = {}) =>
    orderconf(args, {
      ...options,
      env: { ORDERCONF_DB: db, ...options.env },
    });
  const succeed = (args, options) => {
    const result = run(args, options);
    assert.deepEqual([result.status, result.stderr], [0, ''], `${args}`);
    return result;
  };
  return {
    run,
    /** What it prints, when it succeeds. */
    text: (...args) => succeed(args).stdout,
    /** The same as JSON, from --json. */
    json: (...args) => JSON.parse(succeed([...args, '--json']).stdout),
    /** The same, a line each. */
    lines: (...args) =>
      succeed([...args, '--json'])
        .stdout.split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    /** Fails unless it fails with status, says so, and prints nothing. */
    fails: (status, message, ...args) => {
      const result = run(args);
      assert.equal(result.status, status, `${args}: ${result.stderr}`);
      assert.match(result.stderr, message);
      assert.match(result.stderr, /^orderconf /);
      assert.equal(result.stdout, '');
      assert.deepEqual(result.events, []);
    },
  };
}

/** Makes an empty store, as the service does when it starts. */
export function makeStore(db, more = []) {
  const { status, stdout } = spawnSync(
    service,
    ['--db', db, '--issuer', 'https://id.example/{tenant}', '--map-size', '64M', ...more],
    {
      env: cleanEnv({
        GATEWAY_INTERFACE: 'CGI/1.1',
        REQUEST_METHOD: 'GET',
        PATH_INFO: '/healthz',
      }),
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0);
  assert.match(stdout, /^Status: 200/);
}
