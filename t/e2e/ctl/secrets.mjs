// SPDX-License-Identifier: MIT
// The commands and secrets: masked unless they are to be revealed, encrypted
// when they are stored, and all of them encrypted anew by rekey.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adminOf, makeStore, orderconf } from '../lib/admin.mjs';
import { until } from '../lib/process.mjs';
import {
  MASK,
  WEBHOOK,
  assertNowhere,
  hook,
  keySet,
  writeKeys,
} from '../lib/secrets.mjs';
import { factory } from '../lib/stack.mjs';

const { make } = factory();
const dirs = [];
after(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

/** A store of its own, and key files beside it. */
function scene() {
  const dir = mkdtempSync(join(tmpdir(), 'oc-'));
  dirs.push(dir);
  const db = join(dir, 'db');
  makeStore(db);
  let files = 0;
  return {
    dir,
    db,
    ...adminOf(db),
    keys: (...kids) =>
      writeKeys(join(dir, `keys-${++files}.json`), keySet(...kids)),
  };
}

const of = (tenant) => ['--tenant', tenant];
const set = (at, tenant, value, ...more) =>
  at.json('set', WEBHOOK, JSON.stringify(value), ...of(tenant), ...more);
const get = (at, tenant, ...more) =>
  JSON.parse(at.text('get', WEBHOOK, ...of(tenant), ...more));

test('what is set is encrypted, and masked when it is printed', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  const text = at.text('set', WEBHOOK, JSON.stringify(hook('s3cret-1')), ...of('acme'), ...keys);
  assert.equal(text, `${WEBHOOK} of acme is set, with version 1\n`);
  assert.deepEqual(set(at, 'acme', hook('s3cret-2'), ...keys).value, hook(MASK));
  assert.deepEqual(set(at, 'acme', hook('s3cret-3'), '--validate-only', ...keys).value, hook(MASK));
  assertNowhere(at.db, 's3cret');

  // Without keys and with keys, text and JSON.
  for (const more of [[], keys]) {
    assert.deepEqual(get(at, 'acme', ...more), hook(MASK));
    assert.deepEqual(get(at, 'acme', '--version', '1', ...more), hook(MASK));
    assert.deepEqual(at.json('get', WEBHOOK, ...of('acme'), ...more).value, hook(MASK));
    assert.deepEqual(at.json('list', ...of('acme'), ...more)[WEBHOOK].value, hook(MASK));
    const history = at.lines('history', WEBHOOK, ...of('acme'), ...more);
    assert.deepEqual(history.map(({ value }) => value), [hook(MASK), hook(MASK)]);
    for (const command of [['list'], ['history', WEBHOOK]])
      assert.doesNotMatch(at.text(...command, ...of('acme'), ...more), /s3cret|sealed/);
  }
  const reveal = ['--reveal', ...keys];
  assert.deepEqual(get(at, 'acme', ...reveal), hook('s3cret-2'));
  assert.deepEqual(get(at, 'acme', '--version', '1', ...reveal), hook('s3cret-1'));
  assert.deepEqual(at.json('list', ...of('acme'), ...reveal)[WEBHOOK].value, hook('s3cret-2'));
  assert.match(at.text('list', ...of('acme'), ...reveal), /s3cret-2/);
  assert.deepEqual(
    at.lines('history', WEBHOOK, ...of('acme'), ...reveal).map(({ value }) => value),
    [hook('s3cret-2'), hook('s3cret-1')],
  );
  assert.match(at.text('history', WEBHOOK, ...of('acme'), ...reveal), /s3cret-2.*\n.*s3cret-1/);
});

test('what is in the clear is masked, too', () => {
  const at = scene();
  assert.deepEqual(set(at, 'acme', hook('s3cret')).value, hook(MASK));
  assert.deepEqual(get(at, 'acme'), hook(MASK));
  assert.deepEqual(get(at, 'acme', '--reveal'), hook('s3cret'));
});

