// SPDX-License-Identifier: MIT
// orderconf get, set, unset, list, history and restore on a store that nobody
// serves: what they print, what they store, and what they refuse.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { KEYS } from '../lib/document.mjs';
import { adminOf, makeStore, orderconf } from '../lib/admin.mjs';
import { versionOf } from '../lib/etag.mjs';
import { admin, cleanEnv } from '../lib/paths.mjs';

const root = mkdtempSync(join(tmpdir(), 'oc-set-'));
after(() => rmSync(root, { recursive: true }));

let stores = 0;
function store(...more) {
  const db = join(root, `db${++stores}`);
  makeStore(db, more);
  return { db, ...adminOf(db) };
}

const key = 'on_hold_timer_duration';
const EPOCH = '1970-01-01T00:00:00Z';
const acme = ['--tenant', 'acme'];

test('set stores a value, and get prints it', () => {
  const { text, json } = store();
  const before = Math.floor(Date.now() / 1000);
  assert.equal(text('set', ...acme, key, '60'), `${key} of acme is set, with version 1\n`);
  assert.equal(text('get', ...acme, key), '60\n');
  const { value, version, etag, updated_at: at, ...rest } = json('get', ...acme, key);
  assert.equal(versionOf(etag), 1);
  assert.deepEqual([value, version, rest], [60, 1, {}]);
  assert.ok(Date.parse(at) / 1000 >= before);
  assert.deepEqual(json('set', ...acme, key, '6e1'), json('get', ...acme, key));
  assert.equal(json('get', ...acme, key, '--version', 1).version, 1);
  assert.deepEqual(json('get', ...acme, 'external_oms'),
    { value: { enabled: false }, updated_at: EPOCH, version: 0, etag: '"0"' });
});

test('the value may come from the standard input', () => {
  const { run, text } = store();
  for (const args of [[], ['-']]) {
    const { status, stderr } = run(['set', ...acme, 'big_sales_order', ...args],
      { input: ' {"soft_limit_for_big_orders": 7.0, "more": 1}\n' });
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(text('get', ...acme, 'big_sales_order'), '{"soft_limit_for_big_orders":7}\n');
  }
  const large = run(['set', ...acme, key], { input: ' '.repeat(65536) + '1' });
  assert.deepEqual([large.status, large.stderr],
    [1, 'orderconf set: value: must be at most 65536 bytes']);
  const none = run(['set', ...acme, key]);
  assert.deepEqual([none.status, none.stderr], [1, 'orderconf set: body: must not be empty']);
  assert.equal(text('set', ...acme, key, '--', '-5'), `${key} of acme is set, with version 1\n`);
});

test('a value is checked like one over HTTP, and every violation is told', () => {
  const { run, fails, lines } = store();
  const { status, stderr } = run(['set', ...acme, 'sales_order_generator_sequence',
    '{"size":0,"step":"x","more":1}', '--strict']);
  assert.equal(status, 1);
  assert.deepEqual(stderr.split('\n'), [
    'orderconf set: value.size: must be at least 1',
    'orderconf set: value.step: must be an integer',
    'orderconf set: value.more: is not a known member',
  ]);
  fails(1, /^orderconf set: body: .* line 1, column/, 'set', ...acme, key, '{');
  fails(1, /^orderconf set: body: .*"?a"?/, 'set', ...acme, 'external_oms', '{"a":1,"a":2}');
  assert.deepEqual(lines('tenants'), []);
});

test('--version replaces that version only', () => {
  const { json, fails } = store();
  fails(3, /^orderconf set: --version: .* is at version 0, not 1$/, 'set', ...acme, key, '1', '--version', 1);
  assert.equal(json('set', ...acme, key, '1', '--version', 0).version, 1);
  fails(3, / is at version 1, not 0$/, 'set', ...acme, key, '2', '--version', 0);
  fails(3, / is at version 1, not 0$/, 'set', ...acme, key, '2', '--version', 0, '--validate-only');
  fails(3, / is at version 1, not 2$/, 'unset', ...acme, key, '--version', 2);
  fails(3, / is at version 1, not 2$/, 'restore', ...acme, key, 1, '--version', 2);
  assert.equal(json('set', ...acme, key, '2', '--version', 1).version, 2);
  assert.equal(json('get', ...acme, key).value, 2);
});

