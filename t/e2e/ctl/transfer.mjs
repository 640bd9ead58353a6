// SPDX-License-Identifier: MIT
// orderconf export, import and diff: what goes out comes in again, all of a
// tenant or nothing, beside a running service.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { admin, cleanEnv } from '../lib/paths.mjs';
import { keySet, writeKeys } from '../lib/secrets.mjs';
import { factory } from '../lib/stack.mjs';

const root = mkdtempSync(join(tmpdir(), 'orderconf-transfer-'));
after(() => rmSync(root, { recursive: true, force: true }));
let dirs = 0;
function makeDir() {
  const dir = join(root, String(dirs++));
  mkdirSync(dir);
  return dir;
}

function run(args, input) {
  const { status, stdout, stderr } =
    spawnSync(admin, args, { env: cleanEnv(), encoding: 'utf8', input });
  assert.doesNotMatch(stderr, /Sanitizer|runtime error:/);
  return { status, stdout, stderr };
}

function succeed(args, input) {
  const { status, stdout, stderr } = run(args, input);
  assert.deepEqual([status, stderr], [0, ''], args.join(' '));
  return stdout;
}

const line = (tenant, key, value, more = {}) => JSON.stringify({ tenant, key, value, ...more });
const text = (...lines) => lines.map((one) => `${one}\n`).join('');
const settings = (exported) => exported.split('\n').filter(Boolean).map((one) => JSON.parse(one));
const without = ({ updated_at: time, ...rest }) => (assert.match(time, /^\d{4}-\d\d-\d\dT/), rest);

const replaced = (lines, at, one) => lines.map((other, i) => (i === at ? one : other));

/** A store of its own with these lines in it. */
function storeOf(...lines) {
  const dir = makeDir();
  const db = `--db=${join(dir, 'db')}`;
  if (lines.length > 0) succeed(['import', db], text(...lines));
  return { dir, db, exported: () => succeed(['export', db, '--reveal']) };
}

const GOOD = [
  line('acme', 'big_sales_order', { soft_limit_for_big_orders: 7 }),
  line('acme', 'cancellation_allowed_from', ['dc']),
  line('acme', 'external_oms', { enabled: true }),
  line('acme', 'external_order_webhook', { url: 'https://x.example/', api_key: 'ké"\\', timeout: 3 }),
  line('acme', 'on_hold_timer_duration', -5),
  line('acme', 'sales_order_generator_sequence', { prefix: 'S' }),
  line('acme-2', 'on_hold_timer_duration', 1),
  line('acme2', 'on_hold_timer_duration', 2),
];

test('what is imported is exported, in order, and imported again elsewhere', () => {
  const first = storeOf(...GOOD);
  const exported = first.exported();
  assert.deepEqual(settings(exported).map(without),
    GOOD.map((one) => ({ ...JSON.parse(one), version: 1 })));
  for (const one of exported.split('\n').filter(Boolean))
    assert.deepEqual(Object.keys(JSON.parse(one)), ['tenant', 'key', 'value', 'version', 'updated_at']);
  const sorted = spawnSync('sort', [], { env: { ...process.env, LC_ALL: 'C' }, encoding: 'utf8', input: exported });
  assert.equal(sorted.stdout, exported);

  const second = storeOf(...exported.trimEnd().split('\n'));
  assert.equal(second.exported(), exported.replaceAll(/"updated_at":"[^"]*"/g,
    `"updated_at":"${settings(second.exported())[0].updated_at}"`));
  assert.equal(succeed(['export', first.db, '--tenant=acme-2']), `${exported.split('\n')[6]}\n`);
});