test('the mask keeps the secret that is there', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  at.fails(1, /^orderconf set: value\.api_key: is the mask, but there is no stored api_key to keep$/,
    'set', WEBHOOK, JSON.stringify(hook(MASK)), ...of('acme'), ...keys);
  set(at, 'acme', hook('s3cret'), ...keys);
  const value = hook(MASK, 'https://a.example/b');
  assert.deepEqual(set(at, 'acme', value, ...keys).value, value);
  assert.deepEqual(get(at, 'acme', '--reveal', ...keys), hook('s3cret', 'https://a.example/b'));
  at.fails(3, /^orderconf set: --version: /,
    'set', WEBHOOK, JSON.stringify(value), ...of('acme'), '--version', '1', ...keys);
});

test('the mask keeps no secret for another server', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  for (const [tenant, options] of [['acme', keys], ['brio', []]]) {
    set(at, tenant, hook('s3cret'), ...options);
    for (const url of ['https://evil.example/', 'http://a.example/', 'https://a.example:8443/', 'https://u@a.example/']) {
      for (const dry of [[], ['--validate-only']])
        at.fails(1, /^orderconf set: value\.api_key: is the mask, but the scheme, user, host or port of value\.url differs from the stored one: send the api_key itself$/,
          'set', WEBHOOK, JSON.stringify(hook(MASK, url)), ...of(tenant), ...dry, ...options);
      const line = join(at.dir, tenant);
      writeFileSync(line, `${JSON.stringify({ tenant, key: WEBHOOK, value: hook(MASK, url) })}\n`);
      for (const more of [[], ['--validate-only'], options])
        at.fails(1, new RegExp(`:1: value: ${WEBHOOK} of ${tenant} has a masked secret, but the scheme, user, host or port of its URL differs from the stored one: give the secret itself$`),
          'import', line, ...more);
      assert.deepEqual(get(at, tenant, '--reveal', ...keys), hook('s3cret'));
    }
    // In other words it is the same server, and its path is free.
    const same = hook(MASK, 'HTTPS://%61.EXAMPLE:443/b');
    const line = join(at.dir, tenant);
    writeFileSync(line, `${JSON.stringify({ tenant, key: WEBHOOK, value: same })}\n`);
    assert.equal(at.json('import', line, ...options).stored, 1);
    assert.equal(set(at, tenant, hook(MASK), ...options).version, 3);
    assert.equal(set(at, tenant, hook('own', 'https://b.example/'), ...options).version, 4);
    assert.deepEqual(get(at, tenant, '--version', '3', '--reveal', ...keys), hook('s3cret'));
  }
});

// Else nobody could export it and import it again.
test('a kept secret and a new URL are not larger than what can be posted', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  const large = hook('s'.repeat(65400));
  const { api_key: secret } = large;
  for (const [tenant, options] of [['acme', keys], ['brio', []]]) {
    set(at, tenant, large, ...options);
    const refused = hook(MASK, `https://a.example/${'u'.repeat(300)}`);
    at.fails(1, /^orderconf set: value: must be at most 65600 bytes together with the stored api_key$/,
      'set', WEBHOOK, JSON.stringify(refused), ...of(tenant), ...options);
    const line = join(at.dir, tenant);
    writeFileSync(line, `${JSON.stringify({ tenant, key: WEBHOOK, value: hook(MASK, `https://a.example/${'u'.repeat(1000)}`) })}\n`);
    at.fails(1, new RegExp(`:1: value: ${WEBHOOK} of ${tenant} is too large together with the stored secret$`),
      'import', line);
    assert.deepEqual(get(at, tenant, '--reveal', ...keys), large);

    const taken = hook(MASK, `https://a.example/${'u'.repeat(90)}`);
    assert.equal(set(at, tenant, taken, ...options).version, 2);
    assert.equal(get(at, tenant, '--reveal', ...keys).api_key, secret);
    writeFileSync(line, `${JSON.stringify({ tenant, key: WEBHOOK, value: taken })}\n`);
    assert.equal(at.json('import', line).unchanged, 1);
  }
  const out = join(at.dir, 'out');
  at.text('export', '--output', out);
  assert.equal(at.json('import', out, ...keys).unchanged, 2);
  const other = scene();
  const open = at.text('export', '--reveal', ...keys);
  assert.equal(JSON.parse(other.run(['import', '--json', ...keys], { input: open }).stdout).stored, 2);
});

