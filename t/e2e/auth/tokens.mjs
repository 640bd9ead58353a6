// SPDX-License-Identifier: MIT
// Tokens that must not be accepted, one attack each; and those that must.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { BASE, Stack } from '../lib/stack.mjs';
import { until } from '../lib/process.mjs';
import {
  claimsOf,
  encode,
  ISSUER,
  makeKey,
  makeToken,
  now,
  sign,
  signature,
} from '../lib/token.mjs';

const stack = await Stack.start();
after(() => stack.kill());

const path = `${BASE}big_sales_order`;

const ALGS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
];
const keys = Object.fromEntries(
  ALGS.map((alg) => [alg, makeKey(alg, `key-${alg}`)]),
);
const rsa = keys.RS256;
const ec = keys.ES256;
const other = makeKey('ES256', 'key-ES256'); // the same kid, of another tenant

const tenant = stack.tenant(Object.values(keys));
const stranger = stack.tenant([other]);

const get = (token, headers = {}) => stack.request({ token, path, headers });

for (const alg of ALGS)
  test(`${alg} is accepted`, async () => {
    const answer = await get(makeToken(keys[alg], tenant));
    assert.equal(answer.status, 200, answer.text);
  });

const header = { alg: 'RS256', kid: rsa.kid, typ: 'JWT' };
const claims = (more) => claimsOf(tenant, more);
const without = (name) => {
  const rest = claims();
  delete rest[name];
  return rest;
};
const good = () => makeToken(rsa, tenant);
const parts = (token) => token.split('.');
const withIssuer = (iss) => sign(header, { ...claims(), iss }, rsa.privateKey);
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
const der = rsa.publicKey.export({ type: 'spki', format: 'der' });

/** A token over any header and payload bytes, signed as RS256. */
function signRaw(head, payload) {
  const text = `${encode(head)}.${encode(payload)}`;
  return `${text}.${signature('RS256', rsa.privateKey, text).toString('base64url')}`;
}

/** base64url of the same bytes, written otherwise in its last character. */
function respell(part) {
  const letters =
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return part.slice(0, -1) + letters[letters.indexOf(part.at(-1)) ^ 1];
}

