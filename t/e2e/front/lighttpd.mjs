// SPDX-License-Identifier: MIT
// The contract through lighttpd and its mod_fastcgi: data/lighttpd.
process.env.E2E_FRONT = 'lighttpd';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

const assert = (await import('node:assert/strict')).default;
const { execFileSync } = await import('node:child_process');
const { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } =
  await import('node:fs');
const { tmpdir } = await import('node:os');
const { join } = await import('node:path');
const { test } = await import('node:test');
const { need, srcdir } = await import('../lib/paths.mjs');

// lighttpd refuses a setting that stands twice, so what the distribution sets
// counts.
const debian = '/etc/lighttpd/lighttpd.conf';
test("it is taken beside Debian's lighttpd.conf", (t) => {
  if (!existsSync(debian)) return t.skip(`no ${debian}`);
  const dir = mkdtempSync(join(tmpdir(), 'oc-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const enabled = '/etc/lighttpd/conf-enabled/*.conf';
  const ours = join(srcdir, 'data/lighttpd/orderconf.conf');
  const text = readFileSync(debian, 'utf8');
  assert.ok(text.includes(enabled));
  const main = join(dir, 'lighttpd.conf');
  writeFileSync(main, text.replace(enabled, ours));
  const said = execFileSync(need('lighttpd'), ['-tt', '-f', main], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  assert.equal(said, '');
});
