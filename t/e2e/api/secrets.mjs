// SPDX-License-Identifier: MIT
// The webhook's api_key: encrypted in the store, masked for tokens without the
// scope, and never shown when it cannot be decrypted.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCgi } from '../lib/cgi.mjs';
import { assertProblem } from '../lib/contract.mjs';
import { assertDescribed, operationOf } from '../lib/document.mjs';
import { assertVersion, versionOf } from '../lib/etag.mjs';
import { service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import {
  MASK,
  WEBHOOK,
  assertNowhere,
  hook,
  keySet,
  writeKeys,
} from '../lib/secrets.mjs';
import { BASE, factory } from '../lib/stack.mjs';

const { make } = factory();
const HISTORY = '/config/sales_order/{key}/history';
const LIST = '/config/sales_order';

/** A stack whose key file holds these kids; none: it has no such option. */
async function startWith(kids, options = {}) {
  const stack = make({ options });
  stack.secretKeys = join(stack.dir, 'secrets.json');
  if (kids.length > 0) {
    writeKeys(stack.secretKeys, keySet(...kids));
    stack.options['secret-keys'] = stack.secretKeys;
  }
  await stack.startService();
  await stack.startNginx();
  return stack;
}

/** The same store, with other keys from now on. */
async function restartWith(stack, ...kids) {
  await stack.stopService();
  delete stack.options['secret-keys'];
  if (kids.length > 0) {
    writeKeys(stack.secretKeys, keySet(...kids));
    stack.options['secret-keys'] = stack.secretKeys;
  }
  await stack.startService();
}

/** Every way to read the secret of a tenant: [operation, answer, value of it]. */
async function reads(stack, tenant, claims) {
  const token = stack.token(tenant, claims);
  const ask = (path) => stack.request({ token, path });
  const get = operationOf('GET', `/config/sales_order/${WEBHOOK}`);
  return [
    [get, await ask(BASE + WEBHOOK), (json) => json.value],
    [get, await ask(`${BASE}${WEBHOOK}?version=1`), (json) => json.value],
    [
      operationOf('GET', LIST),
      await ask(BASE.slice(0, -1)),
      (json) => json[WEBHOOK].value,
    ],
    [
      operationOf('GET', HISTORY),
      await ask(`${BASE}${WEBHOOK}/history`),
      (json) => json.history.at(-1).value,
    ],
  ];
}

async function assertReads(stack, tenant, expected, claims) {
  for (const [operation, answer, valueOf] of await reads(
    stack,
    tenant,
    claims,
  )) {
    assert.equal(answer.status, 200, answer.text);
    assertDescribed(operation, answer);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.deepEqual(valueOf(answer.json), expected);
    assert.doesNotMatch(answer.text, /sealed/);
  }
}

const store = (stack, tenant, value, { claims, query = '', headers } = {}) =>
  stack.request({
    token: stack.token(tenant, claims),
    method: 'POST',
    path: BASE + WEBHOOK + query,
    body: { value },
    headers,
  });

const restore = (stack, tenant, version, claims) =>
  stack.request({
    token: stack.token(tenant, claims),
    method: 'POST',
    path: `${BASE}${WEBHOOK}/history`,
    body: { restore_version: version },
  });

test('a secret is encrypted at rest, and read in the clear', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  const secret = 's3cret-of-the-first-version';
  const answer = await store(stack, tenant, hook(secret));
  assertDescribed(operationOf('POST', `/config/sales_order/${WEBHOOK}`), answer);
  assert.deepEqual(answer.json.value, hook(secret));
  assert.equal(answer.headers['cache-control'], 'no-store');
  await assertReads(stack, tenant, hook(secret));

  const dry = await store(stack, tenant, hook('another-s3cret'), {
    query: '?validate_only=true',
  });
  assert.deepEqual(dry.json.value, hook('another-s3cret'));
  assert.equal(dry.headers['cache-control'], 'no-store');
  const again = await restore(stack, tenant, 1);
  assert.deepEqual(again.json.value, hook(secret));
  assert.equal(again.headers['cache-control'], 'no-store');

  // In nothing that the service or nginx wrote: database, metrics and log.
  assert.ok(assertNowhere(stack.dir, secret, 'another-s3cret') > 5);
  const { k } = keySet('k1').keys[0];
  assertNowhere(join(stack.dir, 'db'), k, Buffer.from(k, 'base64url'));
  const database = readFileSync(join(stack.dir, 'db', 'data.mdb'));
  assert.ok(database.includes('"kid":"k1"'));
  await stack.stop();
});

