// SPDX-License-Identifier: MIT
// orderconf token check: each rule of the service, kept or broken.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { orderconf } from '../lib/admin.mjs';
import { claimsOf, encode, ISSUER, makeKey, now, sign } from '../lib/token.mjs';

const dir = mkdtempSync(join(tmpdir(), 'oc-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const key = makeKey('ES256', 'k1');
const other = makeKey('ES256', 'k1');
writeFileSync(join(dir, 'acme.json'), JSON.stringify({ keys: [key.jwk] }));

const RULES = [
  'length', 'form', 'algorithm', 'no critical extension', 'type', 'issuer and tenant',
  'known key', 'signature', 'not expired', 'valid already', 'audience', 'subject',
  'scope to read', 'scope to write', 'scope to see secrets',
];
const env = { ORDERCONF_ISSUER: ISSUER, ORDERCONF_JWKS: join(dir, '{tenant}.json') };

const token = (claims = {}, header = {}, by = key, tenant = 'acme') =>
  sign(
    { alg: 'ES256', kid: 'k1', ...header },
    claimsOf(tenant, claims),
    by.privateKey,
    'ES256',
  );

/** What is not "pass", as {rule: result}; the token stands nowhere. */
function check(text, more = {}, args = []) {
  const result = orderconf(['token', 'check', '--json', ...args, text], { env: { ...env, ...more } });
  assert.equal(result.stderr, '');
  assert.ok(!result.stdout.includes(text.slice(0, 40)) || text === '');
  const { accepted, tenant, rules } = JSON.parse(result.stdout);
  assert.equal(result.status, accepted ? 0 : 1);
  assert.deepEqual(rules.map(({ rule }) => rule), RULES);
  for (const { result: of, message } of rules)
    assert.equal(message === undefined, of === 'pass');
  return {
    accepted,
    tenant,
    broken: Object.fromEntries(
      rules.filter(({ result: of }) => of !== 'pass').map(({ rule, result: of }) => [rule, of]),
    ),
    messages: rules.map(({ message }) => message).filter(Boolean),
  };
}

test('a good token keeps them all', () => {
  assert.deepEqual(check(token()), { accepted: true, tenant: 'acme', broken: {}, messages: [] });
});

test('each rule is broken by itself', () => {
  const fail = (...rules) => Object.fromEntries(rules.map((rule) => [rule, 'fail']));
  for (const [text, broken, more] of [
    [token({ exp: now() - 1 }), fail('not expired')],
    [token({ exp: 'soon' }), fail('not expired')],
    [token({ nbf: now() + 600 }), fail('valid already')],
    [token({ iat: now() + 600 }), fail('valid already')],
    [token({ aud: 'web' }), fail('audience'), { ORDERCONF_AUDIENCE: 'api' }],
    [token({ sub: 7 }), fail('subject')],
    [token({}, { typ: 'logout+jwt' }), fail('type')],
    [token({}, { crit: ['x'] }), fail('no critical extension')],
    [token({}, {}, other), fail('signature')],
  ]) {
    const found = check(text, more);
    for (const rule of ['scope to read', 'scope to write', 'scope to see secrets'])
      if (found.broken[rule] === 'unknown') delete found.broken[rule];
    assert.deepEqual([found.accepted, found.broken], [false, broken]);
    assert.equal(found.tenant, 'acme');
  }
});

test('several rules are broken at once', () => {
  const found = check(token({ exp: now() - 1, aud: 'web', nbf: now() + 600 }, {}, other), {
    ORDERCONF_AUDIENCE: 'api',
  });
  assert.deepEqual(Object.keys(found.broken), ['signature', 'not expired', 'valid already', 'audience']);
});

test('what leaves nothing to ask is unknown', () => {
  const unknown = (from, ...failed) =>
    Object.fromEntries(RULES.slice(from).map((rule) => [rule, failed.includes(rule) ? 'fail' : 'unknown']));
  assert.deepEqual(check('x.y').broken, unknown(1, 'form'));
  assert.deepEqual(check('a'.repeat(17000)).broken, unknown(0, 'length'));
  assert.deepEqual(check(token({ iss: 'https://elsewhere.example/' })).broken, {
    'issuer and tenant': 'fail',
    'known key': 'unknown',
    signature: 'unknown',
  });
  assert.deepEqual(check(token({}, { kid: 'k2' })).broken, { 'known key': 'fail', signature: 'unknown' });
  assert.deepEqual(check(token({}, {}, key, 'brio')).broken, { 'known key': 'fail', signature: 'unknown' });
  assert.deepEqual(check(`${encode({ alg: 'none' })}.${encode(claimsOf('acme'))}.AA`).broken, {
    algorithm: 'fail',
    'known key': 'unknown',
    signature: 'unknown',
  });
});

test('what a token may do is told, and no refusal', () => {
  const scopes = { ORDERCONF_READ_SCOPE: 'r', ORDERCONF_WRITE_SCOPE: 'w', ORDERCONF_SECRET_SCOPE: 's' };
  const found = check(token({ scope: 'r x' }), scopes);
  assert.deepEqual(found.broken, { 'scope to write': 'fail', 'scope to see secrets': 'fail' });
  assert.equal(found.accepted, true);
});

test('the settings are the service\'s', () => {
  assert.equal(check(token({ exp: now() - 5 }), { ORDERCONF_CLOCK_SKEW: '60' }).accepted, true);
  assert.equal(
    check(token({ iss: 'https://one.example', org: 'acme' }), {
      ORDERCONF_ISSUER: 'https://one.example',
      ORDERCONF_TENANT_CLAIM: 'org',
    }).accepted,
    true,
  );
  const wrong = orderconf(['token', 'check', 'x'], { env: { ...env, ORDERCONF_ISSUER: 'x' } });
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--issuer: must hold \{tenant\}/);
});

test('from standard input, for people', () => {
  for (const args of [['token', 'check'], ['token', 'check', '-']]) {
    const good = orderconf(args, { env, input: `${token()}\n` });
    assert.deepEqual([good.status, good.stderr], [0, '']);
    assert.match(good.stdout, /^length +pass\n[^]*^not expired +pass\n[^]*^tenant +acme\n$/m);
    assert.doesNotMatch(good.stdout, / $/m);
  }
  const late = orderconf(['token', 'check'], { env, input: token({ exp: 1 }) });
  assert.equal(late.status, 1);
  assert.match(late.stdout, /^not expired +fail +the token has expired$/m);
});
