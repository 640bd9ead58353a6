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