test('other settings are stored as they are', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  const value = ['store', 'dc'];
  await stack.post(tenant, 'cancellation_allowed_from', { value });
  const database = readFileSync(join(stack.dir, 'db', 'data.mdb'));
  assert.ok(database.includes(JSON.stringify(value)));
  assert.ok(!database.includes('"kid"'));
});

test('what was stored before there were keys reads on', async () => {
  const stack = await startWith([]);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('in-the-clear'));
  await restartWith(stack, 'k1');
  await assertReads(stack, tenant, hook('in-the-clear'));
});

test('all keys of the file decrypt, the first encrypts', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('by-k1'));
  await restartWith(stack, 'k2', 'k1');
  await assertReads(stack, tenant, hook('by-k1'));
  const other = stack.tenant();
  await store(stack, other, hook('by-k2'));
  await restartWith(stack, 'k2');
  await assertReads(stack, other, hook('by-k2'));
  assertProblem(await stack.get(tenant, WEBHOOK), 500, 'secret_unreadable');
});

test('without the right key it is a 500, and the log says why', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  const limit = { soft_limit_for_big_orders: 7 };
  await stack.post(tenant, 'big_sales_order', { value: limit });
  await store(stack, tenant, hook('no-longer-there'));
  const fake = { keys: [{ ...keySet('k2').keys[0], kid: 'k1' }] };
  for (const [keys, reason] of [
    [null, 'no secret keys are set'],
    [keySet('k2'), 'there is no such secret key'],
    [fake, 'it is damaged, or belongs to another tenant, config key or secret key'],
  ]) {
    await stack.stopService();
    delete stack.options['secret-keys'];
    if (keys)
      stack.options['secret-keys'] = writeKeys(stack.secretKeys, keys);
    rmSync(stack.logFile);
    await stack.startService();

    for (const [operation, answer] of await reads(stack, tenant)) {
      assertDescribed(operation, answer);
      assertProblem(
        answer,
        500,
        'secret_unreadable',
        /^external_order_webhook: the stored api_key cannot be read, see the log$/,
      );
      assert.equal(answer.headers.etag, undefined);
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.doesNotMatch(answer.text, /no-longer|sealed|a\.example/);
    }
    assertProblem(await restore(stack, tenant, 1), 500, 'secret_unreadable');
    // For lack of keys, nothing is put in the clear in its place.
    if (!keys)
      assertProblem(
        await store(stack, tenant, hook('in-the-clear')),
        500,
        'secret_unreadable',
      );
    const events = stack
      .events()
      .filter(({ event }) => event === 'secret_unreadable');
    assert.equal(events.length, keys ? 5 : 6);
    for (const event of events) {
      assert.equal(event.level, 'error');
      assert.deepEqual(
        [event.tenant, event.key, event.version, event.kid, event.reason],
        [tenant, WEBHOOK, 1, 'k1', reason],
      );
      assert.match(event.request_id, /^[0-9a-f]+$/);
    }

    const other = await stack.get(tenant, 'big_sales_order');
    assert.deepEqual(other.json.value, limit);
    assert.equal(
      (await stack.post(tenant, 'big_sales_order', { value: limit })).status,
      200,
    );
  }
  // A new secret mends it, and what is there is not lost for its key.
  assert.equal((await store(stack, tenant, hook('anew'))).status, 200);
  const now = await stack.get(tenant, WEBHOOK);
  assert.deepEqual(now.json.value, hook('anew'));
  assertProblem(
    await stack.get(tenant, `${WEBHOOK}?version=1`),
    500,
    'secret_unreadable',
  );
  await stack.stop();
});

