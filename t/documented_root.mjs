// SPDX-License-Identifier: MIT
// Root's commands in the documentation, in the system whose first process is INIT
// and whose files are in ROOT: see t/check-documented.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { spawnSync } from 'node:child_process';
import { builddir, srcdir } from './e2e/lib/paths.mjs';
import { blocksOf, runSteps, stepsOf } from './e2e/lib/transcript.mjs';

const { INIT, ROOT } = process.env;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const TREE = '/srv/orderconf'; // what it has of the sources
const inside = [
  ...['--target', INIT, '--all', '--', 'env', '-i', `--chdir=${TREE}`],
  ...[`PATH=${PATH}`, 'HOME=/root', 'TERM=dumb'],
];

/** Runs commands that the documentation takes for granted. */
function prepare(script) {
  const { status, stderr } = spawnSync('nsenter', [...inside, 'sh', '-ec', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${script}: ${stderr}`);
}

// The package is made and installed by t/check-deb.
const isElsewhere = ({ command }) => /^apt-get |^make /.test(command);

function run(name) {
  const path = name.endsWith('.md') ? join(srcdir, name) : join(builddir, 'data', name);
  const steps = blocksOf(name, readFileSync(path, 'utf8'))
    .flatMap(stepsOf)
    .filter((step) => step.prompt === '#' && !isElsewhere(step));
  runSteps(steps, {
    cwd: join(ROOT, TREE),
    shell: `nsenter ${inside.join(' ')} bash`,
    scriptDir: TREE,
    env: process.env,
    start: (command) => command,
    end: (printed) => printed,
  });
}

test('nginx/README.md', () => run('nginx/README.md'));
test('data/README.md', () => run('data/README.md'));
test('orderconf.fcgi.8', () => {
  prepare('mkdir -p /var/backups');
  run('orderconf.fcgi.8');
});
test('orderconf.1', () => {
  prepare('rm -rf /var/backups/*; orderconf backup /var/backups/orderconf-2026-11-22');
  run('orderconf.1');
});
test('the service is up after all that', () => {
  prepare('systemctl is-active orderconf.service orderconf.socket nginx');
});
