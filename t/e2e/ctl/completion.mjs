// SPDX-License-Identifier: MIT
// The bash completion: it offers each command, option and key that there is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KEYS } from '../lib/document.mjs';
import { admin, cleanEnv, srcdir } from '../lib/paths.mjs';

const dir = mkdtempSync(join(tmpdir(), 'oc-comp-'));
after(() => rmSync(dir, { recursive: true }));
writeFileSync(join(dir, 'acme.json'), '');

/** What is offered for the last of the words. */
function complete(...words) {
  const script = `
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
    _orderconf "$1"
    [ "\${#COMPREPLY[@]}" -eq 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash',
    ['-c', script, 'bash', join(srcdir, 'data/bash-completion/orderconf'), admin, ...words],
    { cwd: dir, env: cleanEnv(), encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter(Boolean);
}

const help = (...words) =>
  spawnSync(admin, [...words, '--help'], { env: cleanEnv(), encoding: 'utf8' }).stdout;
const commands = [...help().matchAll(/^ {2}([a-z]+(?: [a-z]+)?) +[A-Z]/gm)].map((match) => match[1]);

test('every command', () => {
  assert.ok(commands.length >= 10 && commands.includes('keys fetch'), `${commands}`);
  const first = [...new Set(commands.map((name) => name.split(' ')[0]))].sort();
  assert.deepEqual(complete(''), [...first, '--help', '--version']);
  assert.deepEqual(complete('un'), ['unset']);
  assert.deepEqual(complete('--v'), ['--version']);
  assert.deepEqual(complete('keys', ''), ['fetch']);
  assert.deepEqual(complete('nope', ''), complete(''));
});

test('every option of every command', () => {
  for (const name of commands) {
    const options = [...help(...name.split(' ')).matchAll(/^ {2}(--[a-z-]+)/gm)]
      .map((match) => match[1]);
    assert.ok(options.length > 0);
    assert.deepEqual(complete(...name.split(' '), '--'), [...options, '--help'], name);
  }
  assert.deepEqual(complete('get', '--db', 'x', 'external_oms', '--te'), ['--tenant']);
});

test('keys, where one is due', () => {
  for (const name of ['get', 'set', 'unset', 'history', 'restore']) {
    assert.deepEqual(complete(name, '').sort(), [...KEYS].sort(), name);
    assert.deepEqual(complete(name, '--tenant', 'acme', '--json', 'external_').sort(),
      ['external_oms', 'external_order_webhook']);
    assert.deepEqual(complete(name, '--tenant', '=', 'acme', 'on_'), ['on_hold_timer_duration']);
    assert.deepEqual(complete(name, 'external_oms', ''), []);
    assert.deepEqual(complete(name, '--tenant', ''), []);
  }
  assert.deepEqual(complete('list', ''), []);
});

test('files, where one is due', () => {
  for (const args of [['get', '--db'], ['token', '--key'], ['keygen', '--jwks'], ['get', '--db', '='], ['list', '--config']])
    assert.deepEqual(complete(...args, 'ac'), ['acme.json']);
});