test('a version is restored with its secret, by the first key', () => {
  const at = scene();
  set(at, 'acme', hook('s3cret-1'), '--secret-keys', at.keys('k1'));
  set(at, 'acme', hook('s3cret-2'), '--secret-keys', at.keys('k1'));
  const { value } = at.json('restore', WEBHOOK, '1', ...of('acme'), '--secret-keys', at.keys('k2', 'k1'));
  assert.deepEqual(value, hook(MASK));
  assert.deepEqual(get(at, 'acme', '--reveal', '--secret-keys', at.keys('k2')), hook('s3cret-1'));
});

test('without the key nothing is shown, and nothing stored in the clear', () => {
  const at = scene();
  set(at, 'acme', hook('s3cret'), '--secret-keys', at.keys('k1'));
  const what = `${WEBHOOK} of acme, version 1: api_key cannot be read`;
  for (const [more, reason] of [
    [[], 'no secret keys are set, kid k1'],
    [['--secret-keys', at.keys('k2')], 'there is no such secret key, kid k1'],
  ]) {
    for (const command of [['get', WEBHOOK], ['list'], ['history', WEBHOOK]])
      at.fails(1, new RegExp(`^orderconf ${command[0]}: ${what}: ${reason}$`),
        ...command, ...of('acme'), '--reveal', ...more);
    at.fails(1, new RegExp(`: ${reason}$`), 'restore', WEBHOOK, '1', ...of('acme'), ...more);
  }
  at.fails(1, /^orderconf set: --secret-keys: is required, for api_key of acme is encrypted$/,
    'set', WEBHOOK, JSON.stringify(hook('in-the-clear')), ...of('acme'));
  at.fails(1, /^orderconf set: --secret-keys: \/nonexistent: No such file or directory$/,
    'set', WEBHOOK, JSON.stringify(hook('x')), ...of('acme'), '--secret-keys', '/nonexistent');
  const open = writeKeys(join(at.dir, 'open.json'), keySet('k1'), 0o644);
  at.fails(1, /is open to others \(mode 0644\); the mode must be 0640 or less$/,
    'get', WEBHOOK, ...of('acme'), '--reveal', '--secret-keys', open);
  assert.equal(at.json('get', WEBHOOK, ...of('acme')).version, 1);
});

test('the environment names the keys', () => {
  const at = scene();
  const env = { ORDERCONF_SECRET_KEYS: at.keys('k1') };
  const { status } = at.run(['set', WEBHOOK, '-', ...of('acme')],
    { env, input: JSON.stringify(hook('s3cret')) });
  assert.equal(status, 0);
  const { stdout } = at.run(['get', WEBHOOK, ...of('acme'), '--reveal'], { env });
  assert.deepEqual(JSON.parse(stdout), hook('s3cret'));
});

/** All there is of a key, without the values. */
const history = (at, tenant, ...more) =>
  at.lines('history', WEBHOOK, ...of(tenant), ...more);

test('rekey encrypts everything with the first key, and changes nothing else', () => {
  const at = scene();
  const secrets = [];
  const put = (tenant, ...more) => {
    const value = hook(`s3cret-${secrets.length}`);
    secrets.push(value.api_key);
    set(at, tenant, value, ...more);
  };
  const k1 = at.keys('k1');
  put('acme'); // in the clear
  put('acme', '--secret-keys', k1);
  put('acme', '--secret-keys', at.keys('k2', 'k1'));
  put('acme', '--secret-keys', k1);
  put('brio');
  put('cibo', '--secret-keys', k1);
  at.text('unset', WEBHOOK, ...of('cibo'));
  at.text('set', 'external_oms', '{"enabled":true}', ...of('dodici'));

  const both = at.keys('k2', 'k1');
  const tenants = ['acme', 'brio', 'cibo'];
  const all = (keys) =>
    tenants.map((tenant) => history(at, tenant, '--reveal', '--secret-keys', keys));
  const before = all(both);
  assert.deepEqual(at.json('rekey', '--secret-keys', both),
    { kid: 'k2', tenants: 3, rewritten: 5, unreadable: 0 });
  assert.deepEqual(all(at.keys('k2')), before);
  assert.deepEqual(get(at, 'acme', '--reveal', '--secret-keys', at.keys('k2')), hook('s3cret-3'));

  // Again, there is nothing to do.
  assert.equal(at.text('rekey', '--secret-keys', both), 'rewrote 0 secrets with key k2, and checked 3 tenants\n');
  assert.deepEqual(all(at.keys('k2')), before);
  assert.deepEqual(at.json('list', ...of('dodici')).external_oms.value, { enabled: true });
});