test('to a file, as a whole', () => {
  const { db, dir, exported } = storeOf(...GOOD);
  const path = join(dir, 'out');
  writeFileSync(path, 'old', { mode: 0o644 });
  assert.equal(succeed(['export', db, '--reveal', '--output', path]), '');
  assert.equal(readFileSync(path, 'utf8'), exported());
  assert.equal(statSync(path).mode & 0o7777, 0o600);
  assert.deepEqual(readdirSync(dir).sort(), ['db', 'out']);

  for (const [bad, message] of [
    [dir, /is not a regular file/], ['/dev/full', /is not a regular file/],
    [join(dir, 'none', 'out'), /No such file/],
  ]) {
    const { status, stderr } = run(['export', db, '--output', bad]);
    assert.equal(status, 1);
    assert.match(stderr, message);
  }
  assert.deepEqual(readdirSync(dir).sort(), ['db', 'out']);
  const full = spawnSync('/bin/sh', ['-c', '"$1" export "$2" >/dev/full', 'sh', admin, db],
    { env: cleanEnv(), encoding: 'utf8' });
  assert.deepEqual([full.status, full.stderr],
    [1, 'orderconf export: could not write: No space left on device\n']);
});

test('the same value gets no new version', () => {
  const { db, exported } = storeOf(...GOOD);
  const before = exported();
  const change = replaced(GOOD, 4, line('acme', 'on_hold_timer_duration', 9));
  assert.deepEqual(JSON.parse(succeed(['import', db, '--json'], text(...GOOD))),
    { settings: 8, tenants: 0, stored: 0, unchanged: 8 });
  assert.equal(exported(), before);
  assert.equal(succeed(['import', db], text(...change)),
    '1 setting of 1 tenant stored, 7 unchanged\n');
  assert.deepEqual(settings(exported()).map(({ version }) => version), [1, 1, 1, 1, 2, 1, 1, 1]);
});

test('members in any order, defaults and numbers as in a POST', () => {
  const { exported } = storeOf(
    '{"version":77,"updated_at":"x","value":{"more":1,"soft_limit_for_big_orders":2e1},"key":"big_sales_order","tenant":"a"}',
    line('a', 'external_order_webhook', { url: 'a:b', api_key: 'k' }));
  assert.deepEqual(settings(exported()).map(without), [
    { tenant: 'a', key: 'big_sales_order', value: { soft_limit_for_big_orders: 20 }, version: 1 },
    { tenant: 'a', key: 'external_order_webhook', value: { url: 'a:b', api_key: 'k', timeout: 15 }, version: 1 },
  ]);
});

test('every wrong line is named, and nothing is stored', () => {
  const { db, dir, exported } = storeOf(...GOOD);
  const before = exported();
  const file = join(dir, 'in');
  const lines = [
    [line('aaa', 'on_hold_timer_duration', 5)],
    [line('acme', 'big_sales_order', {}), 'value.soft_limit_for_big_orders: is required'],
    [line('acme', 'external_oms', { enabled: 1 }), 'value.enabled: must be a boolean'],
    ['{"tenant":"acme"', 'is not valid JSON'],
    ['', 'is not valid JSON'], // a blank line, but not the last one
    ['7', 'must be an object'],
    [line('Acme', 'external_oms', { enabled: true }), 'tenant: must be of a-z'],
    [line('acme', 'nope', 1), 'key: must be the name of a config key'],
    [line('acme', 'external_oms', { enabled: true }, { no: 1 }), 'no: '],
    [line('acme', 'external_oms', undefined), 'value: is required'],
    [line('acme', 'external_oms', { enabled: true }, { version: 0 }), 'version: must be'],
    ['{"tenant":"acme","tenant":"b","key":"external_oms","value":{"enabled":true}}', 'names a member twice'],
    [line('acme', 'on_hold_timer_duration', 1).replace('1}', '9999999999999999999}'), 'value: must be'],
    [line('acme', 'external_order_webhook', { url: 'x', api_key: '', timeout: 99 }),
      'value.url: ', 'value.api_key: ', 'value.timeout: '],
    [line('acme', 'external_order_webhook', { url: 'a:b', api_key: 'k'.repeat(140000) }), 'is longer than'],
    [line('acme', 'external_order_webhook', { url: 'a:b', api_key: 'k'.repeat(66000) }), 'value: must be at most 65600 bytes'],
    [line('brio', 'external_oms', { enabled: true })],
    [line('brio', 'external_oms', { enabled: true }), 'the same tenant and key as in line 17'],
    [line('brio', 'big_sales_order', { soft_limit_for_big_orders: 1 }), 'belongs before line 18'],
    [line('acme', 'external_oms', { enabled: true })],
  ];
  writeFileSync(file, text(...lines.map(([one]) => one)));
  const expected = lines.flatMap(([, ...all], i) =>
    all.map((message) => `orderconf import: ${file}:${i + 1}: ${message}`));
  expected.push(`orderconf import: ${file}: 2 lines are out of order`);
  const { status, stdout, stderr } = run(['import', db, file]);
  assert.deepEqual([status, stdout], [1, '']);
  const said = stderr.trimEnd().split('\n');
  assert.equal(said.length, expected.length, stderr);
  for (const [i, start] of expected.entries())
    assert.ok(said[i].startsWith(start), `${said[i]}\nis not\n${start}`);
  assert.equal(exported(), before);
  assert.doesNotMatch(stderr, /kkk/);

  const other = makeDir();
  assert.equal(run(['import', `--db=${join(other, 'db')}`, file]).status, 1);
  assert.deepEqual(readdirSync(other), []); // no store was made
});