test('a key file that cannot be used is an error at start', async () => {
  const stack = make();
  const path = join(stack.dir, 'secrets.json');
  const good = JSON.stringify(keySet('k1'));
  for (const [text, mode, expected] of [
    [null, 0, /^No such file or directory$/],
    [good, 0o644, /^is open to others \(mode 0644\); the mode must be 0640 or less$/],
    ['{', 0o600, /^1:\d+: is not valid JSON: /],
    ['{"keys":[]}', 0o600, /^keys: must be an array with at least one key$/],
    [good.replace('oct', 'RSA'), 0o600, /^keys\[0\]\.kty: must be "oct"$/],
    [good.replace('"kid"', '"id"'), 0o600, /^keys\[0\]\.kid: must be a text/],
    [good.replace(/"k":"./, '"k":"'), 0o600, /^keys\[0\]\.k: must be 32 bytes/],
    [JSON.stringify(keySet('k1', 'k1')), 0o600, /^keys\[1\]\.kid: another key has the same kid/],
  ]) {
    if (text !== null) writeKeys(path, text, mode);
    const log = join(stack.dir, 'start.log');
    rmSync(log, { force: true });
    const program = new Program(
      service,
      [...stack.args(), `--secret-keys=${path}`],
      { log },
    );
    assert.deepEqual(await program.ended, { code: 1, signal: null });
    const { reason } = program
      .log()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .find(({ event }) => event === 'secret_keys_not_opened');
    assert.ok(reason.startsWith(`${path}:`), reason);
    assert.match(reason.slice(path.length + 1).trimStart(), expected);
    assert.ok(!program.log().includes(keySet('k1').keys[0].k));
  }
});

test('a changed key file is read at SIGHUP, and a broken one is not taken', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('by-k1'));
  const kidsOf = () =>
    [
      ...readFileSync(join(stack.dir, 'db', 'data.mdb'), 'latin1').matchAll(
        /"kid":"(\w+)"/g,
      ),
    ].map((match) => match[1]);
  writeKeys(stack.secretKeys, '{"keys":');
  stack.service.kill('SIGHUP');
  await until('a successor did not take it', () =>
    stack.events().some(({ event }) => event === 'secret_keys_not_opened'),
  );
  await assertReads(stack, tenant, hook('by-k1'));
  assert.deepEqual([...new Set(kidsOf())], ['k1']);

  writeKeys(stack.secretKeys, keySet('k2', 'k1'));
  await store(stack, tenant, hook('still-by-k1'));
  assert.deepEqual([...new Set(kidsOf())], ['k1']);
  const before = stack.service.children();
  stack.service.kill('SIGHUP');
  await until('all workers are new', () => {
    const pids = stack.service.children();
    return pids.length === 2 && !pids.some((pid) => before.includes(pid));
  });
  await store(stack, tenant, hook('by-k2'));
  assert.ok(kidsOf().includes('k2'));
  const read = async (query) =>
    (await stack.get(tenant, WEBHOOK + query)).json.value;
  assert.deepEqual(await read(''), hook('by-k2'));
  assert.deepEqual(await read('?version=1'), hook('by-k1'));
});

const scoped = { 'secret-scope': 'conf:secret' };
const full = { scope: 'conf:secret' };

for (const kids of [['k1'], []]) {
  const where = kids.length > 0 ? 'encrypted' : 'in the clear';

  test(`without the scope a secret is masked, ${where}`, async () => {
    const stack = await startWith(kids, scoped);
    const tenant = stack.tenant();
    for (const [claims, shown] of [
      [full, 'one'],
      [{}, MASK],
      [{ scope: 'conf:secrets other' }, MASK],
    ]) {
      const answer = await store(stack, tenant, hook('one'), { claims });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json.value, hook(shown));
      assert.equal(answer.headers['cache-control'], 'no-store');
      const dry = await store(stack, tenant, hook('one'), {
        claims,
        query: '?validate_only=true',
      });
      assert.deepEqual(dry.json.value, hook(shown));
      const again = await restore(stack, tenant, 1, claims);
      assert.deepEqual(again.json.value, hook(shown));
      await assertReads(stack, tenant, hook(shown), claims);
    }
    await stack.stop();
  });

  test(`the mask, posted back, keeps the secret, ${where}`, async () => {
    const stack = await startWith(kids, scoped);
    const tenant = stack.tenant();
    await store(stack, tenant, hook('kept'), { claims: full });
    for (const claims of [{}, full]) {
      const read = await stack.request({
        token: stack.token(tenant),
        path: BASE + WEBHOOK,
      });
      const changed = { ...read.json.value, url: 'https://a.example/b' };
      assert.equal(changed.api_key, MASK);
      const answer = await store(stack, tenant, changed, {
        claims,
        headers: { 'if-match': read.headers.etag },
      });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(
        answer.json.value,
        hook(claims === full ? 'kept' : MASK, 'https://a.example/b'),
      );
      const now = await stack.request({
        token: stack.token(tenant, full),
        path: BASE + WEBHOOK,
      });
      assert.deepEqual(now.json.value, hook('kept', 'https://a.example/b'));
      assert.equal(now.headers.etag, answer.headers.etag);
    }
    // A masked restore takes what is stored.
    assert.equal((await restore(stack, tenant, 1)).status, 200);
    const now = await stack.request({
      token: stack.token(tenant, full),
      path: BASE + WEBHOOK,
    });
    assert.deepEqual(now.json.value, hook('kept'));
    if (kids.length > 0) assertNowhere(join(stack.dir, 'db'), 'kept');
    assertNowhere(join(stack.dir, 'db'), MASK);
  });
}

