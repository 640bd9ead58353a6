// SPDX-License-Identifier: MIT
// The orderconf command: keys and tokens that the service takes, and errors
// that change nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { admin, cleanEnv } from './lib/paths.mjs';
import { Stack } from './lib/stack.mjs';
import { ISSUER } from './lib/token.mjs';

const stack = await Stack.start();
after(() => stack.kill());

let files = 0;
const fresh = (name) => join(stack.dir, `${++files}-${name}`);

/** Runs it: {status, stdout, stderr}. */
function orderconf(args, env = {}) {
  return spawnSync(admin, args, { env: cleanEnv(env), encoding: 'utf8' });
}

function succeeds(args, env) {
  const result = orderconf(args, env);
  assert.equal(result.status, 0, result.stderr);
  assert.equal(result.stderr, '');
  return result.stdout;
}

function fails(status, message, args, env) {
  const result = orderconf(args, env);
  assert.equal(result.status, status, result.stderr);
  assert.match(result.stderr, message);
  assert.equal(result.stdout, '');
}

function keygen(...more) {
  const key = fresh('key.json');
  const tenant = stack.tenant([]);
  const jwks = join(stack.keys, `${tenant}.json`);
  succeeds(['keygen', '--key', key, '--jwks', jwks, ...more]);
  return { key, tenant, jwks };
}

for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'])
  test(`${alg}: a key and a token that the service takes`, async () => {
    const { key, tenant, jwks } = keygen('--alg', alg);
    const jwk = JSON.parse(readFileSync(key, 'utf8'));
    const [entry] = JSON.parse(readFileSync(jwks, 'utf8')).keys;

    assert.equal(statSync(key).mode & 0o777, 0o600);
    assert.equal(entry.alg, alg);
    assert.equal(entry.kid, jwk.kid);
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.ok(!(secret in entry));
    const members = jwk.kty === 'RSA' ? ['e', 'kty', 'n'] : ['crv', 'kty', 'x', 'y'];
    const needed = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])));
    assert.equal(jwk.kid, crypto.createHash('sha256').update(needed).digest('base64url'));

    const token = succeeds(['token', '--tenant', tenant, '--key', key, '--issuer', ISSUER]).trim();
    const answer = await stack.request({ token, path: '/v0/config/sales_order/external_oms' });
    assert.equal(answer.status, 200, answer.text);
  });

test('a token says what it is asked to say', () => {
  const { key } = keygen('--alg', 'ES256');
  const token = succeeds(['token', '--tenant=acme', `--key=${key}`, '--scope', 'r w', '--ttl', '60',
    '--audience', 'here', '--subject', 'me', '--tenant-claim', 'org'],
  { ORDERCONF_ISSUER: 'https://one.example/' });
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  assert.equal(claims.exp - claims.iat, 60);
  assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 30);
  delete claims.exp;
  delete claims.iat;
  assert.deepEqual(claims,
    { iss: 'https://one.example/', sub: 'me', aud: 'here', scope: 'r w', org: 'acme' });
});

test('a second key joins the first, and both are good', async () => {
  const { key, tenant, jwks } = keygen();
  const second = fresh('key.json');
  succeeds(['keygen', '--key', second, '--jwks', jwks, '--bits', '3072']);
  assert.equal(JSON.parse(readFileSync(jwks, 'utf8')).keys.length, 2);
  for (const file of [key, second]) {
    const token = succeeds(['token', '--tenant', tenant, '--key', file, '--issuer', ISSUER]).trim();
    assert.equal((await stack.request({ token, path: '/v0/config/sales_order/external_oms' })).status, 200);
  }
});

test('errors of keygen change nothing', () => {
  const { key, jwks } = keygen('--alg', 'ES256');
  const before = [key, jwks].map((file) => readFileSync(file, 'utf8'));
  const other = fresh('key.json');
  const garbage = fresh('garbage.json');
  writeFileSync(garbage, '{"keys": nope}');

  fails(1, /could not make .*: File exists/, ['keygen', '--key', key, '--jwks', jwks]);
  fails(1, /not valid JSON.* at line 1, column/, ['keygen', '--key', other, '--jwks', garbage]);
  fails(1, /no array "keys"/, ['keygen', '--key', other, '--jwks', key]);
  fails(1, /could not write .*nowhere/, ['keygen', '--key', other, '--jwks', '/nowhere/set.json']);
  fails(2, /--alg: must be .* not "HS256"/, ['keygen', '--key', other, '--jwks', jwks, '--alg', 'HS256']);
  fails(2, /--bits: must be .* not "1024"/, ['keygen', '--key', other, '--jwks', jwks, '--bits', '1024']);
  fails(2, /--bits: the curve/, ['keygen', '--key', other, '--jwks', jwks, '--alg', 'ES256', '--bits', '2048']);
  fails(2, /--jwks: is required/, ['keygen', '--key', other]);

  assert.ok(!existsSync(other));
  assert.equal(readFileSync(garbage, 'utf8'), '{"keys": nope}');
  assert.deepEqual([key, jwks].map((file) => readFileSync(file, 'utf8')), before);
  assert.deepEqual(readdirSync(stack.keys).filter((name) => !name.endsWith('.json')), []);
});

test('errors of token name what is wrong', () => {
  const { key, jwks } = keygen('--alg', 'ES256');
  const token = (...more) => ['token', '--key', key, '--issuer', ISSUER, ...more];

  fails(2, /--tenant: is required/, token());
  fails(2, /--tenant: must be of/, token('--tenant', '../x'));
  fails(2, /--ttl: must be seconds from 1/, token('--tenant', 'a', '--ttl', '-1'));
  fails(2, /--subject: must be at most 255/, token('--tenant', 'a', '--subject', 's'.repeat(256)));
  fails(2, /--issuer: must hold \{tenant\}/, ['token', '--tenant', 'a', '--key', key, '--issuer', 'x']);
  fails(2, /--scopes: no such option/, token('--tenant', 'a', '--scopes', 'r'));
  fails(2, /--ttl: needs a value/, token('--tenant', 'a', '--ttl'));
  fails(1, /could not read \/nowhere/, ['token', '--tenant', 'a', '--issuer', ISSUER, '--key', '/nowhere']);
  fails(1, /cannot sign: /, ['token', '--tenant', 'a', '--issuer', ISSUER, '--key', jwks]);
});

test('help and version', () => {
  const help = succeeds(['--help']);
  assert.match(succeeds(['--version']), /^orderconf \d+\.\d+\.\d+\n$/);
  const commands = [...help.matchAll(/^ {2}(\w+) +\S/gm)].map((match) => match[1]);
  assert.deepEqual(commands, ['keygen', 'token']);
  for (const command of commands)
    assert.match(succeeds([command, '--help']), new RegExp(`^usage: orderconf ${command} `));
  fails(2, /which command/, []);
  fails(2, /nope: no such command/, ['nope']);
});

test('the service stops cleanly and logs no token', () => stack.stop());