test('a byte order mark, and a blank last line, are no lines', () => {
  for (const end of ['\n', '\r\n', '\r', '']) {
    const { dir, db, exported } = storeOf();
    const file = join(dir, 'in');
    const lines = text(line('acme', 'on_hold_timer_duration', 5), line('brio', 'on_hold_timer_duration', 6));
    writeFileSync(file, `\ufeff${lines}${end}`);
    assert.match(succeed(['import', db, file]), /^2 settings of 2 tenants stored/);
    assert.equal(settings(exported()).length, 2);
  }
  const { dir, db } = storeOf();
  const file = join(dir, 'in');
  writeFileSync(file, `${line('acme', 'on_hold_timer_duration', 5)}\n\ufeff${line('brio', 'on_hold_timer_duration', 6)}\n\n\n`);
  const { status, stderr } = run(['import', db, file]);
  assert.equal(status, 1);
  assert.match(stderr, /in:2: is not valid JSON[^\n]*\n[^\n]*in:3: is not valid JSON[^\n]*\n$/);
});

test('an export in another order: one hint, which is right', () => {
  const { dir, db, exported } = storeOf();
  const many = Array.from({ length: 500 }, (_, i) =>
    line(`t${i}${i % 2 ? '-x' : ''}`, 'on_hold_timer_duration', i));
  const file = join(dir, 'in');
  writeFileSync(file, text(...many));
  const { status, stderr } = run(['import', db, file]);
  assert.equal(status, 1);
  assert.match(stderr, /^[^\n]*belongs before line[^\n]*LC_ALL=C sort[^\n]*\n[^\n]*: \d+ lines are out of order\n$/);
  const sorted = spawnSync('sort', [file], { env: { LC_ALL: 'C' }, encoding: 'utf8' });
  writeFileSync(file, sorted.stdout);
  succeed(['import', db, file]);
  assert.equal(settings(exported()).length, 500);
});

test('Ctrl-C says how far it got', async () => {
  const { dir, db, exported } = storeOf();
  const many = Array.from({ length: 60000 }, (_, i) =>
    line(`t${String(i).padStart(6, '0')}`, 'on_hold_timer_duration', i));
  const file = join(dir, 'in');
  writeFileSync(file, text(...many));
  const child = spawn(admin, ['import', db, file], { env: cleanEnv() });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (said) => { stderr += said; });
  const ended = new Promise((resolve) => { child.on('close', resolve); });
  while (!existsSync(join(dir, 'db', 'data.mdb'))) await sleep(5);
  await sleep(20);
  child.kill('SIGINT');
  assert.equal(await ended, 1, stderr);
  const [, , settled] = /interrupted at line (\d+)\n[^\n]*: (\d+) settings? of \d+ tenants? ha(?:s|ve) been stored\n$/.exec(stderr) ?? [];
  assert.ok(settled !== undefined, stderr);
  assert.equal(settings(exported()).length, Number(settled));
  assert.ok(Number(settled) < 60000);
});