test('--validate-only stores nothing', () => {
  const { text, json, fails, lines } = store();
  assert.equal(text('set', ...acme, key, '1', '--validate-only'),
    `${key} of acme stays at version 0; it could be set\n`);
  assert.deepEqual(lines('tenants'), []);
  text('set', ...acme, key, '1');
  assert.equal(json('set', ...acme, key, '2', '--validate-only').version, 1);
  assert.equal(text('unset', ...acme, key, '--validate-only'),
    `${key} of acme stays at version 1; it could be unset\n`);
  text('restore', ...acme, key, 1, '--validate-only');
  fails(1, /must be an integer/, 'set', ...acme, key, '"x"', '--validate-only');
  assert.equal(json('get', ...acme, key).version, 1);
});

test('unset is a version without a value', () => {
  const { text, json, fails, lines } = store();
  text('set', ...acme, key, '1');
  assert.equal(text('unset', ...acme, key), `${key} of acme is unset, with version 2\n`);
  const { etag, ...unset } = json('get', ...acme, key);
  assert.deepEqual(unset, { value: 0, updated_at: EPOCH, version: 2 });
  assert.equal(versionOf(etag), 2);
  assert.equal(json('unset', ...acme, key).etag, etag);
  assert.equal(text('unset', ...acme, key),
    `${key} of acme was unset already; it stays at version 2\n`);
  fails(1, /^orderconf restore: VERSION: version 2 unset .*, so it has no value/, 'restore', ...acme, key, 2);
  assert.equal(json('restore', ...acme, key, 1).version, 3);
  assert.deepEqual(lines('history', ...acme, key).map(({ version, value }) => [version, value]),
    [[3, 1], [2, null], [1, 1]]);
  fails(1, /webhook of acme is not set, and has no default$/, 'get', ...acme, 'external_order_webhook');
});

test('a key that can be set only once is, until it is unset', () => {
  const { text, json, fails } = store();
  const sequence = 'sales_order_generator_sequence';
  text('set', ...acme, sequence, '{"size":1}');
  assert.match(text('set', ...acme, sequence, '{"size":1}'), /was set already; it stays at version 1$/m);
  fails(1, /is already set, and can be set only once$/, 'set', ...acme, sequence, '{"size":2}');
  fails(1, /is already set, and can/, 'set', ...acme, sequence, '{"size":2}', '--validate-only');
  fails(1, /can be set only once$/, 'restore', ...acme, sequence, 1);
  text('unset', ...acme, sequence);
  assert.deepEqual(json('set', ...acme, sequence, '{"size":2}').value, { size: 2 });
});

