// SPDX-License-Identifier: MIT
// A token that is signed with a key which the tenant's set does not have: the set
// is asked for, so that systemd fetches it; and what came of that is in the metrics.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { orderconf } from '../lib/admin.mjs';
import { BASE, factory } from '../lib/stack.mjs';
import { claimsOf, makeKey, now, sign } from '../lib/token.mjs';

const { start } = factory();
const stack = await start();
const wanted = join(stack.options.db, 'wanted');
const fresh = makeKey('ES256', 'fresh');

const ask = async (tenant, header = {}, claims = {}) => {
  const token = sign({ alg: 'ES256', kid: 'fresh', ...header }, claimsOf(tenant, claims), fresh.privateKey);
  return (await stack.request({ token, path: `${BASE}external_oms` })).status;
};
const asked = () => (existsSync(wanted) ? readdirSync(wanted).sort() : []);
const age = (tenant) => now() - Math.floor(statSync(join(wanted, tenant)).mtimeMs / 1000);

test('an unknown key asks for the set, once a minute', async () => {
  const tenant = stack.tenant();
  assert.equal((await stack.get(tenant, 'external_oms')).status, 200);
  assert.deepEqual(asked(), []);
  assert.equal(await ask(tenant), 401);
  assert.deepEqual(asked(), [tenant]);
  assert.ok(age(tenant) < 10);

  const thirty = now() - 30;
  utimesSync(join(wanted, tenant), thirty, thirty);
  assert.equal(await ask(tenant), 401);
  assert.ok(age(tenant) >= 30);
  const old = now() - 70;
  utimesSync(join(wanted, tenant), old, old);
  assert.equal(await ask(tenant), 401);
  assert.ok(age(tenant) < 10);
  const events = stack.events().filter(({ event }) => event === 'keys_wanted');
  assert.deepEqual(events.map((event) => event.tenant), [tenant, tenant]);
});

test('nobody else asks for anything', async () => {
  rmSync(wanted, { recursive: true, force: true });
  assert.equal(await ask('nobody-has-this-name'), 401);
  const tenant = stack.tenant();
  assert.equal(await ask(tenant, { kid: undefined }), 401);
  assert.equal(await ask(tenant, {}, { iss: 'https://elsewhere.example/' }), 401);
  assert.equal(await ask('..'), 401);
  assert.deepEqual(asked(), []);
});

test('a fetch that fails is in the metrics, until one succeeds', async () => {
  const metric = async () => {
    const { text } = await stack.direct({
      REQUEST_METHOD: 'GET',
      PATH_INFO: '/metrics',
      ORDERCONF_OPERATOR: 1,
    });
    return Number(/^orderconf_keys_fetch_failing (\d+)$/m.exec(text)[1]);
  };
  const tenant = stack.tenant();
  const template = stack.options.jwks;
  const path = template.replace('{tenant}', tenant);
  assert.equal(await metric(), 0);
  const args = ['keys', 'fetch', '--tenant', tenant, '--jwks', template, '--timeout', 5];
  const { status } = orderconf([...args, '--url', 'https://127.0.0.1:1/keys']);
  assert.equal(status, 1);
  assert.ok(existsSync(`${path}.failed`));
  assert.equal(await metric(), 1);
  // What is wrong with the command is no failure of the provider.
  assert.equal(orderconf([...args, '--url', 'http://127.0.0.1:1/keys']).status, 2);
  writeFileSync(`${template.replace('{tenant}', 'other')}.failed`, '');
  assert.equal(await metric(), 2);
  rmSync(`${path}.failed`);
  assert.equal(await metric(), 1);
  assert.equal((await stack.get(tenant, 'external_oms')).status, 200);
});

test('the service stops cleanly and logs no token', () => stack.stop());