test('a file that may not grow leaves no temporary file', () => {
  const { dir, db } = storeOf();
  const many = Array.from({ length: 2000 }, (_, i) =>
    line(`t${String(i).padStart(6, '0')}`, 'on_hold_timer_duration', i));
  succeed(['import', db], text(...many));
  const out = join(dir, 'out');
  mkdirSync(out);
  const { status, stderr, signal } = spawnSync('/bin/sh',
    ['-c', 'ulimit -f 8; exec "$0" export "$1" --output="$2"', admin, db, join(out, 'file')],
    { env: cleanEnv(), encoding: 'utf8' });
  assert.deepEqual([status, signal], [1, null], stderr);
  assert.match(stderr, /File too large/);
  assert.deepEqual(readdirSync(out), []);
});

test('what a terminal would act on is escaped', (t) => {
  const { dir, db } = storeOf();
  const prefix = 'a\u202eb\u0085c\u2066d\u007f';
  succeed(['import', db], text(line('acme', 'sales_order_generator_sequence', { prefix })));
  for (const args of ["get sales_order_generator_sequence", "get sales_order_generator_sequence --json", 'list', 'history sales_order_generator_sequence', 'history sales_order_generator_sequence --json']) {
    const { stdout, error } = spawnSync('script', ['-qec', `'${admin}' ${args} '${db}' --tenant=acme`, '/dev/null'],
      { env: cleanEnv({ TERM: 'xterm' }), encoding: 'utf8' });
    if (error) return t.skip('without script(1)');
    assert.ok(stdout.includes(String.raw`a\u202eb\u0085c\u2066d\u007f`), `${args}: ${JSON.stringify(stdout)}`);
    assert.doesNotMatch(stdout, /[\u202e\u0085\u2066\u007f]/);
  }
  // For a program it is what it was.
  const { stdout } = run(['get', 'sales_order_generator_sequence', db, '--tenant=acme']);
  assert.equal(JSON.parse(stdout).prefix, prefix);
  assert.ok(stdout.includes('\u202e'));
  assert.ok(existsSync(dir));
  return undefined;
});

test('what is set once stays, and the tenants beside it, too', () => {
  const { db, exported } = storeOf(...GOOD);
  const before = exported();
  const input = text(
    line('aaa', 'on_hold_timer_duration', 1),
    line('acme', 'on_hold_timer_duration', 1),
    line('acme', 'sales_order_generator_sequence', { prefix: 'other' }));
  for (const more of [[], ['--validate-only']]) {
    const { status, stdout, stderr } = run(['import', db, ...more], input);
    assert.deepEqual([status, stdout], [1, '']);
    assert.equal(stderr, 'orderconf import: standard input:3: value: sales_order_generator_sequence ' +
      'of acme is already set, and can be set only once\n');
  }
  assert.equal(exported(), before);
  // Somebody else's is not in the way of a single tenant.
  succeed(['import', db, '--tenant=aaa'], input);
  assert.equal(settings(exported())[0].tenant, 'aaa');
});

test('nouns agree with the numbers before them', () => {
  const { dir, db } = storeOf();
  const one = text(line('acme', 'big_sales_order', { soft_limit_for_big_orders: 7 }));
  assert.equal(succeed(['import', db, '--validate-only'], one), '1 setting could be stored\n');
  assert.equal(succeed(['import', db], one), '1 setting of 1 tenant stored, 0 unchanged\n');
  assert.match(succeed(['check', db]), /: sound: 1 setting, 1 version\n$/);
  const backup = join(dir, 'backup');
  assert.match(succeed(['backup', db, backup]), /: 1 setting, 1 version, \d+ bytes\n$/);
  succeed(['import', db], text(...GOOD));
  assert.match(succeed(['check', db]), /: sound: 8 settings, 8 versions\n$/);
});

test('--validate-only stores nothing', () => {
  const { db, dir } = storeOf();
  assert.equal(succeed(['import', db, '--validate-only'], text(...GOOD)), '8 settings could be stored\n');
  assert.deepEqual(readdirSync(dir), []);
});

test('one tenant of many', () => {
  const { db, exported } = storeOf();
  succeed(['import', db, '--tenant=acme-2'], text(...GOOD));
  assert.deepEqual(settings(exported()).map(({ tenant }) => tenant), ['acme-2']);
  const { status, stderr } = run(['import', db, '--tenant=brio'], text(...GOOD));
  assert.equal(status, 1);
  assert.match(stderr, /standard input: has no setting of brio\n$/);
});