test('rekey takes many versions, and those that are hidden already', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  for (let i = 1; i <= 70; i++) set(at, 'acme', hook(`s3cret-${i}`), '--history', '100', ...keys);
  const both = at.keys('k2', 'k1');
  const result = at.run(['rekey', '--json', '--secret-keys', both], { env: { ORDERCONF_HISTORY: '3' } });
  assert.equal(result.status, 0);
  assert.equal(JSON.parse(result.stdout).rewritten, 70);
  const versions = history(at, 'acme', '--reveal', '--secret-keys', at.keys('k2'));
  assert.deepEqual(versions.map(({ value }) => value.api_key),
    Array.from({ length: 70 }, (_, i) => `s3cret-${70 - i}`));
});

test('rekey leaves what it cannot read, says which, and does the rest', () => {
  const at = scene();
  set(at, 'acme', hook('lost'), '--secret-keys', at.keys('k0'));
  set(at, 'brio', hook('s3cret'), '--secret-keys', at.keys('k1'));
  const { status, stdout, stderr } = at.run(['rekey', '--secret-keys', at.keys('k2', 'k1')]);
  assert.equal(status, 1);
  assert.equal(stdout, 'rewrote 1 secret with key k2, and checked 2 tenants\n');
  assert.deepEqual(stderr.split('\n'), [
    `orderconf rekey: ${WEBHOOK} of acme, version 1: api_key cannot be read: there is no such secret key, kid k0`,
    'orderconf rekey: 1 secret could not be read, and was not changed',
  ]);
  assert.deepEqual(get(at, 'acme', '--reveal', '--secret-keys', at.keys('k0')), hook('lost'));
  assert.deepEqual(get(at, 'brio', '--reveal', '--secret-keys', at.keys('k2')), hook('s3cret'));
});

test('rekey needs keys, and a store', () => {
  const at = scene();
  at.fails(2, /^orderconf rekey: --secret-keys: is required, or ORDERCONF_SECRET_KEYS in the environment or the settings file$/, 'rekey');
  at.fails(1, /^orderconf rekey: --secret-keys: .*: No such file/, 'rekey', '--secret-keys', join(at.dir, 'none'));
  const { status, stderr } = orderconf(['rekey', '--db', join(at.dir, 'none'), '--secret-keys', at.keys('k1')]);
  assert.deepEqual([status, /there is no store/.test(stderr)], [1, true]);
});