const attacks = {
  'none, without a signature': () =>
    `${encode({ alg: 'none' })}.${encode(claims())}.`,
  'None, with the signature of another': () =>
    `${encode({ ...header, alg: 'None' })}.${encode(claims())}.${parts(good())[2]}`,
  'nOnE and kid': () =>
    `${encode({ ...header, alg: 'nOnE' })}.${encode(claims())}.`,
  'no alg': () => signRaw({ kid: rsa.kid }, claims()),
  'alg is no string': () => signRaw({ ...header, alg: ['RS256'] }, claims()),
  'alg twice': () =>
    signRaw(`{"alg":"none","alg":"RS256","kid":"${rsa.kid}"}`, claims()),
  'HS256 keyed with the public key in PEM': () =>
    sign({ ...header, alg: 'HS256' }, claims(), pem),
  'HS256 keyed with the public key in DER': () =>
    sign({ ...header, alg: 'HS256' }, claims(), der),
  'HS256 keyed with n': () =>
    sign(
      { ...header, alg: 'HS256' },
      claims(),
      Buffer.from(rsa.jwk.n, 'base64url'),
    ),
  'HS256 keyed with nothing': () =>
    sign({ ...header, alg: 'HS256' }, claims(), ''),
  'RS512 with a key for RS256': () =>
    sign({ ...header, alg: 'RS512' }, claims(), rsa.privateKey),
  'PS256 with a key for RS256': () =>
    sign({ ...header, alg: 'PS256' }, claims(), rsa.privateKey),
  'ES256 by the name of an RSA key': () =>
    sign({ ...header, alg: 'ES256' }, claims(), ec.privateKey),
  'ES256 signed in DER': () => {
    const text = `${encode({ alg: 'ES256', kid: ec.kid })}.${encode(claims())}`;
    return `${text}.${signature('RS256', ec.privateKey, text).toString('base64url')}`;
  },
  'ES256 with a signature of zeros': () =>
    `${encode({ alg: 'ES256', kid: ec.kid })}.${encode(claims())}.${'A'.repeat(86)}`,
  'no signature': () => parts(good()).slice(0, 2).join('.'),
  'an empty signature': () => `${parts(good()).slice(0, 2).join('.')}.`,
  'a cut signature': () => good().slice(0, -10),
  'a longer signature': () => `${good()}AAAA`,
  'a signature spelt otherwise': () => {
    const token = parts(good());
    return [token[0], token[1], respell(token[2])].join('.');
  },
  'the signature of another token': () =>
    [
      ...parts(good()).slice(0, 2),
      parts(makeToken(rsa, tenant, { sub: 'x' }))[2],
    ].join('.'),
  'the payload of another token': () => {
    const token = parts(makeToken(other, stranger));
    return [parts(good())[0], token[1], parts(good())[2]].join('.');
  },
  'four segments': () => `${good()}.x`,
  padding: () => `${good()}==`,
  'a line break in it': () => good().replace('.', '.%0a'),
  'a NUL in the payload': () => signRaw(header, '{"iss":"a\u0000b"}'),
  'not JSON': () => signRaw(header, 'claims'),
  'an array for claims': () => signRaw(header, [claims()]),
  'claims twice': () =>
    signRaw(header, `{"iss":"${claims().iss}","exp":1,"exp":${now() + 900}}`),
  crit: () => sign({ ...header, crit: ['exp'] }, claims(), rsa.privateKey),
  'crit, unknown': () =>
    sign({ ...header, crit: ['x'], x: 1 }, claims(), rsa.privateKey),
  'crit, empty': () => sign({ ...header, crit: [] }, claims(), rsa.privateKey),
  'b64 false': () =>
    sign({ ...header, b64: false, crit: ['b64'] }, claims(), rsa.privateKey),
  'a key of its own in jwk': () => {
    const { kid, ...jwk } = other.jwk;
    return sign({ alg: 'ES256', kid, jwk }, claims(), other.privateKey);
  },
  'a key set of its own in jku': () =>
    sign(
      { alg: 'ES256', kid: 'mine', jku: 'http://127.0.0.1:1/' },
      claims(),
      other.privateKey,
    ),
  'unknown kid': () =>
    sign({ ...header, kid: 'nobody' }, claims(), rsa.privateKey),
  'kid is no string': () =>
    sign({ ...header, kid: 1 }, claims(), rsa.privateKey),
  'kid is a path': () =>
    sign({ ...header, kid: '../../key' }, claims(), rsa.privateKey),
  'no kid where there are many keys': () =>
    sign({ alg: 'RS256' }, claims(), rsa.privateKey),
  "another tenant's key": () => makeToken(other, tenant),
  "another tenant's name": () => makeToken(rsa, stranger),
  'a tenant without keys': () => makeToken(rsa, 'nobody'),
  'no issuer': () => sign(header, without('iss'), rsa.privateKey),
  'an array of issuers': () => withIssuer([claims().iss]),
  'an issuer that is null': () => withIssuer(null),
  'an empty issuer': () => withIssuer(''),
  "the issuer's template itself": () => withIssuer(ISSUER),
  'an issuer without a tenant': () =>
    withIssuer(ISSUER.replace('{tenant}', '')),
  'another host': () => withIssuer(claims().iss.replace('id.', 'evil.')),
  'more behind the tenant': () => withIssuer(`${claims().iss}/`),
  'the tenant in capitals': () => withIssuer(claims().iss.replace(/t1$/, 'T1')),
  '../ in the issuer': () =>
    withIssuer(ISSUER.replace('{tenant}', `x/../${tenant}`)),
  '../ alone': () =>
    withIssuer(ISSUER.replace('{tenant}', `../keys/${tenant}`)),
  '%2e%2e%2f in the issuer': () =>
    withIssuer(ISSUER.replace('{tenant}', `%2e%2e%2f${tenant}`)),
  'a NUL behind the tenant': () => withIssuer(`${claims().iss}\u0000`),
  'a tenant that starts with -': () =>
    withIssuer(ISSUER.replace('{tenant}', '-t1')),
  'a tenant of 64 characters': () =>
    withIssuer(ISSUER.replace('{tenant}', 't'.repeat(64))),
  expired: () => sign(header, claims({ exp: now() - 1 }), rsa.privateKey),
  'expired long ago': () => sign(header, claims({ exp: 1 }), rsa.privateKey),
  'no exp': () => sign(header, without('exp'), rsa.privateKey),
  'exp is a string': () =>
    sign(header, claims({ exp: String(now() + 60) }), rsa.privateKey),
  'exp is null': () => sign(header, claims({ exp: null }), rsa.privateKey),
  'exp beyond all numbers': () =>
    signRaw(
      header,
      JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999'),
    ),
  'exp is negative': () => sign(header, claims({ exp: -1 }), rsa.privateKey),
  'not yet valid': () =>
    sign(header, claims({ nbf: now() + 120 }), rsa.privateKey),
  'issued in the future': () =>
    sign(header, claims({ iat: now() + 120 }), rsa.privateKey),
  'nbf is a string': () => sign(header, claims({ nbf: 'now' }), rsa.privateKey),
  'sub is no string': () =>
    sign(header, claims({ sub: { a: 1 } }), rsa.privateKey),
  "an encrypted token's five segments": () => `${good()}.a.b`,
};