test('a tenant that is nowhere is an error, not an empty export', () => {
  const { db, dir } = storeOf(...GOOD);
  const out = join(dir, 'out');
  writeFileSync(out, text(...GOOD));
  for (const [status, message, args] of [
    [1, 'orderconf export: acne: there is no such tenant in the store\n', ['export', db, '--tenant=acne']],
    [1, 'orderconf export: acne: there is no such tenant in the store\n', ['export', db, '--tenant=acne', '--output', out]],
    [2, 'orderconf diff: acne: neither side has a setting of this tenant\n', ['diff', db, '--tenant=acne', out]],
    [2, 'orderconf diff: acne: neither side has a setting of this tenant\n', ['diff', '--tenant=acne', out, out]],
  ])
    assert.deepEqual(run(args), { status, stdout: '', stderr: message });
  assert.equal(readFileSync(out, 'utf8'), text(...GOOD));
  assert.deepEqual(readdirSync(dir).sort(), ['db', 'out']);
  // One of both is enough.
  assert.equal(run(['diff', db, '--tenant=acme', '/dev/null']).status, 1);
  assert.equal(run(['diff', '--tenant=acme', '/dev/null', out]).status, 1);
});

test('files that cannot be read, and options that make no sense', () => {
  const { db, dir } = storeOf(...GOOD);
  const cases = [
    [1, /none: No such file/, ['import', db, join(dir, 'none')]],
    [1, /Is a directory/, ['import', db, dir]],
    [2, /--tenant: /, ['import', db, '--tenant=A']],
    [2, /--tenant: /, ['export', db, '--tenant=A']],
    [2, /--subject: must not be longer/, ['import', db, `--subject=${'x'.repeat(300)}`]],
    [2, /which export\?/, ['diff', db]],
    [2, /none: No such file/, ['diff', db, join(dir, 'none')]],
    [2, /there is no store/, ['diff', `--db=${dir}`, '/dev/null']],
    [1, /there is no store/, ['export', `--db=${dir}`]],
  ];
  for (const [status, message, args] of cases) {
    const result = run(args, '');
    assert.deepEqual([result.status, result.stdout], [status, ''], args.join(' '));
    assert.match(result.stderr, message);
    assert.match(result.stderr, /^orderconf (import|export|diff): [^\n]*\n$/);
  }
});

test('differences between two exports', () => {
  const { dir } = storeOf();
  const [a, b] = [join(dir, 'a'), join(dir, 'b')];
  const versioned = GOOD.map((one) => line(...Object.values(JSON.parse(one)), { version: 4 }));
  writeFileSync(a, text(...versioned));
  writeFileSync(b, text(line('aaa', 'external_oms', { enabled: true }, { version: 2 }),
    line('acme', 'big_sales_order', { soft_limit_for_big_orders: 8 }, { version: 9 }),
    line('acme', 'cancellation_allowed_from', ['dc'], { version: 5 }), ...versioned.slice(2, 6)));
  const expected = 'added   aaa external_oms 2\nchanged acme big_sales_order 4 -> 9\n' +
    'removed acme-2 on_hold_timer_duration 4\nremoved acme2 on_hold_timer_duration 4\n';
  assert.deepEqual(run(['diff', a, b]), { status: 1, stdout: expected, stderr: '' });
  const json = run(['diff', '--json', a, b]);
  assert.equal(json.status, 1);
  assert.deepEqual(settings(json.stdout), [
    { change: 'added', tenant: 'aaa', key: 'external_oms', to_version: 2 },
    { change: 'changed', tenant: 'acme', key: 'big_sales_order', from_version: 4, to_version: 9 },
    { change: 'removed', tenant: 'acme-2', key: 'on_hold_timer_duration', from_version: 4 },
    { change: 'removed', tenant: 'acme2', key: 'on_hold_timer_duration', from_version: 4 },
  ]);
  assert.deepEqual(run(['diff', a, a]), { status: 0, stdout: '', stderr: '' });
  assert.deepEqual(run(['diff', '/dev/null', '/dev/null']), { status: 0, stdout: '', stderr: '' });
  assert.equal(run(['diff', '/dev/null', a]).stdout.match(/^added /gm).length, 8);
  assert.deepEqual(run(['diff', '--tenant=acme-2', a, b]),
    { status: 1, stdout: 'removed acme-2 on_hold_timer_duration 4\n', stderr: '' });

  writeFileSync(b, text(...[...versioned].reverse()));
  for (const args of [[a, b], [b, a]]) {
    const { status, stderr } = run(['diff', ...args]);
    assert.equal(status, 2);
    assert.match(stderr, /b:2: belongs before line 1: by tenant, then by key\. .*LC_ALL=C sort puts them in order\n$/);
  }
  const full = spawnSync('/bin/sh', ['-c', '"$1" diff /dev/null "$2" >/dev/full', 'sh', admin, a],
    { env: cleanEnv(), encoding: 'utf8' });
  assert.equal(full.status, 2);
});

