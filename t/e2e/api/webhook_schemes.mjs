// SPDX-License-Identifier: MIT
// --webhook-schemes: whom a webhook may be sent to, however it is stored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminOf } from '../lib/admin.mjs';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const { make, start } = factory();
const key = 'external_order_webhook';
const hook = (url) => ({ url, api_key: 'a key', timeout: 15 });
const rule = /^value\.url: must have the scheme https$/;
const said = /value\.url: must have the scheme https$/m;

test('without it, any absolute URI is taken', async () => {
  const stack = await start();
  for (const url of ['http://127.0.0.1/', 'ftp://a.example/', 'urn:a:b']) {
    const answer = await stack.post(stack.tenant(), key, { value: hook(url) });
    assert.equal(answer.status, 200, answer.text);
  }
  await stack.stop();
});

test('a POST with another scheme is a 400 that names those allowed', async () => {
  const stack = await start({ options: { 'webhook-schemes': 'https,amqps' } });
  const tenant = stack.tenant();
  for (const url of ['https://a.example/', 'HTTPS://a.example/', 'amqps:x'])
    assert.equal((await stack.post(tenant, key, { value: hook(url) })).status, 200);
  for (const [url, query = '', headers = {}] of [
    ['http://a.example/'],
    ['http://a.example/', '?validate_only=true'],
    ['http://a.example/', '', { prefer: 'handling=strict' }],
    ['ftp://a.example/'],
    ['httpsx://a.example/'],
  ]) {
    const answer = await stack.post(tenant, key + query, { value: hook(url) }, headers);
    assertProblem(answer, 400, 'validation_failed');
    assert.deepEqual(answer.json.messages, [
      'value.url: must have the scheme https or amqps',
    ]);
  }
  assertVersion(await stack.get(tenant, key), 3);
  // With whatever else is wrong.
  const both = await stack.post(tenant, key, {
    value: { ...hook('http://a.example/'), timeout: 26 },
  });
  assert.deepEqual(both.json.messages, [
    'value.timeout: must be at most 25',
    'value.url: must have the scheme https or amqps',
  ]);
  await stack.stop();
});

test('a reload applies it; what is stored stays, and cannot be restored', async () => {
  const stack = make({ options: { workers: 1 } });
  const config = stack.writeSettings(stack.options);
  stack.service = new Program(service, [], {
    log: stack.logFile,
    env: { ORDERCONF_CONFIG: config },
  });
  await stack.serviceReady();
  await stack.front.startServer();
  const tenant = stack.tenant();
  const old = { value: hook('http://a.example/') };
  assert.equal((await stack.post(tenant, key, old)).status, 200);

  const settings = (schemes) =>
    stack.writeSettings({ ...stack.options, 'webhook-schemes': schemes });
  const reload = async (event) => {
    const count = () => stack.events().filter((e) => e.event === event).length;
    const before = count();
    stack.service.kill('SIGHUP');
    await until(`the log has ${event}`, () => count() > before);
  };
  settings('https, http');
  await reload('settings_refused');
  assert.match(
    stack.log(),
    /webhook-schemes: must be URI schemes separated by commas, such as https,http/,
  );
  settings('https');
  await reload('workers_replaced');
  const refused = await stack.post(tenant, key, old);
  assertProblem(refused, 400, 'validation_failed', rule);
  const read = await stack.get(tenant, key);
  assertVersion(read, 1);
  assert.equal(read.json.value.url, 'http://a.example/');
  const next = { value: hook('https://a.example/') };
  assertVersion(await stack.post(tenant, key, next), 2);
  const restored = await stack.post(tenant, `${key}/history`, { restore_version: 1 });
  assertProblem(restored, 400, 'validation_failed');
  assert.deepEqual(restored.json.messages, [
    'restore_version: version 1 is no longer valid',
    'value.url: must have the scheme https',
  ]);
  assertVersion(await stack.get(tenant, key), 2);
  await stack.stop();
});

test('orderconf set, restore and import follow it', async () => {
  const stack = await start({ nginx: false });
  const admin = adminOf(stack.options.db);
  const http = JSON.stringify(hook('http://a.example/'));
  const https = JSON.stringify(hook('https://a.example/'));
  admin.text('set', '--tenant=acme', key, http);
  admin.text('set', '--tenant=acme', key, https, '--webhook-schemes=https');
  const only = '--webhook-schemes=https';
  admin.fails(1, said, 'set', '--tenant=acme', only, key, http);
  admin.fails(1, said, 'set', '--tenant=acme', only, '--validate-only', key, http);
  admin.fails(1, said, 'restore', '--tenant=acme', only, key, 1);
  const env = { ORDERCONF_WEBHOOK_SCHEMES: 'https' };
  assert.match(admin.run(['set', '--tenant=acme', key, http], { env }).stderr, said);

  const line = (tenant, value) => `{"tenant":"${tenant}","key":"${key}","value":${value}}\n`;
  const input = line('a', https) + line('b', http);
  const whole = admin.run(['import', only], { input });
  assert.equal(whole.status, 1);
  assert.match(whole.stderr, /:2: value\.url: must have the scheme https$/m);
  assert.equal(admin.run(['get', '--tenant=a', key]).status, 1); // nothing is stored
  assert.equal(admin.run(['import', '--webhook-schemes=https,http'], { input }).status, 0);

  assert.equal(admin.run(['diff', '-'], { input, env }).status, 1); // reads what is there
  assert.equal(admin.json('get', '--tenant=acme', key).version, 2);
  admin.fails(
    2,
    /--webhook-schemes: must be URI schemes separated by commas/,
    ...['set', '--tenant=acme', '--webhook-schemes=https;http', key, https],
  );
  await stack.stop();
});
