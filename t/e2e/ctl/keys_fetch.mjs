// SPDX-License-Identifier: MIT
// orderconf keys fetch against a real https server: a new key set takes the
// old one's place as a whole, and anything wrong leaves the old one alone.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import {
  existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { admin, cleanEnv } from '../lib/paths.mjs';
import { makeKey } from '../lib/token.mjs';

const root = mkdtempSync(join(tmpdir(), 'orderconf-fetch-'));
const ca = join(root, 'ca.pem');
const servers = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections?.();
    server.close();
  }
  rmSync(root, { recursive: true });
});

const key = makeKey('ES256', 'k1').jwk;
const other = makeKey('RS256', 'k2').jwk;
const setOf = (...keys) => JSON.stringify({ keys });

/** A certificate for 127.0.0.1, signed by an authority of its own. */
function makeCertificate(name) {
  const at = (file) => join(root, `${name}-${file}`);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=test CA', '-days', '2');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', at('key'), '-out', at('csr'), '-subj', '/CN=localhost');
  writeFileSync(at('ext'), 'subjectAltName=IP:127.0.0.1\n');
  openssl('x509', '-req', '-in', at('csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'),
    '-CAcreateserial', '-out', at('pem'), '-days', '2', '-extfile', at('ext'));
  return { ca: at('ca.pem'), key: readFileSync(at('key')), cert: readFileSync(at('pem')) };
}

async function listen(server) {
  servers.push(server);
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return server.address().port;
}

/** What the server does, by path; each test has paths of its own. */
const pages = new Map();
const asked = [];
function answer(request, response) {
  asked.push(request);
  const page = pages.get(request.url);
  if (typeof page === 'function') return page(request, response);
  response.writeHead(page === undefined ? 404 : 200).end(page ?? '{}');
  return undefined;
}

let url, plain;
before(async () => {
  const certificate = makeCertificate('good');
  writeFileSync(ca, readFileSync(certificate.ca));
  url = `https://127.0.0.1:${await listen(https.createServer(certificate, answer))}`;
  plain = `http://127.0.0.1:${await listen(http.createServer(answer))}`;
});

let dirs = 0;
/** A directory with a key set in it, or without. */
function makeDir(content) {
  const dir = join(root, String(dirs++));
  mkdirSync(dir);
  if (content !== undefined) writeFileSync(join(dir, 'acme.json'), content, { mode: 0o600 });
  return dir;
}

function run(dir, path, more = [], env = {}) {
  const args = ['keys', 'fetch', '--tenant=acme', `--url=${path.includes('://') ? path : url + path}`,
    `--jwks=${join(dir, '{tenant}.json')}`, `--ca=${ca}`, ...more];
  return new Promise((resolve) => {
    execFile(admin, args, { env: cleanEnv(env) }, (error, stdout, stderr) => {
      assert.doesNotMatch(stderr, /Sanitizer|runtime error:/);
      resolve({ status: error ? error.code : 0, stdout, stderr });
    });
  });
}

