// SPDX-License-Identifier: MIT
// The orderconf command itself: its help, and what it does not understand.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { admin, cleanEnv } from '../lib/paths.mjs';

const run = (...args) => spawnSync(admin, args, { env: cleanEnv(), encoding: 'utf8' });

function succeeds(...args) {
  const { status, stdout, stderr } = run(...args);
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

function isMisused(message, ...args) {
  const { status, stdout, stderr } = run(...args);
  assert.deepEqual([status, stdout], [2, '']);
  assert.match(stderr, message);
}

test('help and version', () => {
  const overview = succeeds('--help');
  assert.match(succeeds('--version'), /^orderconf \d+\.\d+\.\d+\n$/);
  const names = [...overview.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) +[A-Z]/gm)].map((match) => match[1]);
  assert.deepEqual(names, [...names].sort());
  assert.ok(names.includes('keygen') && names.includes('token'));
  for (const name of names)
    for (const args of [['--help'], ['--nope', '--help']]) {
      const help = succeeds(...name.split(' '), ...args);
      assert.match(help, new RegExp(`^usage: orderconf ${name} `));
      for (const line of help.split('\n')) assert.ok(line.length <= 80, line);
    }
});

test('what is not understood', () => {
  isMisused(/^orderconf: which command\? see --help\n$/);
  isMisused(/^orderconf: nope: no such command, see --help\n$/, 'nope');
  isMisused(/^orderconf: --nope: no such command, see --help\n$/, '--nope');
  isMisused(/^orderconf: keys: no such command, see --help\n$/, 'keys');
  isMisused(/^orderconf: keys: no such command, see --help\n$/, 'keys', 'fetches');
  isMisused(/^orderconf token: --nope: no such option, see --help\n$/, 'token', '--nope=secret');
  isMisused(/^orderconf token: extra: not expected here, see --help\n$/, 'token', 'extra');
  isMisused(/^orderconf token: --nope: not expected here/, 'token', '--', '--nope');
  isMisused(/^orderconf token: --ttl: needs a value\n$/, 'token', '--ttl');
});

test('a mistake is said before anything is opened', () => {
  const missing = ['--tenant', 'acme', '--secret-keys', '/nowhere/keys', '--db', '/nowhere/db'];
  const key = 'on_hold_timer_duration';
  isMisused(/: --map-size: /, 'get', key, ...missing, '--reveal', '--map-size', 'x');
  isMisused(/: --map-size: /, 'set', key, '60', ...missing, '--map-size', 'x');
  isMisused(/: --version: /, 'get', key, ...missing, '--reveal', '--version', 'x');
  isMisused(/: --before: /, 'history', key, ...missing, '--reveal', '--before', '0');
  isMisused(/: --version: /, 'set', key, '60', ...missing, '--version', 'x');
  isMisused(/: --subject: /, 'restore', key, '1', ...missing, '--subject', 'x'.repeat(1000));
  isMisused(/: VERSION: /, 'restore', key, 'x', ...missing);
  isMisused(/: nope: no such config key/, 'unset', 'nope', ...missing.slice(0, 2), ...missing.slice(4));
});

test('what cannot be printed is a failure', () => {
  const { status, stderr } = spawnSync('/bin/sh', ['-c', '"$1" --help >/dev/full', 'sh', admin],
    { env: cleanEnv(), encoding: 'utf8' });
  assert.deepEqual([status, stderr],
    [1, 'orderconf: could not write: No space left on device\n']);
});