test('the history tells who, and pages as asked', () => {
  const { text, lines, run } = store();
  for (let i = 1; i <= 230; i++)
    if (i % 100 !== 0) text('set', ...acme, key, i, '--subject', `ops ${i % 2}`);
    else text('unset', ...acme, key);
  const all = lines('history', ...acme, key);
  assert.deepEqual(all.map((entry) => entry.version), [...Array(230).keys()].map((i) => 230 - i));
  assert.equal(all[0].updated_by, 'ops 0');
  assert.match(all[130].updated_by, /^cli:./);
  assert.match(all[0].request_id, /^[0-9a-f]{32}$/);
  assert.equal(new Set(all.map((entry) => entry.request_id)).size, 230);
  const some = lines('history', ...acme, key, '--limit', 105, '--before', 200);
  assert.deepEqual(some, all.slice(31, 136));
  assert.deepEqual(lines('history', ...acme, 'external_oms'), []);

  // A person's terminal is not the author's to write on.
  run(['set', ...acme, key, '1', '--subject', 'a\x1b[2J\x9bb\u0085']);
  const [line] = text('history', ...acme, key, '--limit', 1).split('\n');
  assert.match(line, /^ +231 {2}\S+Z {2}a\\u001b\[2J\S*b\\u0085 {2}1$/);
});

test('every write is logged, without the value', () => {
  const { run } = store();
  const { events } = run(['set', ...acme, key, '7654321', '--subject', 'ops']);
  assert.equal(events.length, 1);
  const { event, level, tenant, key: name, version, subject, request_id: id } = events[0];
  assert.deepEqual([event, level, tenant, name, version, subject],
    ['stored', 'notice', 'acme', key, 1, 'ops']);
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.doesNotMatch(JSON.stringify(events), /7654321/);
  assert.deepEqual(run(['get', ...acme, key]).events, []);
  assert.deepEqual(run(['set', ...acme, key, '1', '--syslog']).events, []);
  assert.deepEqual(run(['set', ...acme, key, '2'], { env: { ORDERCONF_SYSLOG: 'no' } }).events.length, 1);
});

test('list prints every key', () => {
  const { text, json } = store();
  text('set', ...acme, key, '1');
  text('set', ...acme, key, '2');
  const all = json('list', ...acme);
  assert.deepEqual(Object.keys(all), KEYS);
  for (const name of Object.keys(all).filter((name) => name !== 'external_order_webhook'))
    assert.deepEqual({ ...json('get', ...acme, name), updated_by: all[name].updated_by }, all[name]);
  assert.match(all[key].updated_by, /^cli:./);
  assert.deepEqual(all.external_order_webhook,
    { value: null, updated_at: EPOCH, version: 0, etag: '"0"', updated_by: null });
  const lines = text('list', ...acme).trimEnd().split('\n');
  assert.deepEqual(lines.map((line) => line.split(/\s+/)[0]), Object.keys(all));
  assert.match(lines[1], / 2 {2}\S+Z {2}2$/);
});

test('tenants and stat', () => {
  const { db, text, json, lines } = store();
  text('set', ...acme, key, '1');
  text('set', ...acme, key, '2');
  text('set', ...acme, 'external_oms', '{"enabled":true}');
  text('set', '--tenant', 'brio', key, '1');
  text('unset', '--tenant', 'brio', key);
  const tenants = lines('tenants');
  assert.deepEqual(tenants.map(({ tenant, keys }) => [tenant, keys]), [['acme', 2], ['brio', 0]]);
  for (const { updated_at: at } of tenants) assert.ok(Date.now() - Date.parse(at) < 60000);
  assert.match(text('tenants'), /^acme +2 {2}\S+Z\nbrio +0 {2}\S+Z\n$/);
  const { used_bytes: used, ...stat } = json('stat');
  assert.ok(used > 0 && used < stat.map_bytes);
  assert.deepEqual(stat, { path: db, format: 2, map_bytes: 64 << 20, readers: 1, readers_max: 1024,
    tenants: 2, records: 3, versions: 5 });
  assert.match(text('stat'), /^store .*\nformat +2\n(.+ \d+\n){7}$/);
});

test('what is not there, or makes no sense, is named', () => {
  const { text, fails, db } = store();
  text('set', ...acme, key, '1');
  for (const args of [['get', key], ['history', key], ['restore', key, 1], ['unset', key], ['list']])
    fails(1, /: nope: there is no such tenant in the store$/, ...args, '--tenant', 'nope');
  for (const args of [['get'], ['history'], ['restore'], ['unset'], ['set']]) {
    fails(2, /: which key\? see --help$/, ...args, ...acme);
    fails(2, /: Timer: no such config key, see --help$/, ...args, ...acme, 'Timer');
    fails(2, /: --tenant: is required$/, ...args, key);
    fails(2, /: --tenant: must be of a-z/, ...args, key, '--tenant', 'A/b');
  }
  fails(2, /: which version\?/, 'restore', ...acme, key);
  fails(2, /: VERSION: must be a number from 1 /, 'restore', ...acme, key, '0');
  fails(1, /: VERSION: version 9 of .* does not exist, or is no longer kept$/, 'restore', ...acme, key, '9');
  fails(1, /: --version: version 9 of .* of acme does not exist, or is no longer kept$/, 'get', ...acme, key, '--version', 9);
  fails(2, /: --version: must be a number/, 'set', ...acme, key, '1', '--version', 'x');
  fails(2, /: --limit: must be a number from 1/, 'history', ...acme, key, '--limit', 0);
  fails(2, /: --subject: must not be longer than 255/, 'set', ...acme, key, '1', '--subject', 'x'.repeat(256));
  fails(2, /: more: not expected here/, 'get', ...acme, key, 'more');
  fails(2, /: --map-size: must be from 1048576 to 70368744177664 bytes \(K, M, G and T are allowed\), not "1x"$/, 'get', ...acme, key, '--map-size', '1x');
  fails(2, /: --history: must be a number from 1/, 'set', ...acme, key, '1', '--history', 0);
  fails(2, /: --syslog: must be yes or no, not "1"$/, 'set', ...acme, key, '1', '--syslog=1');
  fails(2, /: --json: must be yes or no, not "x"$/, 'get', ...acme, key, '--json=x');
  assert.equal(text('get', ...acme, key), '1\n');

  const missing = join(root, 'missing');
  for (const args of [['list', ...acme], ['set', ...acme, key, '1'], ['tenants'], ['stat']])
    fails(1, /: there is no store in this directory$/, ...args, '--db', missing);
  assert.ok(!existsSync(missing));
  writeFileSync(join(root, 'data.mdb'), 'no store');
  fails(1, /data\.mdb is not a store, or is damaged/, 'stat', '--db', root);
  assert.ok(existsSync(join(db, 'data.mdb')));
});

test('the options of the service hold, and without them its store stays as it is', () => {
  const { text, json, lines } = store('--history', '3');
  for (let i = 1; i <= 20; i++) text('set', ...acme, key, i);
  assert.equal(lines('history', ...acme, key).length, 20);
  assert.equal(lines('history', ...acme, key, '--history', 3).length, 3);
  text('set', ...acme, key, 21, '--history', 1);
  assert.deepEqual(lines('history', ...acme, key).map(({ version }) => version), [21]);
  assert.equal(json('stat').map_bytes, 64 << 20);
  text('set', ...acme, key, 22, '--map-size', '128M');
  assert.equal(json('stat').map_bytes, 128 << 20);
});

test('a full store is left as it was', () => {
  const { json, run } = store('--map-size', '1M');
  const many = JSON.stringify(Array(7000).fill('store'));
  const set = () => run(['set', ...acme, 'cancellation_allowed_from', many]);
  let [version, result] = [0, set()];
  while (result.status === 0 && version++ < 100) result = set();
  assert.deepEqual([result.status, result.stdout, result.stderr],
    [1, '', 'orderconf set: the store is full, or its disk is']);
  assert.deepEqual(result.events.map(({ event }) => event), ['store_full']);
  assert.equal(json('get', ...acme, 'cancellation_allowed_from').version, version);
  assert.equal(json('set', ...acme, key, '1').version, 1); // there is room for less
});

test('as root, a file that it makes is the service\'s', { skip: process.getuid() !== 0 }, () => {
  const { db, text } = store();
  rmSync(join(db, 'lock.mdb'));
  for (const path of [db, join(db, 'data.mdb')]) chownSync(path, 65534, 65534);
  chmodSync(root, 0o755);
  text('set', ...acme, key, '1');
  const { uid, gid } = statSync(join(db, 'lock.mdb'));
  assert.deepEqual([uid, gid], [65534, 65534]);
});

test('the author is the one who is logged in', () => {
  const { text, lines } = store();
  text('set', ...acme, key, '1');
  const name = spawnSync('sh', ['-c', 'logname 2>/dev/null || id -un'], { encoding: 'utf8' }).stdout.trim();
  assert.equal(lines('history', ...acme, key)[0].updated_by, `cli:${name}`);
});

test('without a name the author is a number', { skip: process.getuid() !== 0 }, () => {
  const { db, lines } = store();
  const copy = join(root, 'orderconf'); // where anybody may get at it
  copyFileSync(admin, copy);
  chmodSync(root, 0o755);
  for (const path of [db, join(db, 'data.mdb'), join(db, 'lock.mdb')])
    if (existsSync(path)) chownSync(path, 54321, 54321);
  const { status, stderr } = spawnSync(copy, ['set', '--db', db, ...acme, key, '1'],
    { env: cleanEnv(), encoding: 'utf8', uid: 54321, gid: 54321 });
  assert.equal(status, 0, stderr);
  const name = spawnSync('logname', { encoding: 'utf8' }).stdout.trim() || '54321';
  assert.equal(lines('history', ...acme, key)[0].updated_by, `cli:${name}`);
});

test('what cannot be printed is a failure', () => {
  const { db, text } = store();
  text('set', ...acme, key, '1');
  const { status, stderr } = spawnSync('/bin/sh',
    ['-c', '"$1" get --db "$2" --tenant acme "$3" >/dev/full', 'sh', admin, db, key],
    { env: cleanEnv(), encoding: 'utf8' });
  assert.deepEqual([status, stderr], [1, 'orderconf get: could not write: No space left on device\n']);
});

test('help tells the options, and no store is needed for it', () => {
  for (const name of ['get', 'set', 'unset', 'list', 'history', 'restore', 'tenants', 'stat']) {
    const { status, stdout } = orderconf([name, '--help']);
    assert.equal(status, 0);
    assert.match(stdout, / --db DIR /);
    assert.match(stdout, / --json /);
  }
});