test('the mask keeps no secret for another server', async () => {
  const stack = await startWith(['k1'], scoped);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('kept', 'https://a.example/in'));
  for (const url of [
    'https://evil.example/',
    'https://a.example.evil.example/',
    'https://a.example@evil.example/',
    'https://evil.example/?https://a.example/in',
    'https://a.example:8443/in',
    'http://a.example/in',
    'https://user@a.example/in',
    'https://a.example./in',
    'mailto:a@a.example',
  ])
    for (const claims of [{}, full])
      for (const query of ['', '?validate_only=true']) {
        const answer = await store(stack, tenant, hook(MASK, url), {
          claims,
          query,
        });
        assertDescribed(
          operationOf('POST', `/config/sales_order/${WEBHOOK}`),
          answer,
        );
        assertProblem(
          answer,
          400,
          'validation_failed',
          /^value\.api_key: is the mask, but the scheme, user, host or port of value\.url differs from the stored one: send the api_key itself$/,
        );
        assert.doesNotMatch(answer.text, /kept/);
      }
  await assertReads(stack, tenant, hook('kept', 'https://a.example/in'), full);

  for (const url of [
    'https://a.example/other',
    'HTTPS://A.EXAMPLE:443/in?x',
    'https://%61.example:/in',
  ]) {
    const answer = await store(stack, tenant, hook(MASK, url));
    assert.equal(answer.status, 200, answer.text);
    const now = await stack.request({
      token: stack.token(tenant, full),
      path: BASE + WEBHOOK,
    });
    assert.deepEqual(now.json.value, hook('kept', url));
  }

  // With a secret of its own it may go anywhere; and an old version has its own.
  const own = hook('own', 'https://evil.example/');
  assert.equal((await store(stack, tenant, own)).status, 200);
  assert.equal(
    (await store(stack, tenant, hook(MASK, 'https://a.example/in'))).status,
    400,
  );
  assert.equal((await restore(stack, tenant, 1)).status, 200);
  const now = await stack.request({
    token: stack.token(tenant, full),
    path: BASE + WEBHOOK,
  });
  assert.deepEqual(now.json.value, hook('kept', 'https://a.example/in'));
  await stack.stop();
});

test('the mask with nothing to keep is refused', async () => {
  const stack = await startWith(['k1'], scoped);
  const tenant = stack.tenant();
  for (const query of ['', '?validate_only=true']) {
    const answer = await store(stack, tenant, hook(MASK), { query });
    assertDescribed(
      operationOf('POST', `/config/sales_order/${WEBHOOK}`),
      answer,
    );
    assertProblem(
      answer,
      400,
      'validation_failed',
      /^value\.api_key: is the mask, but there is no stored api_key to keep$/,
    );
  }
  assertProblem(await stack.get(tenant, WEBHOOK), 404, 'config_not_set');
});