test('differences between an export and the store', () => {
  const { db, dir, exported } = storeOf(...GOOD);
  const file = join(dir, 'out');
  writeFileSync(file, exported());
  assert.deepEqual(run(['diff', db, file]), { status: 0, stdout: '', stderr: '' });
  succeed(['import', db], text(line('acme', 'on_hold_timer_duration', 6), line('zeta', 'external_oms', { enabled: true })));
  assert.deepEqual(run(['diff', db, file]), {
    status: 1, stderr: '',
    stdout: 'changed acme on_hold_timer_duration 1 -> 2\nadded   zeta external_oms 1\n',
  });
  assert.equal(run(['diff', db, file, '--tenant=acme-2']).status, 0);
  succeed(['import', db, file]);
  assert.equal(run(['diff', db, file]).stdout, 'added   zeta external_oms 1\n');
});

test('secrets: encrypted as they are, masked in the clear, or revealed', () => {
  const { db, dir, exported } = storeOf(...GOOD);
  const keys = `--secret-keys=${writeKeys(join(dir, 'keys'), keySet('first'))}`;
  const strange = `--secret-keys=${writeKeys(join(dir, 'strange'), keySet('strange'))}`;
  const at = (name, content) => (writeFileSync(join(dir, name), content), join(dir, name));
  const webhook = (from) => settings(from).find(({ key }) => key === 'external_order_webhook').value;
  const masked = succeed(['export', db]);
  assert.equal(webhook(masked).api_key, '********');
  assert.doesNotMatch(masked, /ké/);
  // The mask stands for the secret that is there, if there is one.
  assert.deepEqual(run(['diff', db, at('masked', masked)]), { status: 0, stdout: '', stderr: '' });
  assert.match(succeed(['import', db], masked), /^0 settings of 0 tenants stored, 8 unchanged/);
  const empty = storeOf();
  const refused = run(['import', empty.db], masked);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /:4: value: external_order_webhook of acme has a masked secret, but there is no stored one to keep/);
  assert.deepEqual(readdirSync(empty.dir), []);
  succeed(['import', db], text(line('acme', 'external_order_webhook',
    { url: 'https://x.example/y', api_key: '********', timeout: 3 })));
  assert.deepEqual(webhook(exported()), { url: 'https://x.example/y', api_key: 'ké"\\', timeout: 3 });

  // With keys it is encrypted when it goes in, and stays so when it goes out.
  const second = storeOf();
  const revealed = exported();
  succeed(['import', second.db, keys], revealed);
  const sealed = succeed(['export', second.db]);
  assert.deepEqual(Object.keys(webhook(sealed).api_key), ['sealed']);
  assert.doesNotMatch(sealed, /ké/);
  assert.deepEqual(settings(succeed(['export', second.db, '--reveal', keys])).map(({ value }) => value),
    settings(revealed).map(({ value }) => value));
  for (const more of [[], [strange]]) {
    const { status, stderr } = run(['export', second.db, '--reveal', ...more]);
    assert.equal(status, 1);
    assert.match(stderr, /^orderconf export: external_order_webhook of acme, version 1: api_key cannot be read/);
    const input = run(['import', empty.db, ...more], sealed);
    assert.equal(input.status, 1);
    assert.match(input.stderr, /:4: value\.api_key: cannot be decrypted: /);
  }
  assert.match(succeed(['import', second.db, keys], sealed), /^0 settings of 0 tenants stored, 8 unchanged/);
  assert.match(succeed(['import', second.db, keys], revealed), /^0 settings of 0 tenants stored, 8 unchanged/);
  assert.match(succeed(['import', empty.db, keys], sealed), /^8 settings of 3 tenants stored, 0 unchanged/);
  const clear = run(['import', second.db], revealed);
  assert.equal(clear.status, 1);
  assert.match(clear.stderr, /has a stored secret that cannot be decrypted; see --secret-keys/);

  // Two encryptions of one secret differ only for who has no key.
  const [a, b] = [at('a', sealed), at('b', succeed(['export', empty.db]))];
  assert.equal(run(['diff', a, b]).stdout, 'changed acme external_order_webhook 1 -> 1\n');
  assert.equal(run(['diff', a, b, keys]).status, 0);
  assert.equal(run(['diff', second.db, at('revealed', revealed), keys]).status, 0);
  assert.equal(run(['diff', second.db, a]).status, 0);
});