for (const [name, forge] of Object.entries(attacks))
  test(`refused: ${name}`, async () => {
    const token = forge();
    const answer = await get(token);
    assert.ok(
      [401, 403].includes(answer.status),
      `${answer.status} ${answer.text}`,
    );
    assertProblem(
      answer,
      answer.status,
      answer.status === 401 ? 'unauthorized' : 'forbidden',
    );
    if (answer.status === 401)
      assert.match(
        answer.headers['www-authenticate'],
        /^Bearer error="invalid_token"/,
      );
    // The line that an operator would look for.
    const id = answer.headers['x-request-id'];
    assert.ok(
      stack.events().some((event) => event.request_id === id),
      'it is not logged',
    );
    // The same token writes nothing either.
    const write = await stack.request({
      token,
      method: 'POST',
      path,
      body: { value: { soft_limit_for_big_orders: 1 } },
    });
    assert.equal(write.status, answer.status);
  });

test('a token that is too long is said to be so, by nginx or by the service', async () => {
  const token = makeToken(rsa, tenant, { pad: 'p'.repeat(13000) });
  assertProblem(await get(token), 431, 'headers_too_large');
  const key = 'big_sales_order';
  const answer = await stack.direct(stack.params('GET', key, { token }));
  assertProblem(answer, 401, 'unauthorized');
  const id = answer.headers['x-request-id'];
  await until('it is logged', () =>
    stack
      .events()
      .some((event) => event.request_id === id && event.reason === 'too_long'),
  );
});

test('a refusal says which rule it was, but not of a signature', async () => {
  const told = async (token, text) => {
    const answer = await get(token);
    assertProblem(answer, 401, 'unauthorized');
    const challenge = answer.headers['www-authenticate'];
    if (text === undefined) {
      assert.equal(challenge, 'Bearer error="invalid_token"');
      assert.equal(answer.json.message, 'a valid bearer token is required');
    } else {
      assert.equal(
        challenge,
        `Bearer error="invalid_token", error_description="${text}"`,
      );
      assert.equal(answer.json.message, text);
    }
  };
  await told(attacks.expired(), 'the token has expired');
  await told(attacks['not yet valid'](), 'the token is not valid yet');
  await told(
    makeToken({ ...rsa, kid: 'unknown' }, tenant),
    'the key that signed the token is not known for its tenant',
  );
  const [head, claimed] = parts(good());
  const [, , foreign] = parts(makeToken(rsa, tenant, { sub: 'else' }));
  await told([head, claimed, foreign].join('.'));
});

