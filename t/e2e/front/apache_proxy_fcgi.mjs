// SPDX-License-Identifier: MIT
// The contract through Apache and mod_proxy_fcgi: data/apache.
process.env.E2E_FRONT = 'apache_proxy_fcgi';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

const { test } = await import('node:test');
const assert = (await import('node:assert/strict')).default;
const https = (await import('node:https')).default;
const http = (await import('node:http')).default;
const { setTimeout: sleep } = await import('node:timers/promises');
const { assertVersion } = await import('../lib/etag.mjs');
const { assertProblem } = await import('../lib/contract.mjs');
const { exchange, parse } = await import('../lib/http.mjs');
const { BASE, factory } = await import('../lib/stack.mjs');

// Apache passes a body on as it comes.
test('a body that comes slowly is taken', async () => {
  const stack = await factory().start();
  const key = 'on_hold_timer_duration';
  const tenant = stack.tenant();
  const parts = ['{"', 'val', 'ue"', ':5', '}'];
  const { request } = stack.target.socketPath ? http : https;
  const answer = await new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...stack.target,
        agent: stack.agent,
        method: 'POST',
        path: BASE + key,
        headers: {
          host: stack.front.host,
          authorization: stack.authorization(stack.token(tenant)),
          'content-type': 'application/json',
          'content-length': parts.join('').length,
        },
      },
      resolve,
    );
    outgoing.on('error', reject);
    (async () => {
      for (const part of parts) {
        outgoing.write(part);
        await sleep(3000);
      }
      outgoing.end();
    })();
  });
  answer.resume();
  assert.equal(answer.statusCode, 200);
  assertVersion(await stack.get(tenant, key), 1);
  await stack.stop();
});

// Two things that mod_ssl refuses before there is a request.
test('plain HTTP on the TLS port, and the wrong connection, are problems', async () => {
  const stack = await factory().start({
    edit: (name, text) => {
      if (name !== 'orderconf_proxy_fcgi.conf') return text;
      const other = text
        .slice(text.indexOf('<VirtualHost'))
        .replace('ServerName api.x.example', 'ServerName other.example')
        .replace('ServerAlias *.x.example', '')
        .replace('+TLSv1.2 +TLSv1.3', '+TLSv1.2');
      return `${text}\n${other}`;
    },
  });
  const bytes = 'GET /v0/ HTTP/1.1\r\nHost: api.x.example\r\n\r\n';
  const { host, port } = stack.target;
  const plain = parse(await exchange({ host, port }, bytes));
  assertProblem(plain, 400, 'bad_request');
  const wrong = parse(
    await exchange({ ...stack.target, servername: 'other.example' }, bytes),
  );
  assertProblem(wrong, 421, 'misdirected_request');
  await stack.stop();
});
