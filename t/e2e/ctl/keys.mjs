// SPDX-License-Identifier: MIT
// orderconf keygen and orderconf token: what they make fits together, fits
// Node's own cryptography and the service, and nothing is half done.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import {
  mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { parseCgi } from '../lib/fcgi.mjs';
import { admin, cleanEnv, service } from '../lib/paths.mjs';
import { makeKey, now, signature } from '../lib/token.mjs';

const root = mkdtempSync(join(tmpdir(), 'orderconf-ctl-'));
after(() => rmSync(root, { recursive: true }));

let dirs = 0;
function makeDir() {
  const dir = join(root, String(dirs++));
  mkdirSync(dir);
  return dir;
}

const ALGS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'];
const ISSUER = 'https://id.example/{tenant}';
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi'];

function run(args, env = {}) {
  const { status, stdout, stderr } =
    spawnSync(admin, args, { env: cleanEnv(env), encoding: 'utf8' });
  assert.doesNotMatch(stderr, /Sanitizer|runtime error:/);
  return { status, stdout, stderr };
}

function succeed(args, env) {
  const { status, stdout, stderr } = run(args, env);
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

/** Fails unless it fails with status, says so in one line, and prints nothing. */
function fail(status, message, args, env) {
  const result = run(args, env);
  assert.equal(result.status, status, `${args}: ${result.stderr}`);
  assert.match(result.stderr, message);
  assert.match(result.stderr, /^orderconf[^\n]*\n$/);
  assert.equal(result.stdout, '');
}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const mode = (path) => statSync(path).mode & 0o7777;
const decode = (segment) => JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
const claimsOf = (token) => decode(token.split('.')[1]);

/** What is in the directory, to see that nothing changed. */
const contentOf = (dir) => Object.fromEntries(readdirSync(dir).sort().map((name) => {
  const path = join(dir, name);
  return [name, statSync(path).isFile() ? readFileSync(path, 'utf8') : 'no file'];
}));

function makePair(alg = 'ES256') {
  const dir = makeDir();
  const [key, jwks] = [join(dir, 'key.json'), join(dir, 'acme.json')];
  const kid = succeed(['keygen', '--key', key, '--jwks', jwks, '--alg', alg]).trim();
  return { dir, key, jwks, kid };
}

const mint = (pair, ...more) =>
  succeed(['token', '--tenant', 'acme', '--key', pair.key, '--issuer', ISSUER, ...more]).trim();

/** RFC 7638, section 3. */
function thumbprint({ kty, crv, x, y, n, e }) {
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return crypto.createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

for (const alg of ALGS)
  test(`${alg}: a key pair, and a token that it signs`, () => {
    const pair = makePair(alg);
    const secret = readJson(pair.key);
    const { keys: [half, ...others] } = readJson(pair.jwks);
    assert.deepEqual(others, []);
    assert.deepEqual([mode(pair.key), mode(pair.jwks)], [0o600, 0o644]);
    assert.equal(pair.kid, thumbprint(half));
    assert.ok('d' in secret);
    for (const name of PRIVATE) delete secret[name];
    assert.deepEqual(secret, half);
    assert.deepEqual([half.kid, half.alg, half.use], [pair.kid, alg, 'sig']);

    const token = mint(pair);
    const [header, , last] = token.split('.');
    assert.deepEqual(decode(header), { alg, kid: pair.kid, typ: 'JWT' });
    const text = token.slice(0, token.lastIndexOf('.'));
    const publicKey = crypto.createPublicKey({ key: half, format: 'jwk' });
    assert.ok(crypto.verify(`sha${alg.slice(2)}`, Buffer.from(text), {
      key: publicKey,
      ...(alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' } : {}),
      ...(alg.startsWith('PS') ? {
        padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
        saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
      } : {}),
    }, Buffer.from(last, 'base64url')));

    // The private half is the same key for others, too.
    const privateKey = crypto.createPrivateKey({ key: readJson(pair.key), format: 'jwk' });
    assert.equal(crypto.createPublicKey(privateKey).export({ format: 'jwk' }).kty, half.kty);
    assert.ok(signature(alg, privateKey, text).length > 0);
  });

for (const alg of ALGS)
  test(`${alg}: the service accepts the token`, () => {
    const pair = makePair(alg);
    const env = {
      ORDERCONF_DB: join(pair.dir, 'db'), ORDERCONF_ISSUER: ISSUER,
      ORDERCONF_JWKS: join(pair.dir, '{tenant}.json'), ORDERCONF_AUDIENCE: 'orders',
      ORDERCONF_READ_SCOPE: 'cfg:read', ORDERCONF_KEY: pair.key,
    };
    const ask = (token) => {
      const cgi = {
        GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', SERVER_PROTOCOL: 'HTTP/1.1',
        PATH_INFO: '/config/sales_order/big_sales_order', QUERY_STRING: '',
        HTTP_AUTHORIZATION: `Bearer ${token}`,
      };
      const { stdout, stderr, status } = spawnSync(service, [], { env: cleanEnv({ ...env, ...cgi }) });
      assert.equal(status, 0, stderr.toString());
      return parseCgi(stdout).status;
    };
    const make = (...more) => succeed(['token', '--tenant', 'acme', ...more], env).trim();
    assert.equal(ask(make('--scope', 'x cfg:read')), 200);
    assert.equal(ask(make()), 403);
    assert.equal(ask(make('--scope=cfg:read', '--audience=others')), 401);
    assert.equal(ask(make('--scope=cfg:read', '--issuer=https://other.example/{tenant}')), 401);
  });

test('claims', () => {
  const pair = makePair();
  const start = now();
  const claims = claimsOf(mint(pair));
  assert.deepEqual(Object.keys(claims).sort(), ['exp', 'iat', 'iss', 'jti', 'sub']);
  assert.equal(claims.iss, 'https://id.example/acme');
  assert.equal(claims.sub, 'orderconf-cli');
  assert.ok(claims.iat >= start && claims.iat <= now());
  assert.equal(claims.exp, claims.iat + 3600);
  assert.notEqual(claims.jti, claimsOf(mint(pair)).jti);

  const more = claimsOf(mint(pair, '--ttl=60', '--scope', '  a   b:c ', '--audience', 'orders',
    '--subject', 'Zoë'));
  assert.equal(more.exp, more.iat + 60);
  assert.deepEqual([more.scope, more.aud, more.sub], ['a b:c', 'orders', 'Zoë']);
  for (const scope of ['', '   '])
    assert.ok(!('scope' in claimsOf(mint(pair, '--scope', scope))));
});

test('tenant in a claim', () => {
  const pair = makePair();
  const claims = claimsOf(mint(pair, '--issuer', 'https://id.example', '--tenant-claim', 'org'));
  assert.deepEqual([claims.iss, claims.org], ['https://id.example', 'acme']);
});

test('the command line wins over the environment', () => {
  const pair = makePair();
  const env = {
    ORDERCONF_KEY: pair.key, ORDERCONF_ISSUER: 'https://env.example/{tenant}',
    ORDERCONF_AUDIENCE: 'env',
  };
  const all = claimsOf(succeed(['token', '--tenant', 'acme'], env));
  assert.deepEqual([all.iss, all.aud], ['https://env.example/acme', 'env']);
  const some = claimsOf(succeed(['token', '--tenant=acme', '--audience=line'], env));
  assert.deepEqual([some.iss, some.aud], ['https://env.example/acme', 'line']);
});

test('a token that cannot be made', () => {
  const pair = makePair();
  const good = ['token', '--tenant', 'acme', '--key', pair.key, '--issuer', ISSUER];
  const long = 'x'.repeat(13000);
  const cases = [
    [/--tenant: is required/, ['token', '--key', pair.key, '--issuer', ISSUER]],
    [/--key: is required, or ORDERCONF_KEY/, ['token', '--tenant', 'a', '--issuer', ISSUER]],
    [/--issuer: is required, or ORDERCONF_ISSUER/, ['token', '--tenant', 'a', '--key', pair.key]],
    [/--issuer: must hold \{tenant\}/, [...good, '--issuer', 'https://id.example']],
    [/--issuer: must not hold \{tenant\}/, [...good, '--tenant-claim', 'org']],
    [/--tenant-claim: exp /, [...good, '--issuer=x', '--tenant-claim', 'exp']],
    [/--tenant: must be of a-z/, [...good, '--tenant', '../acme']],
    [/--tenant: must be of a-z/, [...good, '--tenant', 'a'.repeat(64)]],
    [/--tenant: must not be empty/, [...good, '--tenant', '']],
    [/--audience: must not be empty/, [...good, '--audience=']],
    [/--scope: must be of printable/, [...good, '--scope', 'a\tb']],
    [/--scope: must be of printable/, [...good, '--scope', 'é']],
    [/--subject: must not be longer/, [...good, '--subject', 'x'.repeat(256)]],
    [/--nope: no such option/, [...good, '--nope=secret']],
    [/-k: no such option/, [...good, '-k']],
    [/extra: not expected/, [...good, 'extra']],
    [/--ttl: needs a value/, [...good, '--ttl']],
    ...['0', '-1', '31536001', '1.5', '', '1h', ' 1', '99999999999999999999'].map((ttl) =>
      [/--ttl: must /, [...good, `--ttl=${ttl}`]]),
  ];
  for (const [message, args] of cases) fail(2, message, args);
  fail(1, /longer than the 16384 bytes/, [...good, '--scope', long]);
});

test('bytes that are no UTF-8', () => {
  const pair = makePair();
  const { status, stderr } = spawnSync('/bin/sh', ['-c',
    '"$0" token --tenant acme --key "$1" --issuer "$2" --subject "$(printf "\\303")"',
    admin, pair.key, ISSUER], { env: cleanEnv(), encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /--subject: is not UTF-8/);
});

test('files that are no private key', () => {
  const pair = makePair();
  const secret = readJson(pair.key);
  const other = readJson(makePair().key);
  const rsa = readJson(makePair('RS256').key);
  const rsaOther = readJson(makePair('RS256').key);
  const path = join(pair.dir, 'bad.json');
  const cases = [
    ['', /bad\.json:1:1: is not valid JSON/],
    ['{"kty":', /is not valid JSON/],
    ['{"kty":"EC","kty":"EC"}', /names a member twice/],
    ['[]', /is not a JSON object/],
    [`"${'x'.repeat(300000)}"`, /is larger than/],
    [readJson(pair.jwks), /kty, crv or alg is missing/],
    [readJson(pair.jwks).keys[0], /not a private key/],
    [{ kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }, /neither RSA nor EC/],
    [{ ...secret, alg: 'ES384' }, /alg or crv/],
    [{ ...secret, use: 'enc' }, /use or key_ops/],
    [{ ...secret, key_ops: ['verify'] }, /use or key_ops/],
    [{ ...secret, d: other.d }, /does not belong/],
    [{ ...secret, x: other.x, y: other.y }, /does not belong/],
    [{ ...rsa, n: rsaOther.n }, /does not belong|could not sign/],
  ];
  for (const [content, message] of cases) {
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    fail(1, message, ['token', '--tenant', 'acme', '--key', path, '--issuer', ISSUER]);
    const { stderr } = run(['token', '--tenant', 'acme', '--key', path, '--issuer', ISSUER]);
    assert.ok(!stderr.includes(secret.d) && !stderr.includes(other.d));
  }
  for (const missing of [join(pair.dir, 'none.json'), pair.dir, '/dev/null'])
    fail(1, new RegExp(missing), ['token', '--tenant=a', `--key=${missing}`, '--issuer', ISSUER]);
});

test('keys without kid or alg sign, too', () => {
  const pair = makePair();
  const { kid, alg, ...secret } = readJson(pair.key);
  assert.ok(kid && alg);
  const path = join(pair.dir, 'plain.json');
  writeFileSync(path, JSON.stringify({ ...secret, key_ops: ['sign'] }));
  assert.deepEqual(decode(mint({ key: path }).split('.')[0]), { alg: 'ES256', typ: 'JWT' });
});

test('a key is added to those that are there', () => {
  const pair = makePair();
  const stranger = makeKey('RS256', 'stranger').jwk;
  const set = { comment: 'mine', keys: [stranger, { kty: 'OKP', crv: 'Ed25519', x: 'AA' }], v: 1.5 };
  writeFileSync(pair.jwks, JSON.stringify(set), { mode: 0o600 });
  const kid = succeed(['keygen', '--key', `${pair.key}.2`, '--jwks', pair.jwks, '--alg=ES384']).trim();
  const { keys, ...rest } = readJson(pair.jwks);
  assert.deepEqual(rest, { comment: 'mine', v: 1.5 });
  assert.deepEqual(keys.slice(0, 2), set.keys);
  assert.equal(keys[2].kid, kid);
  assert.equal(keys.length, 3);
  assert.equal(mode(pair.jwks), 0o644);
  assert.deepEqual(readdirSync(pair.dir).sort(), ['acme.json', 'key.json', 'key.json.2']);
});

test('several at once lose no key', async () => {
  const dir = makeDir();
  const jwks = join(dir, 'acme.json');
  const kids = await Promise.all([...Array(8).keys()].map(async (i) => {
    const { stdout } = await promisify(execFile)(admin,
      ['keygen', '--key', join(dir, `key-${i}`), '--jwks', jwks, '--alg', 'ES256'],
      { env: cleanEnv() });
    return stdout.trim();
  }));
  assert.deepEqual(readJson(jwks).keys.map((key) => key.kid).sort(), kids.sort());
});

test('modes, whatever the umask', () => {
  for (const umask of ['000', '077', '777']) {
    const dir = makeDir();
    const { status, stderr } = spawnSync('/bin/sh', ['-c',
      `umask ${umask} && exec "$0" keygen --alg ES256 --key "$1/k" --jwks "$1/s"`, admin, dir]);
    assert.equal(status, 0, stderr.toString());
    assert.deepEqual([mode(join(dir, 'k')), mode(join(dir, 's'))], [0o600, 0o644]);
  }
});

test('a link to a key set is followed', () => {
  const dir = makeDir();
  mkdirSync(join(dir, 'real'));
  writeFileSync(join(dir, 'real', 'set'), '{"keys":[]}');
  symlinkSync('real/set', join(dir, 'link'));
  succeed(['keygen', '--alg=ES256', '--key', join(dir, 'k'), '--jwks', join(dir, 'link')]);
  assert.equal(readJson(join(dir, 'real', 'set')).keys.length, 1);
  assert.deepEqual(readdirSync(dir).sort(), ['k', 'link', 'real']);
});

test('a key that cannot be made leaves all as it was', () => {
  const pair = makePair();
  const at = (name) => join(pair.dir, name);
  const set = readFileSync(pair.jwks, 'utf8');
  writeFileSync(at('garbage'), 'garbage');
  writeFileSync(at('array'), '[]');
  writeFileSync(at('object'), '{"keys":{}}');
  writeFileSync(at('jwk'), JSON.stringify(JSON.parse(set).keys[0]));
  symlinkSync('nowhere', at('dangling'));
  const before = contentOf(root);
  const here = () => Object.fromEntries(readdirSync(pair.dir).sort().map((name) =>
    [name, name === 'dangling' ? '' : readFileSync(at(name), 'utf8')]));
  const all = here();
  const fast = ['keygen', '--alg', 'ES256'];
  const failed = [
    [/key\.json: exists/, [...fast, '--key', pair.key, '--jwks', pair.jwks]],
    [/dangling: exists/, [...fast, '--key', at('dangling'), '--jwks', pair.jwks]],
    [/No such file/, [...fast, '--key', at('none/k'), '--jwks', pair.jwks]],
    [/No such file/, [...fast, '--key', at('k'), '--jwks', at('none/s')]],
    [/Not a directory/, [...fast, '--key', at('k'), '--jwks', at('garbage/s')]],
    [/garbage:1:\d+: is not valid JSON/, [...fast, '--key', at('k'), '--jwks', at('garbage')]],
    [/array: is not a JSON object/, [...fast, '--key', at('k'), '--jwks', at('array')]],
    [/object: is not a key set: it has no array "keys"/, [...fast, '--key', at('k'), '--jwks', at('object')]],
    [/jwk: is not a key set: it has no array "keys"/, [...fast, '--key', at('k'), '--jwks', at('jwk')]],
    [/regular file/, [...fast, '--key', at('k'), '--jwks', pair.dir]],
    [/same|--key, too/, [...fast, '--key', at('k'), '--jwks', at('k')]],
    [/is the same file as --key/, [...fast, '--key', at('k'), '--jwks', `${pair.dir}/./k`]],
  ];
  const misused = [
    [/--key: is required, or ORDERCONF_KEY/, [...fast, '--jwks', pair.jwks]],
    [/--jwks: is required/, [...fast, '--key', at('k')]],
    [/not a template/, [...fast, '--key', at('k'), '--jwks', at('{tenant}.json')]],
    [/--bits: is for RSA/, [...fast, '--key', at('k'), '--jwks', pair.jwks, '--bits=2048']],
    ...['1024', '2047', '8193', 'x'].map((bits) => [/--bits: must be a number from 2048/,
      ['keygen', '--key', at('k'), '--jwks', pair.jwks, '--bits', bits]]),
    ...['none', 'HS256', 'rs256', 'EdDSA'].map((alg) => [/--alg: no such algorithm/,
      ['keygen', '--key', at('k'), '--jwks', pair.jwks, '--alg', alg]]),
  ];
  for (const [message, args] of failed) fail(1, message, args);
  for (const [message, args] of misused) fail(2, message, args);
  assert.deepEqual(here(), all);
  assert.deepEqual(contentOf(root), before);
});

test('no room for the key set: no key either', () => {
  const pair = makePair();
  const keys = [...Array(9)].map((_, i) => ({ ...readJson(pair.jwks).keys[0], kid: String(i) }));
  writeFileSync(pair.jwks, JSON.stringify({ keys }));
  const before = contentOf(pair.dir);
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c',
    'trap "" XFSZ; ulimit -f 1; exec "$@"', 'sh', admin, 'keygen', '--alg=ES256',
    '--key', join(pair.dir, 'k'), '--jwks', pair.jwks], { env: cleanEnv(), encoding: 'utf8' });
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /acme\.json: File too large\n$/);
  assert.deepEqual(contentOf(pair.dir), before);
});

test('larger RSA keys', () => {
  const dir = makeDir();
  succeed(['keygen', '--key', join(dir, 'k'), '--jwks', join(dir, 's'), '--bits', '3072']);
  const [{ n }] = readJson(join(dir, 's')).keys;
  assert.equal(Buffer.from(n, 'base64url').length, 384);
});