test('after all of that, nothing is stored', async () => {
  for (const [key, name] of [
    [rsa, tenant],
    [other, stranger],
  ]) {
    const answer = await get(makeToken(key, name));
    assert.equal(answer.status, 200);
    assertVersion(answer, 0);
  }
});

for (const value of [
  '',
  'Bearer',
  'Bearer ',
  'Basic dXNlcjpwYXNz',
  'Token',
  'x',
])
  test(`refused: Authorization: ${value}`, async () => {
    const answer = await stack.request({
      path,
      headers: { authorization: value },
    });
    assertProblem(answer, 401, 'unauthorized');
  });

test("the scheme's name is not case-sensitive", async () => {
  const token = good();
  stack.sent.add(token);
  const answer = await stack.request({
    path,
    headers: { authorization: `bEARER ${token}` },
  });
  assert.equal(answer.status, 200);
});

test('a token in the query or body is none', async () => {
  const token = good();
  const answer = await stack.request({ path: `${path}?access_token=x` });
  assertProblem(answer, 401, 'unauthorized');
  const posted = await stack.request({
    method: 'POST',
    path,
    body: `access_token=${token}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assertProblem(posted, 401, 'unauthorized');
});

test('accepted: nbf, iat and a clock that is a little late', async () => {
  for (const more of [
    { nbf: now() - 5, iat: now() - 5 },
    { nbf: now() + 30, iat: now() + 30 },
    { exp: now() + 20.5 },
  ])
    assert.equal((await get(makeToken(rsa, tenant, more))).status, 200);
});

test('a token that was accepted is refused once it has expired', async () => {
  const token = makeToken(rsa, tenant, { exp: now() + 2 });
  assert.equal((await get(token)).status, 200);
  const answer = await until('it is refused', async () => {
    const next = await get(token);
    return next.status !== 200 && next;
  });
  assertProblem(answer, 401, 'unauthorized');
  assert.ok(
    now() >= JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).exp,
  );
});

test('no kid is fine where there is one key', async () => {
  const only = stack.tenant([rsa]);
  const token = sign({ alg: 'RS256' }, claimsOf(only), rsa.privateKey);
  assert.equal((await get(token)).status, 200);
});

test('another key file takes effect at once, a broken one does not', async () => {
  const name = stack.tenant([rsa]);
  const file = join(stack.keys, `${name}.json`);
  const [before, later] = [makeToken(rsa, name), makeToken(ec, name)];
  const statuses = async () => [
    (await get(before)).status,
    (await get(later)).status,
  ];
  assert.deepEqual(await statuses(), [200, 401]);

  stack.setKeys(name, [ec]);
  // More often than there are workers: each has a cache of its own.
  for (let i = 0; i < 8; i++) assert.deepEqual(await statuses(), [401, 200]);

  const broken = stack.events().length;
  for (const text of ['{"keys": [', 'null', '{}', '']) {
    writeFileSync(file, text);
    for (let i = 0; i < 4; i++)
      assert.deepEqual(await statuses(), [401, 200], text);
  }
  assert.ok(
    stack
      .events()
      .slice(broken)
      .some(
        (event) =>
          ['error', 'warning'].includes(event.level) &&
          JSON.stringify(event).includes(name),
      ),
    'the log does not name the broken file',
  );

  stack.setKeys(name, [rsa, ec]);
  assert.deepEqual(await statuses(), [200, 200]);
  rmSync(file);
  for (let i = 0; i < 4; i++) assert.deepEqual(await statuses(), [401, 401]);
  stack.setKeys(name, [rsa]);
  assert.deepEqual(await statuses(), [200, 401]);
});

test("the host name's tenant must be the token's", async () => {
  const token = good();
  for (const [host, status] of [
    [`${tenant}.x.example`, 200],
    [`${tenant.toUpperCase()}.X.Example`, 200],
    [`${tenant}.x.example:8443`, 200],
    ['localhost', 200],
    ['x.example', 200],
    [`${stranger}.x.example`, 403],
    ['nobody.x.example', 403],
    [`a.${tenant}.x.example`, 200],
  ]) {
    const answer = await get(token, { host });
    assert.equal(answer.status, status, host);
    if (status === 403) assertProblem(answer, 403, 'forbidden');
  }
  // Not by anything that a client sends.
  const spoofed = await get(token, { host: `${stranger}.x.example`, tenant });
  assert.equal(spoofed.status, 403);
});

test('audience and scopes are checked if they are set', async (t) => {
  const strict = await Stack.start({
    options: {
      audience: 'orderconf',
      'read-scope': 'conf:read',
      'write-scope': 'conf:write',
    },
  });
  t.after(() => strict.kill());
  const name = strict.tenant();
  const ask = async (method, more) =>
    (
      await strict.request({
        token: makeToken(strict.key, name, more),
        method,
        path,
        body:
          method === 'POST'
            ? { value: { soft_limit_for_big_orders: 1 } }
            : undefined,
      })
    ).status;
  const [aud, both] = ['orderconf', 'conf:read conf:write'];
  for (const [more, read, write] of [
    [{ aud, scope: both }, 200, 200],
    [{ aud: ['x', aud], scope: `x ${both}` }, 200, 200],
    [{ aud, scope: 'conf:read' }, 200, 403],
    [{ aud, scope: 'conf:write' }, 403, 200],
    [{ aud, scope: 'conf:readconf:write' }, 403, 403],
    [{ aud, scope: '' }, 403, 403],
    [{ aud }, 403, 403],
    [{ scope: both }, 401, 401],
    [{ aud: 'other', scope: both }, 401, 401],
    [{ aud: [], scope: both }, 401, 401],
    [{ aud: { orderconf: 1 }, scope: both }, 401, 401],
  ]) {
    assert.equal(await ask('GET', more), read, `GET ${JSON.stringify(more)}`);
    assert.equal(
      await ask('POST', more),
      write,
      `POST ${JSON.stringify(more)}`,
    );
  }
  await strict.stop();
});

test('a claim names the tenant if there is one issuer', async (t) => {
  const iss = 'https://id.example/one';
  const single = await Stack.start({
    options: { issuer: iss, 'tenant-claim': 'org' },
  });
  t.after(() => single.kill());
  const name = single.tenant();
  const ask = async (more) =>
    (await single.request({ token: makeToken(single.key, name, more), path }))
      .status;
  assert.equal(await ask({ iss, org: name }), 200);
  for (const more of [
    { iss },
    { iss, org: `../${name}` },
    { iss, org: [name] },
    { iss, org: '' },
    { iss: `${iss}/`, org: name },
    { iss: claimsOf(name).iss, org: name },
    { iss, org: 'other' },
  ])
    assert.equal(await ask(more), 401, JSON.stringify(more));
  await single.stop();
});

test('a key file that cannot be read keeps the keys', async () => {
  const name = stack.tenant([rsa]);
  const token = makeToken(rsa, name);
  assert.equal((await get(token)).status, 200);
  // Whoever runs this may be root, who can read any file, but no directory.
  rmSync(join(stack.keys, `${name}.json`));
  mkdirSync(join(stack.keys, `${name}.json`));
  for (let i = 0; i < 4; i++) assert.equal((await get(token)).status, 200);
});

test('the service stops cleanly and logs no token', () => stack.stop());