// The whole rotation, as orderconf-secrets(7) has it, while clients write and read, and never
// see anything but what they wrote.
test('keys are rotated under load, and no write is lost', async () => {
  const stack = make();
  const path = writeKeys(join(stack.dir, 'secrets.json'), keySet('k1'));
  stack.options['secret-keys'] = path;
  await stack.startService();
  await stack.startNginx();
  const db = stack.options.db;
  const tenants = Array.from({ length: 4 }, () => stack.tenant());
  const written = new Map(tenants.map((tenant) => [tenant, []]));
  let done = false;
  const client = async (tenant) => {
    for (let i = 0; !done; i++) {
      const value = hook(`s3cret-${tenant}-${i}`);
      const put = await stack.post(tenant, WEBHOOK, { value });
      assert.equal(put.status, 200, put.text);
      written.get(tenant).push(value);
      const read = await stack.get(tenant, WEBHOOK);
      assert.deepEqual(read.json.value, value);
      assert.equal(read.headers.etag, put.headers.etag);
    }
  };
  const clients = tenants.map(client);
  const failed = Promise.all(clients).then(() => null, (error) => error);

  const reload = async () => {
    const count = () =>
      stack.events().filter(({ event, status }) => event === 'worker_ended' && status === 0).length;
    const before = count();
    stack.service.kill('SIGHUP');
    await until('both workers are replaced', () => count() >= before + 2);
  };
  await until('some writes', () => [...written.values()].every(({ length }) => length > 3));
  // Before one worker encrypts with it, all must know it.
  writeKeys(path, keySet('k1', 'k2'));
  await reload();
  writeKeys(path, keySet('k2', 'k1'));
  await reload();
  const at = adminOf(db);
  const { rewritten } = at.json('rekey', '--secret-keys', path);
  assert.ok(rewritten >= 16, `${rewritten}`);
  writeKeys(path, keySet('k2'));
  await reload();
  const mark = written.get(tenants[0]).length;
  await until('more writes', () => written.get(tenants[0]).length > mark + 3);
  done = true;
  assert.equal(await failed, null);

  for (const tenant of tenants) {
    const all = history(at, tenant, '--reveal', '--secret-keys', path);
    const expected = written.get(tenant).slice(-100).reverse();
    assert.deepEqual(all.slice(0, expected.length).map(({ value }) => value), expected);
    assert.equal(all[0].version, written.get(tenant).length);
  }
  assert.equal(at.json('rekey', '--secret-keys', path).rewritten, 0);
  assertNowhere(stack.dir, 's3cret');
  await stack.stop();
});

