// SPDX-License-Identifier: MIT
// The units, by systemd's own judgement. front_nginx_systemd.mjs and
// front_nginx_spawn_fcgi.mjs run the service as they say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setting, settings } from './lib/files.mjs';
import { admin, builddir, need, service, srcdir } from './lib/paths.mjs';

const analyze = need('systemd-analyze');
const dir = mkdtempSync(join(tmpdir(), 'oc-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** The unit as make install puts it, with the program of this build. */
function unit(name, as = name) {
  const built = readFileSync(join(builddir, 'data', name), 'utf8');
  assert.doesNotMatch(built, /@[a-z]+@/);
  const text = built
    .replace(/[^\s=]+\/orderconf\.fcgi$/gm, service)
    .replace(/^ExecStart=\S+\/orderconf /gm, `ExecStart=${admin} `);
  assert.ok(text.includes(builddir));
  writeFileSync(join(dir, as), text);
  return join(dir, as);
}

const units = [
  unit('orderconf.service'),
  unit('orderconf-worker@.service', 'orderconf-worker@1.service'),
];
const fetch = unit('orderconf-keys@.service', 'orderconf-keys@acme.service');
const others = [
  ['orderconf.socket', 'orderconf.socket'],
  ['orderconf-keys@.timer', 'orderconf-keys@acme.timer'],
].map(([name, as]) => {
  copyFileSync(join(srcdir, 'data', name), join(dir, as));
  return join(dir, as);
});
// What else the machine has installed is not asked about.
const env = { ...process.env, SYSTEMD_UNIT_PATH: `${dir}:` };

for (const file of [...units, fetch, ...others])
  test(`systemd-analyze verify ${file.slice(dir.length + 1)}`, () => {
    const { status, stdout, stderr } = spawnSync(
      analyze,
      ['verify', '--man=no', '--recursive-errors=one', file],
      { env, encoding: 'utf8' },
    );
    assert.equal(stderr + stdout, '');
    assert.equal(status, 0);
  });

for (const [file, most] of [...units.map((file) => [file, 5]), [fetch, 25]])
  test(`systemd-analyze security ${file.slice(dir.length + 1)}`, () => {
    const { status, stdout, stderr } = spawnSync(
      analyze,
      // In tenths of the 10 that a unit without any protection has. What
      // fetches keys is root, and needs the network.
      ['security', '--offline=true', `--threshold=${most}`, '--no-pager', file],
      { encoding: 'utf8' },
    );
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /Overall exposure level for .*: [0-9.]+ /);
  });

test('security says no to a unit without protection', () => {
  const bare = join(dir, 'bare.service');
  writeFileSync(bare, `[Service]\nExecStart=${service}\n`);
  const { status } = spawnSync(analyze, [
    ...['security', '--offline=true', '--threshold=25', '--no-pager', bare],
  ]);
  assert.notEqual(status, 0);
});

test('both services have the same protection, and the same settings file', () => {
  const [own, worker] = units.map((file) =>
    settings(readFileSync(file, 'utf8')),
  );
  const hardening = settings(
    readFileSync(join(srcdir, 'data/hardening.conf'), 'utf8'),
  );
  assert.ok(hardening.length > 20);
  for (const [name, value] of hardening)
    for (const all of [own, worker])
      assert.ok(
        all.some(([n, v]) => n === name && v === value),
        name,
      );
  for (const file of units)
    assert.equal(
      setting(readFileSync(file, 'utf8'), 'EnvironmentFile'),
      '/etc/orderconf/orderconf.conf',
    );
});

test('the example of the settings is one that the service takes', () => {
  const conf = readFileSync(join(srcdir, 'data/orderconf.conf'), 'utf8');
  // It gets as far as to look for a socket or a request, of which there is none.
  const { status, stderr } = spawnSync(service, [], {
    env: Object.fromEntries(settings(conf)),
    encoding: 'utf8',
  });
  assert.equal(status, 2);
  assert.match(stderr, /nothing to serve/);
});
