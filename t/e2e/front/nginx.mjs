// SPDX-License-Identifier: MIT
// The production configuration as it is deployed: included by nginx.conf, with
// TLS, tenants by host name and the rate limit.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { freePort } from '../lib/files.mjs';
import { exchange, parse, request } from '../lib/http.mjs';
import { find } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { BASE, Stack } from '../lib/stack.mjs';

const path = `${BASE}on_hold_timer_duration`;
const nginx = find('nginx');

const stack = await Stack.start({ nginx: false });
after(() => stack.kill());

/** Replaces every occurrence, of which there must be one at least. */
function swap(text, from, to) {
  assert.ok(text.includes(from), `orderconf.conf has no ${from}`);
  return text.replaceAll(from, to);
}

/** The main file of a site that includes orderconf.conf, as Debian's does: with
 * these changes, and listening for TLS there. */
function site(name, tls, changes) {
  const dir = join(stack.dir, name);
  mkdirSync(dir);
  const [cert, key] = stack.certificate();

  // What an operator changes, and ports that any user may open.
  stack.edit = (name, original) => {
    if (name !== 'orderconf.conf') return original;
    let text = original;
    text = swap(text, '/etc/ssl/orderconf/fullchain.pem', cert);
    text = swap(text, '/etc/ssl/orderconf/privkey.pem', key);
    text = swap(text, '/run/orderconf/fcgi.sock', stack.fcgiSocket);
    for (const [from, to] of changes) text = swap(text, from, to);
    text = swap(text, 'listen 80;', `listen unix:${dir}/plain.sock;`);
    text = swap(text, 'listen 443 ssl http2;', `listen ${tls} ssl http2;`);
    text = swap(text, 'listen [::]:80;', '');
    text = swap(text, 'listen [::]:443 ssl http2;', '');
    return text;
  };
  const files = stack.writeNginxFiles({});
  const main = join(files, 'nginx.conf');
  writeFileSync(
    main,
    `
${process.getuid() === 0 ? 'user root;' : ''}
daemon off;
error_log stderr;
pid ${dir}/nginx.pid;
events { }
http {
  access_log off;
  client_body_temp_path ${dir}/a; fastcgi_temp_path ${dir}/b; proxy_temp_path ${dir}/c;
  scgi_temp_path ${dir}/d; uwsgi_temp_path ${dir}/e;
  gzip on;
  include orderconf.conf;
}
`,
  );
  return { dir, main };
}

const { dir, main } = site('site', `unix:${stack.dir}/tls.sock`, [
  // Slow enough for a flood on any machine, all of which has one address.
  ['rate=100r/s', 'rate=1r/s'],
  ['burst=200', 'burst=20'],
  ['rate=50r/s', 'rate=10000r/s'],
  ['burst=100', 'burst=10000'],
]);

/** A request over TLS for a host name; by default to the site's socket. */
function ask(host, { tenant, target, headers = {}, ...rest }) {
  const all = { host, ...headers };
  if (tenant) all.authorization = stack.authorization(stack.token(tenant));
  const ca = readFileSync(join(stack.dir, 'cert.pem'));
  const agent = new https.Agent({ ca, servername: host });
  agent.createConnection = (options) => {
    // node's https would ignore socketPath for TLS without this.
    const socket = net.connect(target ?? { path: join(stack.dir, 'tls.sock') });
    return tlsConnect({ ...options, socket, ca, servername: host });
  };
  return request(
    { agent, protocol: 'https:' },
    { headers: all, ...rest, agent },
  ).finally(() => agent.destroy());
}
test('nginx takes the configuration without a word of warning', () => {
  const said = execFileSync(
    'sh',
    ['-c', '"$0" -t -q -p "$1" -c "$2" 2>&1 || echo failed', nginx, dir, main],
    { encoding: 'utf8' },
  );
  assert.equal(said, '');
});