test('no key is in the store, and no secret in what is logged', () => {
  const at = scene();
  const { status, events, stderr } = at.run(
    ['set', WEBHOOK, JSON.stringify(hook('s3cret')), ...of('acme'), '--secret-keys', at.keys('k1')]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.ok(events.length > 0);
  assert.doesNotMatch(JSON.stringify(events), /s3cret/);
  const { k } = keySet('k1').keys[0];
  const database = readFileSync(join(at.db, 'data.mdb'));
  assert.ok(!database.includes(Buffer.from(k, 'base64url')));
  assert.ok(!database.includes(k));
});

/** An export's values by tenant, of the webhook alone. */
const valuesOf = (text) =>
  Object.fromEntries(text.split('\n').filter(Boolean).map((line) => JSON.parse(line))
    .filter(({ key }) => key === WEBHOOK).map(({ tenant, value }) => [tenant, value]));

/** A scene with a secret of each kind: under k1, and in the clear. */
function sceneOfBoth() {
  const at = scene();
  at.k1 = at.keys('k1');
  set(at, 'acme', hook('s3cret-a'), '--secret-keys', at.k1);
  set(at, 'brio', hook('s3cret-b'));
  at.text('set', 'big_sales_order', '{"soft_limit_for_big_orders":7}', ...of('brio'));
  return at;
}

test('an export has no secret in it, unless it is to reveal them', () => {
  const at = sceneOfBoth();
  const keyless = at.text('export');
  assert.doesNotMatch(keyless, /s3cret/);
  assert.equal(valuesOf(keyless).acme.api_key.sealed.kid, 'k1');
  assert.deepEqual(valuesOf(keyless).brio, hook(MASK));
  const open = at.text('export', '--reveal', '--secret-keys', at.k1);
  assert.deepEqual(valuesOf(open), { acme: hook('s3cret-a'), brio: hook('s3cret-b') });
  const out = join(at.dir, 'out');
  assert.equal(at.text('export', '--output', out, '--secret-keys', at.k1), '');
  assert.doesNotMatch(readFileSync(out, 'utf8'), /s3cret/);

  const { status, stderr, stdout } = at.run(['export', '--reveal', '--output', join(at.dir, 'open')]);
  assert.deepEqual([status, stdout, stderr],
    [1, '', `orderconf export: ${WEBHOOK} of acme, version 1: api_key cannot be read: no secret keys are set, kid k1`]);
  assert.throws(() => readFileSync(join(at.dir, 'open')));
});

test('a sealed export is imported where its keys are, under its own tenant', () => {
  const from = sceneOfBoth();
  const file = join(from.dir, 'export');
  from.text('rekey', '--secret-keys', from.k1);
  from.text('export', '--output', file);
  const to = scene();
  const both = ['--secret-keys', to.keys('k2', 'k1')];
  assert.deepEqual(to.json('import', file, ...both), { settings: 3, tenants: 2, stored: 3, unchanged: 0 });
  const k2 = ['--reveal', '--secret-keys', to.keys('k2')];
  assert.deepEqual(get(to, 'acme', ...k2), hook('s3cret-a'));
  assert.deepEqual(get(to, 'brio', ...k2), hook('s3cret-b'));
  assertNowhere(to.dir, 's3cret');
  // The same again, and in the clear, is nothing new.
  assert.equal(to.json('import', file, ...both).unchanged, 3);
  const open = from.text('export', '--reveal', '--secret-keys', from.k1);
  assert.equal(JSON.parse(to.run(['import', '--json', ...both], { input: open }).stdout).unchanged, 3);

  const fresh = scene();
  const says = (line, reason) => new RegExp(`^orderconf import: .*:${line}: value\\.api_key: cannot be decrypted: ${reason}$`, 'm');
  fresh.fails(1, says(1, 'no secret keys are set'), 'import', file);
  fresh.fails(1, says(1, 'there is no such secret key'), 'import', file, '--secret-keys', to.keys('k3'));
  const moved = join(from.dir, 'moved');
  writeFileSync(moved, readFileSync(file, 'utf8').replaceAll('"brio"', '"cibo"'));
  fresh.fails(1, says(3, 'it is damaged, or belongs to another tenant, config key or secret key'),
    'import', moved, '--secret-keys', from.k1);
  assert.equal(fresh.text('tenants'), '');
});

// Without the key it had, an import mends a secret as a POST does.
test('an import replaces a secret whose key is lost', () => {
  const at = scene();
  set(at, 'acme', hook('lost'), '--secret-keys', at.keys('k0'));
  const keys = ['--secret-keys', at.keys('k1')];
  const input = JSON.stringify({ tenant: 'acme', key: WEBHOOK, value: hook('anew') });
  assert.equal(JSON.parse(at.run(['import', '--json', ...keys], { input }).stdout).stored, 1);
  assert.deepEqual(get(at, 'acme', '--reveal', ...keys), hook('anew'));
});

// LMDB does not wipe what it frees, but a compacting copy has none of it.
test('a backup after rekey has no secret that once was in the clear', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  for (let i = 0; i < 20; i++) set(at, 'acme', hook(`s3cret-${i}`));
  set(at, 'brio', hook('s3cret'.repeat(1000)));
  assert.equal(at.json('rekey', ...keys).rewritten, 21);
  const copy = join(at.dir, 'copy');
  at.text('backup', copy);
  assert.ok(assertNowhere(copy, 's3cret') > 0);
  const restored = adminOf(copy);
  assert.deepEqual(get(restored, 'acme', '--reveal', ...keys), hook('s3cret-19'));
  assert.deepEqual(get(restored, 'brio', '--reveal', ...keys), hook('s3cret'.repeat(1000)));
});

test('a backup of encrypted secrets holds them as they are', () => {
  const at = scene();
  const keys = ['--secret-keys', at.keys('k1')];
  for (let i = 0; i < 20; i++) set(at, 'acme', hook(`s3cret-${i}`), ...keys);
  const copy = join(at.dir, 'copy');
  at.text('backup', copy);
  assertNowhere(at.dir, 's3cret');
  assert.deepEqual(
    history(adminOf(copy), 'acme', '--reveal', ...keys).map(({ value }) => value),
    history(at, 'acme', '--reveal', ...keys).map(({ value }) => value),
  );
});
