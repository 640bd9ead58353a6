// SPDX-License-Identifier: MIT
// The settings file as the admin command reads it: the service's.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeStore, orderconf } from '../lib/admin.mjs';
import { keySet } from '../lib/secrets.mjs';

const root = mkdtempSync(join(tmpdir(), 'oc-conf-'));
after(() => rmSync(root, { recursive: true }));
const db = join(root, 'db');
makeStore(db);
const key = 'on_hold_timer_duration';
const file = join(root, 'orderconf.conf');
const write = (...lines) => writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
const set = (value, args = [], env = {}) =>
  orderconf(['set', '--tenant=acme', key, value, ...args], { env });

/** Fails with status 2 and says so, with FILE in the place of the file. */
function refuses(message, ...args) {
  const { status, stdout, stderr } = orderconf([...args, '--config', file]);
  assert.deepEqual([status, stdout, stderr.replace(file, 'FILE')], [2, '', message]);
}

test('the store is that of the file, unless the environment or the command line has another', () => {
  write(`ORDERCONF_DB="${db}"`);
  assert.equal(set(1, ['--config', file]).stderr, '');
  assert.equal(set(2, [], { ORDERCONF_CONFIG: file }).stderr, '');
  assert.equal(orderconf(['get', '--tenant=acme', key, '--config', file]).stdout, '2\n');
  const elsewhere = /none: there is no store/;
  assert.match(set(3, ['--config', file], { ORDERCONF_DB: '/none' }).stderr, elsewhere);
  assert.match(set(3, ['--config', file, '--db=/none']).stderr, elsewhere);
  assert.equal(set(3, ['--config', file, '--db', db], { ORDERCONF_DB: '/none' }).stderr, '');
});

test('every setting of the service may stand in it, whatever it is', () => {
  write(
    `ORDERCONF_DB=${db}`, 'ORDERCONF_LISTEN=unix:/run/x', 'ORDERCONF_WORKERS=many',
    'ORDERCONF_ISSUER=https://id.example/{tenant}', 'ORDERCONF_WRITE_SCOPE=',
    'ORDERCONF_JWKS_URL=x', 'ORDERCONF_KEY=/none',
  );
  assert.deepEqual(orderconf(['get', '--tenant=acme', key, '--config', file]).stderr, '');
});

test('what is wrong in it is named by its line', () => {
  for (const [line, message] of [
    ['ORDERCONF_HISTORY=0', 'ORDERCONF_HISTORY: must be a number from 1 to 100000, not "0"'],
    ['ORDERCONF_SYSLOG=on', 'ORDERCONF_SYSLOG: must be yes or no, not "on"'],
    ['ORDERCONF_DATABASE=s3cret', 'ORDERCONF_DATABASE: no such setting'],
    ['ORDERCONF_CONFIG=x', 'ORDERCONF_CONFIG: cannot be set in this file'],
    ['s3cret', 'is not ORDERCONF_NAME=VALUE'],
  ]) {
    write(`ORDERCONF_DB=${db}`, line);
    refuses(`orderconf list: FILE:2: ${message}`, 'list', '--tenant=acme');
  }
  rmSync(file);
  refuses('orderconf list: FILE: No such file or directory', 'list', '--tenant=acme');
  // The status of diff is that of diff(1).
  refuses('orderconf diff: FILE: No such file or directory', 'diff', '/dev/null');
});

test('keys and limits of the service are those of the command', () => {
  const keys = join(root, 'secrets.json');
  writeFileSync(keys, JSON.stringify(keySet('k1')), { mode: 0o600 });
  write(`ORDERCONF_DB=${db}`, `ORDERCONF_SECRET_KEYS=${keys}`, 'ORDERCONF_HISTORY=1', 'ORDERCONF_MAP_SIZE=128M');
  const run = (...args) => {
    const result = orderconf([...args, '--config', file]);
    assert.deepEqual([result.status, result.stderr], [0, '']);
    return result.stdout;
  };
  run('set', '--tenant=acme', 'external_order_webhook', '{"url":"https://a.example/","api_key":"k"}');
  assert.match(run('get', '--tenant=acme', '--reveal', 'external_order_webhook'), /"api_key":"k"/);
  assert.equal(run('rekey'), 'rewrote 0 secrets with key k1, and checked 1 tenant\n');
  run('set', '--tenant=acme', key, '8');
  assert.equal(run('history', '--tenant=acme', key, '--json').split('\n').length, 2);
  assert.equal(JSON.parse(run('stat', '--json')).map_bytes, 128 << 20);
});

test('a flag of the file can be taken back', () => {
  write(`ORDERCONF_DB=${db}`, 'ORDERCONF_SYSLOG=yes');
  assert.equal(set(1, ['--config', file]).events.length, 0);
  assert.equal(set(2, ['--config', file, '--syslog=no']).events.length, 1);
  assert.equal(set(3, ['--config', file], { ORDERCONF_SYSLOG: 'no' }).events.length, 1);
});

test('a token is for the issuer of the file', () => {
  const private_ = join(root, 'key.json');
  assert.equal(orderconf(['keygen', '--key', private_, '--jwks', join(root, 'set.json'), '--alg=ES256']).status, 0);
  write('ORDERCONF_ISSUER=https://file.example/{tenant}', "ORDERCONF_AUDIENCE='a b'", `ORDERCONF_KEY=${private_}`);
  const { stdout } = orderconf(['token', '--tenant=acme', '--config', file]);
  const { iss, aud } = JSON.parse(Buffer.from(stdout.split('.')[1], 'base64url'));
  assert.deepEqual([iss, aud], ['https://file.example/acme', 'a b']);
  // The option wins over the variable, and an empty one is no file.
  const without = orderconf(['token', '--tenant=acme', '--key', private_, '--config='], { env: { ORDERCONF_CONFIG: file } });
  assert.match(without.stderr, /--issuer: is required/);
  write('ORDERCONF_ISSUER=https://file.example/{tenant}');
  refuses('orderconf token: --key: is required, or ORDERCONF_KEY in the environment or the settings file',
    'token', '--tenant=acme');
});