test('the mask with more than fits beside the secret is refused', async () => {
  const stack = await startWith(['k1'], scoped);
  const tenant = stack.tenant();
  const secret = 's'.repeat(40000);
  await store(stack, tenant, hook(secret));
  for (const query of ['', '?validate_only=true']) {
    const value = hook(MASK, `https://a.example/${'u'.repeat(30000)}`);
    const answer = await store(stack, tenant, value, { query });
    assertDescribed(
      operationOf('POST', `/config/sales_order/${WEBHOOK}`),
      answer,
    );
    assertProblem(
      answer,
      400,
      'validation_failed',
      /^value: must be at most 65600 bytes together with the stored api_key$/,
    );
    assertVersion(answer, 1);
  }
  await assertReads(stack, tenant, hook(secret), full);
  const fits = hook(MASK, `https://a.example/${'u'.repeat(20000)}`);
  assert.equal((await store(stack, tenant, fits)).status, 200);
  const now = await stack.request({
    token: stack.token(tenant, full),
    path: BASE + WEBHOOK,
  });
  assert.deepEqual(now.json.value, { ...fits, api_key: secret });
  // A page of history ends before what has no room in it.
  const { json, headers } = await stack.request({
    token: stack.token(tenant, full),
    path: `${BASE}${WEBHOOK}/history`,
  });
  assert.equal(json.history.length, 1);
  assert.match(headers.link, /before=2>; rel="next"/);
  await stack.stop();
});

test('without --secret-scope the mask is a secret like any other', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('other'));
  const answer = await store(stack, tenant, hook(MASK));
  assert.deepEqual(answer.json.value, hook(MASK));
});

// Each write either sets a secret or keeps one. Whoever keeps it must have kept
// the one of the version before, or nothing is as it should be.
test('a kept secret is that of the version which was replaced', async () => {
  const stack = await startWith(['k1'], scoped);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('s0'), { claims: full });
  const writes = Array.from({ length: 64 }, (_, i) =>
    store(
      stack,
      tenant,
      hook(i % 2 ? MASK : `s${i}`, `https://a.example/${i}`),
      { claims: full },
    ),
  );
  const answers = await Promise.all(writes);
  const statuses = new Set(answers.map(({ status }) => status));
  for (const status of statuses) assert.ok([200, 409].includes(status), status);

  const { json } = await stack.request({
    token: stack.token(tenant, full),
    path: `${BASE}${WEBHOOK}/history?limit=100`,
  });
  const history = json.history.reverse();
  assert.equal(
    history.length,
    1 + answers.filter(({ status }) => status === 200).length,
  );
  history.slice(1).forEach(({ value, version }, i) => {
    const number = Number(value.url.split('/').at(-1));
    const expected = number % 2 ? history[i].value.api_key : `s${number}`;
    assert.equal(value.api_key, expected, `version ${version}`);
  });
});

test('a mask that lost its race is a 409, or a 412 with If-Match', async () => {
  const stack = await startWith(['k1'], scoped);
  const tenant = stack.tenant();
  const first = await store(stack, tenant, hook('one'));
  await store(stack, tenant, hook('two'));
  const answer = await store(stack, tenant, hook(MASK), {
    headers: { 'if-match': first.headers.etag },
  });
  assertProblem(answer, 412, 'precondition_failed');
  assertVersion(answer, 2);
  // 409 without it is in the test above, and in t/unit/api/secret_mask.c.
});

test('a masked answer has the same tag as an open one', async () => {
  const stack = await startWith(['k1'], scoped);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('one'));
  const tags = [];
  for (const claims of [{}, full])
    for (const [, answer] of await reads(stack, tenant, claims))
      tags.push(answer.headers.etag);
  assert.deepEqual(tags.slice(0, 4), tags.slice(4));
  assert.equal(versionOf(tags[0]), 1);
});

test('plain CGI has the same keys, and answers without them', async () => {
  const stack = await startWith(['k1']);
  const tenant = stack.tenant();
  await store(stack, tenant, hook('by-cgi'));
  const ask = (...args) =>
    runCgi(stack, stack.params('GET', WEBHOOK, { tenant }), '', { args });
  const read = await ask('--secret-keys', stack.secretKeys);
  assert.equal(read.code, 0);
  assert.match(read.stdout, /^Status: 200/);
  assert.match(read.stdout, /"api_key":"by-cgi"/);
  const without = await ask();
  assert.match(without.stdout, /^Status: 500/);
  assert.match(without.stdout, /"secret_unreadable"/);
  const broken = await ask('--secret-keys', '/nonexistent');
  assert.equal(broken.code, 0);
  assert.match(broken.stdout, /^Status: 500/);
  assert.match(broken.stderr, /"secret_keys_not_opened"/);
});