test("nginx takes the demo's configuration too", () => {
  const said = execFileSync(
    'sh',
    [
      '-c',
      '"$0" -t -q -p "$1" -c "$2" 2>&1 || echo failed',
      nginx,
      dir,
      demo(),
    ],
    { encoding: 'utf8' },
  );
  assert.equal(said, '');
});

/** demo.conf, filled in. */
function demo() {
  const file = join(stack.dir, 'demo.conf');
  const values = {
    USER: process.getuid() === 0 ? 'user root;' : '',
    RUN: dir,
    NGINX: join(stack.dir, 'nginx'),
    LISTEN: `unix:${stack.dir}/demo.sock`,
    FASTCGI: `unix:${stack.fcgiSocket}`,
    ACCESS: join(dir, 'access.log'),
  };
  let text = readFileSync(join(stack.dir, 'nginx', 'demo.conf'), 'utf8');
  for (const [name, value] of Object.entries(values))
    text = text.replaceAll(`@${name}@`, value);
  assert.doesNotMatch(text, /@[A-Z]+@/);
  writeFileSync(file, text);
  return file;
}

test('it serves', async (t) => {
  stack.nginx = new Program(nginx, ['-p', dir, '-c', main], {
    log: join(stack.dir, 'nginx.log'),
  });
  await until('nginx answers', async () => {
    assert.equal(stack.nginx.end, undefined, stack.log());
    return new Promise((resolve) => {
      const socket = net.connect(join(stack.dir, 'tls.sock'), () =>
        resolve(socket.end()),
      );
      socket.on('error', () => resolve(false));
    });
  });

  await t.test("the tenant's host name and the API's", async () => {
    const tenant = stack.tenant();
    for (const host of [`${tenant}.x.example`, 'api.x.example']) {
      const answer = await ask(host, { tenant, path });
      assert.equal(answer.status, 200, answer.text);
    }
    const other = await ask(`${stack.tenant()}.x.example`, { tenant, path });
    assertProblem(other, 403, 'forbidden');
    const written = await ask(`${tenant}.x.example`, {
      tenant,
      path,
      method: 'POST',
      body: { value: 3 },
    });
    assert.equal(written.status, 200);
    // Strong, although the site compresses.
    const read = await ask(`${tenant}.x.example`, {
      tenant,
      path,
      headers: { 'accept-encoding': 'gzip' },
    });
    assertVersion(read, 1);
    assert.equal(read.headers['content-encoding'], undefined);
  });

  await t.test('plain HTTP is refused, and not redirected', async () => {
    const answer = await request(
      { socketPath: join(dir, 'plain.sock') },
      { path, headers: { host: 'api.x.example', authorization: 'Bearer x' } },
    );
    assert.equal(answer.status, 403);
    assert.equal(answer.json.error_code, 'https_required');
    assert.equal(answer.headers.location, undefined);
    // Nor does a request that nginx cannot read get a page of HTML.
    for (const unreadable of [
      'GARBAGE\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/3.0\r\n\r\n',
      'TRACE / HTTP/1.1\r\nHost: api.x.example\r\nConnection: close\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n' +
        'Connection: close\r\n\r\n',
      `GET /${'a'.repeat(40000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(40000)}\r\n\r\n`,
    ]) {
      const refused = parse(
        await exchange({ socketPath: join(dir, 'plain.sock') }, unreadable),
      );
      const sent = `${unreadable.slice(0, 99)} is ${refused.text}`;
      assert.equal(refused.status, 403, sent);
      assert.equal(refused.json.error_code, 'https_required', sent);
      assert.equal(refused.headers.server, 'nginx');
    }
  });

  await t.test('plain HTTP on the TLS port is a problem too', async () => {
    const text = await exchange(
      { socketPath: join(stack.dir, 'tls.sock') },
      'GET / HTTP/1.1\r\nHost: api.x.example\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1.1 400 /);
    assert.match(text, /"error_code":"bad_request"/);
  });

  await t.test(
    "one tenant's flood is stopped, another tenant is served",
    async () => {
      const [flood, calm] = [stack.tenant(), stack.tenant()];
      const answers = await Promise.all(
        Array.from({ length: 60 }, () =>
          ask(`${flood}.x.example`, { tenant: flood, path }),
        ),
      );
      const stopped = answers.filter((answer) => answer.status === 429);
      assert.ok(stopped.length > 0);
      assert.ok(answers.filter((answer) => answer.status === 200).length > 20);
      for (const answer of stopped) {
        assertProblem(answer, 429, 'too_many_requests');
        assert.equal(answer.headers['retry-after'], '1');
      }
      assert.equal(
        (await ask(`${calm}.x.example`, { tenant: calm, path })).status,
        200,
      );
    },
  );

  await stack.stop();
});

test('what a client certificate is refused for is a problem', async (t) => {
  const socketPath = join(stack.dir, 'verified.sock');
  const [cert, key] = stack.certificate();
  // nginx compares the host names of TLS and HTTP where there is a choice.
  const other =
    `server { listen unix:${socketPath} ssl http2; server_name a.example; ` +
    `ssl_certificate ${cert}; ssl_certificate_key ${key}; }\n`;
  const http = 'include snippets/orderconf_http.conf;\n';
  const tickets = 'ssl_session_tickets off;';
  const verify = `ssl_verify_client on; ssl_client_certificate ${cert};`;
  const { dir, main } = site('verified', `unix:${socketPath}`, [
    [tickets, `${tickets} ${verify}`],
    [http, http + other],
  ]);
  const server = new Program(nginx, ['-p', dir, '-c', main], {
    log: join(dir, 'nginx.log'),
  });
  t.after(() => server.kill('SIGKILL'));
  await until('nginx answers', () => existsSync(join(dir, 'nginx.pid')));
  const target = { path: socketPath };
  const missing = await ask('api.x.example', { target, path });
  assertProblem(missing, 400, 'bad_request');
  const misdirected = await ask('api.x.example', {
    target,
    path,
    headers: { host: 'acme.x.example' },
  });
  assertProblem(misdirected, 421, 'misdirected_request');
  assert.deepEqual(await server.stop('SIGQUIT'), { code: 0, signal: null });
});

test("a stranger's flood in a tenant's name does not starve the tenant", async (t) => {
  const port = await freePort();
  const { dir, main } = site('limited', `127.0.0.1:${port}`, []);
  const server = new Program(nginx, ['-p', dir, '-c', main], {
    log: join(dir, 'nginx.log'),
  });
  t.after(() => server.kill('SIGKILL'));
  await stack.startService();
  await until('nginx answers', () => existsSync(join(dir, 'nginx.pid')));

  const tenant = stack.tenant();
  const host = `${tenant}.x.example`;
  const from = (localAddress) => ({ host: '127.0.0.1', port, localAddress });
  let flooding = true;
  const refused = { 401: 0, 429: 0 };
  const flood = Array.from({ length: 16 }, async () => {
    while (flooding) {
      const answer = await ask(host, { path, target: from('127.0.0.2') });
      refused[answer.status]++;
    }
  });
  await until('the flood is there', () => refused[429] > 100);
  const good = [];
  for (let i = 0; i < 40; i++) {
    good.push(await ask(host, { tenant, path, target: from('127.0.0.1') }));
    await sleep(25);
  }
  flooding = false;
  await Promise.all(flood);
  const served = good.filter(({ status }) => status === 200).length;
  t.diagnostic(
    `of the flood's ${refused[401] + refused[429]} requests ${refused[401]} ` +
      `got through, of the tenant's 40 ${served}`,
  );
  assert.ok(served >= 38, `${served} of 40`);
  assert.doesNotMatch(readFileSync(join(dir, 'nginx.log'), 'utf8'), /limiting/);
  assert.deepEqual(await server.stop('SIGQUIT'), { code: 0, signal: null });
  await stack.stopService();
});