test('a service sees all of a tenant or nothing, and goes on writing', async () => {
  const { start } = factory();
  const stack = await start({ nginx: false });
  const db = `--db=${stack.options.db}`;
  const tenants = Array.from({ length: 40 }, () => stack.tenant()).sort();
  const round = (value) => text(...tenants.flatMap((tenant) => [
    line(tenant, 'big_sales_order', { soft_limit_for_big_orders: value }),
    line(tenant, 'on_hold_timer_duration', value)]));
  let isDone = false;
  let seen = 0;
  let value = 0;
  // A few more rounds where the machine has other things to do.
  const importing = (async () => {
    while (value < 12 || (seen <= 20 && value < 80)) {
      value++;
      const child = spawn(admin, ['import', db, '--subject=importer'], { env: cleanEnv() });
      child.stdin.end(round(value));
      assert.equal(await new Promise((resolve) => { child.on('close', resolve); }), 0);
    }
    isDone = true;
  })();
  while (!isDone) {
    const tenant = tenants[seen++ % tenants.length];
    const { status, json } = await stack.direct({ ...stack.params('GET', '', { tenant }),
      PATH_INFO: '/config/sales_order' });
    assert.equal(status, 200);
    const { settings: all = json } = json;
    assert.equal(all.big_sales_order.value.soft_limit_for_big_orders === 100
      ? 0 : all.big_sales_order.value.soft_limit_for_big_orders, all.on_hold_timer_duration.value);
    const body = '{"value":{"enabled":true}}';
    assert.equal((await stack.direct(stack.params('POST', 'external_oms', { tenant, body }), body)).status, 200);
  }
  await importing;
  assert.ok(seen > 20, 'the service was held up');
  const history = await stack.direct(stack.params('GET', 'on_hold_timer_duration/history', { tenant: tenants[0], QUERY_STRING: 'limit=100' }));
  assert.equal(history.json.history.length, value);
  assert.deepEqual([history.json.history[0].value, history.json.history[0].updated_by], [value, 'importer']);
  assert.match(history.json.history[0].request_id, /./);
  await stack.stop();
});

test('a bar on a terminal, gone at the end', (t) => {
  const many = Array.from({ length: 60000 }, (_, i) =>
    line(`t${String(i).padStart(6, '0')}`, 'on_hold_timer_duration', i));
  const { dir, db } = storeOf();
  const file = join(dir, 'in');
  writeFileSync(file, text(...many));
  const { status, stdout, error } = spawnSync('script', ['-qec', `'${admin}' import '${db}' '${file}'`, '/dev/null'],
    { env: cleanEnv({ TERM: 'xterm' }), encoding: 'utf8' });
  if (error) return t.skip('without script(1)');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /\r(check|import) \[#*-*\] +\d+%/);
  // The last that is drawn is nothing, and then there is the result.
  const cleared = stdout.lastIndexOf('\r\x1b[K');
  assert.doesNotMatch(stdout.slice(0, cleared), /stored/);
  assert.equal(stdout.slice(cleared + 4), '60000 settings of 60000 tenants stored, 0 unchanged\r\n');
  assert.ok(existsSync(join(dir, 'db')));
  return undefined;
});