async function succeeds(...args) {
  const { status, stdout, stderr } = await run(...args);
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

/** It fails and says why, and the key set that was there stays as it was. */
async function fails(message, path, more, env) {
  const old = setOf(other);
  const dir = makeDir(old);
  const { mtimeNs, ino } = statSync(join(dir, 'acme.json'), { bigint: true });
  const { status, stdout, stderr } = await run(dir, path, more, env);
  assert.deepEqual([status, stdout], [1, ''], stderr);
  assert.match(stderr, message);
  assert.match(stderr, /^(orderconf keys fetch: [^\n]*\n)+$/);
  assert.equal(readFileSync(join(dir, 'acme.json'), 'utf8'), old);
  const now = statSync(join(dir, 'acme.json'), { bigint: true });
  assert.deepEqual([now.mtimeNs, now.ino], [mtimeNs, ino]);
  // The second is for the metrics of the service.
  assert.deepEqual(readdirSync(dir).sort(), ['acme.json', 'acme.json.failed']);
}

test('a new key set', async () => {
  const dir = makeDir();
  const path = join(dir, 'acme.json');
  pages.set('/new', setOf(key, other));
  writeFileSync(`${path}.failed`, '');
  assert.equal(await succeeds(dir, '/new'), 'acme: 2 keys, replaced\n');
  assert.equal(readFileSync(path, 'utf8'), setOf(key, other));
  assert.equal(statSync(path).mode & 0o7777, 0o644);
  assert.deepEqual(readdirSync(dir), ['acme.json']);
  const { headers } = asked.find((request) => request.url === '/new');
  assert.match(headers.accept, /^application\/jwk-set\+json, application\/json$/);
  assert.match(headers['user-agent'], /^orderconf\/\d/);
});

test('the same key set again is not written', async () => {
  const dir = makeDir(setOf(key));
  const path = join(dir, 'acme.json');
  const before = statSync(path, { bigint: true });
  pages.set('/same', setOf(key));
  assert.equal(await succeeds(dir, '/same'), 'acme: 1 key, unchanged\n');
  const now = statSync(path, { bigint: true });
  assert.deepEqual([now.ino, now.mtimeNs, now.mode], [before.ino, before.mtimeNs, before.mode]);

  pages.set('/same', setOf(other));
  assert.deepEqual(JSON.parse(await succeeds(dir, '/same', ['--json'])),
    { tenant: 'acme', keys: 1, changed: true });
  assert.equal(readFileSync(path, 'utf8'), setOf(other));
});

test('the tenant stands in both templates, which the environment has', async () => {
  const dir = makeDir();
  pages.set('/realms/brio/certs', setOf(key));
  const env = {
    ORDERCONF_JWKS_URL: `${url}/realms/{tenant}/certs`, ORDERCONF_JWKS_CA: ca,
    ORDERCONF_JWKS: join(dir, '{tenant}.json'),
  };
  const stdout = execFileAsync(['keys', 'fetch', '--tenant', 'brio'], env);
  assert.equal(await stdout, 'brio: 1 key, replaced\n');
  assert.ok(existsSync(join(dir, 'brio.json')));
});

const execFileAsync = (args, env) => new Promise((resolve, reject) => {
  execFile(admin, args, { env: cleanEnv(env) }, (error, stdout) =>
    (error ? reject(error) : resolve(stdout)));
});

test('a redirect to https is followed, within bounds', async () => {
  const dir = makeDir();
  const redirect = (to) => (_request, response) =>
    response.writeHead(302, { location: to }).end('moved, with a body of its own');
  pages.set('/target', setOf(key));
  for (const [from, to] of [[1, '/target'], [2, '/hop1'], [3, '/hop2'], [4, '/hop3']])
    pages.set(`/hop${from}`, redirect(to));
  await succeeds(dir, '/hop3');
  assert.equal(readFileSync(join(dir, 'acme.json'), 'utf8'), setOf(key));
  await fails(/redirects/i, '/hop4');

  const before = asked.length;
  pages.set('/down', redirect(`${plain}/target`));
  await fails(/http/, '/down');
  pages.set('/file', redirect('file:///etc/passwd'));
  await fails(/file/, '/file');
  assert.equal(asked.length, before + 2);
});

test('only https is asked, and nothing else', async () => {
  for (const bad of [`${plain}/target`, 'file:///etc/passwd', 'httpsx://a/', 'https://', 'a'])
    for (const template of [bad, `${bad}{tenant}`]) {
      if (template === 'https://{tenant}') continue;
      const { status, stdout, stderr } = await new Promise((resolve) => {
        execFile(admin, ['keys', 'fetch', '--tenant=acme', '--url', template, '--jwks=/nonexistent/x'],
          { env: cleanEnv() }, (error, out, err) =>
            resolve({ status: error?.code, stdout: out, stderr: err }));
      });
      assert.deepEqual([status, stdout], [2, '']);
      assert.match(stderr, /--url: must be an https URL/);
    }
});

test('what cannot be a key set', async () => {
  const { d } = makeKey('ES256', 'x').privateKey.export({ format: 'jwk' });
  const cases = [
    ['', /the key set is not valid JSON/],
    ['<html>', /the key set is not valid JSON/],
    [setOf(key).slice(0, -1), /the key set is not valid JSON/],
    ['[]', /has no array "keys"/],
    ['{"keys":{}}', /has no array "keys"/],
    [setOf(), /holds no key\n/],
    [setOf({ kty: 'oct', alg: 'HS256', k: 'c2VjcmV0' }), /holds a private key/],
    [setOf({ ...key, use: 'enc' }), /key .+ is passed over: use or key_ops is for something else\n[^\n]*holds no key that can be used/],
    [setOf(other, { ...key, d }), /holds a private key/],
  ];
  for (const [i, [text, message]] of cases.entries()) {
    pages.set(`/bad${i}`, text);
    await fails(message, `/bad${i}`);
  }
});

test('answers that are none', async () => {
  pages.set('/500', (_request, response) => response.writeHead(500).end(setOf(key)));
  pages.set('/204', (_request, response) => response.writeHead(204).end());
  pages.set('/half', (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write(setOf(key));
    setTimeout(() => response.destroy(), 50);
  });
  await fails(/the server answers with status 404/, '/nothing');
  await fails(/the server answers with status 500/, '/500');
  await fails(/the server answers with status 204/, '/204');
  await fails(/could not fetch the key set: /, '/half');
});

test('a coded answer is decoded, and bounded as it is then', async () => {
  const coded = (path, coding, bytes) =>
    pages.set(path, (_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(bytes));
  coded('/gzip', 'gzip', gzipSync(setOf(key)));
  const dir = makeDir();
  await succeeds(dir, '/gzip');
  assert.equal(readFileSync(join(dir, 'acme.json'), 'utf8'), setOf(key));
  assert.match(asked.at(-1).headers['accept-encoding'], /gzip/);

  coded('/bomb', 'gzip', gzipSync(JSON.stringify({ keys: [key], x: 'x'.repeat(64 * 1024 * 1024) })));
  await fails(/the answer is larger than/, '/bomb');
  coded('/cut', 'gzip', gzipSync(setOf(key)).subarray(0, 40));
  await fails(/could not fetch the key set: |the key set is not valid JSON/, '/cut');
  coded('/plain', 'gzip', setOf(key));
  await fails(/could not fetch the key set: /, '/plain');
  coded('/unknown', 'x-none', setOf(key));
  await fails(/could not fetch the key set: .*[Ee]ncoding/, '/unknown');
});

test('an answer that is too large, told or not', async () => {
  const large = JSON.stringify({ keys: [key], x: 'x'.repeat(256 * 1024) });
  pages.set('/large', large);
  pages.set('/endless', (_request, response) => {
    const more = () => {
      while (response.writable && response.write('x'.repeat(65536)));
    };
    response.on('drain', more);
    response.writeHead(200);
    more();
  });
  await fails(/the answer is larger than 262144 bytes/, '/large');
  await fails(/the answer is larger than 262144 bytes/, '/endless');

  const most = JSON.stringify({ keys: [key], x: '' });
  pages.set('/most', JSON.stringify({ keys: [key], x: 'x'.repeat(262144 - most.length) }));
  await succeeds(makeDir(), '/most');
});

test('a server that stalls', async () => {
  pages.set('/silent', () => {});
  pages.set('/slow', (_request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(timer));
  });
  const mute = await listen(net.createServer((socket) => socket.on('error', () => {})));
  await Promise.all([
    fails(/timed out/i, '/silent', ['--timeout=1']),
    fails(/timed out/i, '/slow', ['--timeout=1']),
    fails(/timed out|timeout/i, `https://127.0.0.1:${mute}/`, ['--timeout=1']),
  ]);
});

test('a server that is not who it should be', async () => {
  const stranger = makeCertificate('stranger');
  const port = await listen(https.createServer(stranger, answer));
  pages.set('/target', setOf(key));
  await fails(/certificate/i, `https://127.0.0.1:${port}/target`);
  await fails(/certificate|no alternative/i, `https://localhost:${new URL(url).port}/target`);
  // The authority of --ca is the only one, and without it the system's are.
  await fails(/certificate/i, '/target', [`--ca=${stranger.ca}`]);
  const bare = await new Promise((resolve) => {
    execFile(admin, ['keys', 'fetch', '--tenant=acme', `--url=${url}/target`,
      `--jwks=${join(root, 'never.json')}`], { env: cleanEnv() }, (error) => resolve(error?.code));
  });
  assert.equal(bare, 1);
  assert.ok(!existsSync(join(root, 'never.json')));
  await fails(/could not fetch the key set: /, '/target', [`--ca=${join(root, 'none.pem')}`]);
  await fails(/could not fetch the key set: /, '/target', ['--ca=/dev/null']);
});

test('nobody there', async () => {
  const server = net.createServer();
  const port = await listen(server);
  await new Promise((resolve) => { server.close(resolve); });
  servers.splice(servers.indexOf(server), 1);
  await fails(/could not fetch the key set: /, `https://127.0.0.1:${port}/`);
});

test('a key file that cannot be written', async () => {
  pages.set('/target', setOf(key));
  const dir = makeDir();
  mkdirSync(join(dir, 'acme.json'));
  const { status, stderr } = await run(dir, '/target');
  assert.equal(status, 1);
  assert.match(stderr, /acme\.json: /);
  assert.deepEqual(readdirSync(dir).sort(), ['acme.json', 'acme.json.failed']);
  const { status: missing, stderr: text } = await run(join(dir, 'none'), '/target');
  assert.equal(missing, 1);
  assert.match(text, /none\/acme\.json: No such file/);
});

test('options that make no sense', async () => {
  const cases = [
    [/--tenant: must be of a-z/, ['--tenant=../x']],
    [/--timeout: must be a number from 1 to 600/, ['--timeout=0']],
    [/--url: must not hold \{tenant\} twice/, ['--url=https://{tenant}.example/{tenant}']],
    [/--jwks: must not hold \{tenant\} twice/, ['--jwks={tenant}/{tenant}']],
    [/--ca: must not be empty/, ['--ca=']],
  ];
  for (const [message, more] of cases) {
    const { status, stdout, stderr } = await run(root, '/target', more);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.match(stderr, message);
  }
});
