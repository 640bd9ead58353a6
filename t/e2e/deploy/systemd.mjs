// SPDX-License-Identifier: MIT
// The units, by systemd's own judgement. front_nginx_systemd.mjs and
// front_nginx_spawn_fcgi.mjs run the service as they say.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setting, settings } from '../lib/files.mjs';
import { admin, builddir, need, service, srcdir } from '../lib/paths.mjs';
import { until } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const { make } = factory();

const analyze = need('systemd-analyze');
const dir = mkdtempSync(join(tmpdir(), 'oc-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** The unit as make install puts it, with the program of this build. */
function unit(name, as = name) {
  const built = readFileSync(join(builddir, 'data', name), 'utf8');
  assert.doesNotMatch(built, /@[a-z]+@/);
  const text = built
    .replace(/[^\s=]+\/orderconf\.fcgi(?= --reload$|$)/gm, service)
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
  // The programs read it, and no other parser does.
  for (const file of [...units, fetch]) {
    const text = readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /^Environment(File)?=/m);
    assert.doesNotMatch(setting(text, 'ExecStart'), /--config/);
  }
});

test('the example of the settings is one that both programs take', () => {
  const conf = join(srcdir, 'data/orderconf.conf');
  const all = join(dir, 'all.conf');
  writeFileSync(all, readFileSync(conf, 'utf8').replace(/^#(?=ORDERCONF_)/gm, ''));
  assert.match(readFileSync(all, 'utf8'), /^ORDERCONF_SECRET_KEYS=/m);
  for (const file of [conf, all]) {
    const env = { ORDERCONF_CONFIG: file };
    // It gets as far as to look for a socket or a request, of which there is none.
    const own = spawnSync(service, [], { env, encoding: 'utf8' });
    assert.deepEqual([own.status, own.stderr.includes('nothing to serve')], [2, true], own.stderr);
    const token = spawnSync(admin, ['token', '--tenant=acme', '--key=/nonexistent/key'],
      { env, encoding: 'utf8' });
    assert.match(token.stderr, /^orderconf token: \/nonexistent\/key: /);
  }
});

// It reads its files with the function that reads an EnvironmentFile=, and
// prints what they say; a $ would be more to it.
const generator =
  '/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator';

test(
  'the settings file is read as systemd reads an EnvironmentFile',
  { skip: !existsSync(generator) && 'without its generator of environments' },
  () => {
    const home = join(dir, 'config');
    const file = join(home, 'environment.d/a.conf');
    mkdirSync(join(home, 'environment.d'), { recursive: true });
    for (const value of [
      ...['x', ' a  b \t', 'a # b', 'a"b" \'c\'', 'a\\\\b\\"\\x', 'a\\ ', 'a\\'],
      ...['a\\\n  b', '\\\nb', 'https://id.example/{tenant}?a=b;c#d'],
      ...["' a\\b \"# '  ", "'a\nb'", '" a\'b # "', '"\\"\\\\\\`\\x\\\'" \t', '"a\\\nb"'],
    ]) {
      const text = `# it is\n; so\n\n  ORDERCONF_HISTORY = ${value}\nORDERCONF_DB=/d\n`;
      writeFileSync(file, text);
      const theirs = spawnSync(generator, {
        env: { XDG_CONFIG_HOME: home },
        encoding: 'utf8',
      });
      const [, said] = /^ORDERCONF_HISTORY=(.*)$/m.exec(theirs.stdout) ?? [];
      assert.ok(said, `${theirs.stderr} ${value}`);
      const expected = said.startsWith('"') ? JSON.parse(said.replaceAll('\\`', '`')) : said;
      // Which is no number of versions.
      const own = spawnSync(service, ['--config', file], { env: {}, encoding: 'utf8' });
      assert.equal(
        own.stderr,
        `orderconf.fcgi: ${file}:4: ORDERCONF_HISTORY: must be a number from 1 to 100000, not "${expected}"\n`,
      );
    }
  },
);

/** The system calls of a set such as @system-service, of all sets in it. */
function callsOf(name) {
  return spawnSync(analyze, ['syscall-filter', name], { encoding: 'utf8' })
    .stdout.split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) => (line.startsWith('@') ? callsOf(line) : [line]));
}

test('the system calls of the service are those that its unit allows', async (t) => {
  const stack = make();
  const trace = join(stack.dir, 'trace');
  const traced = join(stack.dir, 'traced');
  const options = `-f -qq -o '${trace}'`;
  writeFileSync(
    traced,
    `#!/bin/sh\nexec ${need('strace')} ${options} '${service}' "$@"\n`,
    { mode: 0o755 },
  );
  stack.program = traced;
  // Nobody can trace a process that is traced.
  stack.env = { ASAN_OPTIONS: 'detect_leaks=0' };
  try {
    await stack.startService();
  } catch (error) {
    if (!/ptrace/i.test(stack.log())) throw error;
    t.skip('not allowed to trace');
    return;
  }
  const key = 'on_hold_timer_duration';
  const tenant = stack.tenant();
  const body = '{"value":1}';
  for (const params of [
    stack.params('POST', key, { tenant, body }),
    stack.params('GET', key, { tenant }),
    stack.params('GET', '', { tenant, PATH_INFO: '/config/sales_order' }),
    stack.params('GET', `${key}/history`, { tenant }),
    stack.params('GET', '', { PATH_INFO: '/readyz', ORDERCONF_OPERATOR: 1 }),
    stack.params('GET', '', { PATH_INFO: '/metrics', ORDERCONF_OPERATOR: 1 }),
    stack.params('GET', key, { token: 'a.b.c' }),
  ])
    await stack.direct(params, params.CONTENT_LENGTH ? body : '');
  const [supervisor] = stack.service.children();
  const count = (event) =>
    stack.events().filter((line) => line.event === event).length;
  process.kill(supervisor, 'SIGHUP');
  await until('workers are new', () => count('worker_stopped') === 2);
  process.kill(supervisor, 'SIGTERM');
  assert.deepEqual(await stack.service.ended, { code: 0, signal: null });

  const used = new Set(
    [...readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map(
      ([, name]) => name,
    ),
  );
  assert.ok(used.has('fdatasync') && used.has('epoll_wait'));
  const filters = settings(readFileSync(units[0], 'utf8'))
    .filter(([name]) => name === 'SystemCallFilter')
    .map(([, value]) => value);
  const setsOf = (sign) =>
    filters
      .filter((value) => value.startsWith('~') === sign)
      .flatMap((value) => value.replace('~', '').split(' '))
      .flatMap(callsOf);
  const [allowed, denied] = [false, true].map((sign) => new Set(setsOf(sign)));
  assert.ok(allowed.size > 100 && denied.size > 20);
  assert.deepEqual(
    [...used].filter((name) => !allowed.has(name) || denied.has(name)),
    [],
  );
});
