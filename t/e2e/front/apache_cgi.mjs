// SPDX-License-Identifier: MIT
// The contract through Apache, as plain CGI on shared hosting: data/apache.
process.env.E2E_FRONT = 'apache_cgi';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

const { test } = await import('node:test');
const assert = (await import('node:assert/strict')).default;
const { chmodSync, readdirSync, statSync, writeFileSync } = await import(
  'node:fs'
);
const { join } = await import('node:path');
const { runCgi } = await import('../lib/cgi.mjs');
const { parseCgi } = await import('../lib/fcgi.mjs');
const { shipped } = await import('../lib/files.mjs');
const { factory } = await import('../lib/stack.mjs');
const { make, start } = factory();

const key = 'on_hold_timer_duration';

test('nobody else can read the store, which is outside of the site', async () => {
  const stack = await start();
  const tenant = stack.tenant();
  assert.equal((await stack.post(tenant, key, { value: 1 })).status, 200);
  const { db } = stack.options;
  for (const path of [db, ...readdirSync(db).map((name) => join(db, name))])
    assert.equal(statSync(path).mode & 0o007, 0, path);
  for (const path of ['/db/data.mdb', '/../db/data.mdb', '/keys/', '/.htaccess'])
    assert.ok(
      [400, 403, 404].includes((await stack.request({ path })).status),
      path,
    );
  await stack.stop();
});

test('with suEXEC, which lets no setting through, those of the script count', async () => {
  const stack = make();
  const { db, issuer, jwks } = stack.options;
  const braces = (template) => template.replace('}', '\\}');
  const script = join(stack.dir, 'v0');
  writeFileSync(
    script,
    shipped('data/apache/v0', [
      ['https://id.example.com/realms/{tenant\\}', braces(issuer)],
      ['/home/me/orderconf/keys/{tenant\\}.json', braces(jwks)],
      ['/home/me/orderconf/db', db],
      ['/home/me/orderconf/orderconf.fcgi', stack.program],
    ]),
  );
  chmodSync(script, 0o755);
  const tenant = stack.tenant();
  const body = '{"value":9}';
  for (const [method, sent] of [
    ['POST', body],
    ['GET', ''],
  ]) {
    const { code, stdout, stderr } = await runCgi(
      stack,
      stack.params(method, key, { tenant, body: sent, UNIQUE_ID: `id-${method}` }),
      sent,
      { options: [], command: [script] },
    );
    assert.equal(code, 0, stderr);
    const answer = parseCgi(Buffer.from(stdout));
    assert.equal(answer.status, 200, stdout);
    assert.equal(answer.json.value, 9);
    assert.equal(answer.headers['x-request-id'], `id-${method}`);
  }
});
