// SPDX-License-Identifier: MIT
// Where things are; make check says so in the environment.
import { createRequire } from 'node:module';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const srcdir = resolve(
  process.env.SRCDIR ?? fileURLToPath(new URL('../../..', import.meta.url)),
);
export const builddir = resolve(process.env.BUILDDIR ?? join(srcdir, 'build'));
export const service = join(builddir, 'orderconf.fcgi');
export const admin = join(builddir, 'orderconf');

/** Where npm put the packages of t/package.json; a tarball has none of its own. */
export const modules = join(
  process.env.TEST_MODULES ?? join(srcdir, 't'),
  'node_modules',
);

/** Loads one of them. */
export const load = createRequire(join(modules, 'x.js'));

/** A program's path, or null. Debian keeps servers in /usr/sbin. */
export function find(program) {
  for (const dir of [...process.env.PATH.split(delimiter), '/usr/sbin']) {
    const path = join(dir, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // the next one
    }
  }
  return null;
}

/** The same, of a program that a test cannot do without. */
export function need(program) {
  const path = find(program);
  if (!path)
    throw new Error(
      `${program} is not installed; ./bootstrap check installs it`,
    );
  return path;
}

/**
 * The environment without what would change a program under test, a settings
 * file of this machine included.
 */
export function cleanEnv(more = {}) {
  const env = { ...process.env };
  for (const name of Object.keys(env))
    if (/^(ORDERCONF_|MAKE|MFLAGS|NODE_TEST|LISTEN_)/.test(name))
      delete env[name];
  return { ...env, ORDERCONF_CONFIG: '', ...more };
}

const missing = ['nginx', 'openssl', 'spawn-fcgi'].filter(
  (program) => !find(program),
);
if (!existsSync(modules)) missing.push('t/node_modules');
if (missing.length > 0) {
  // Automake's word for a skipped file.
  console.log(
    `1..0 # SKIP without ${missing.join(', ')}; ./bootstrap check gets it`,
  );
  process.exit(0);
}
