// SPDX-License-Identifier: MIT
// Where things are; make check says so in the environment.
import { createRequire } from 'node:module';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const srcdir =
  resolve(process.env.SRCDIR ?? fileURLToPath(new URL('../../..', import.meta.url)));
export const builddir = resolve(process.env.BUILDDIR ?? join(srcdir, 'build'));
export const service = join(builddir, 'orderconf.fcgi');
export const admin = join(builddir, 'orderconf');

/** Loads an npm package of t/package.json. */
export const load = createRequire(join(srcdir, 't', 'package.json'));

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

/** The environment without what would change a program under test. */
export function cleanEnv(more = {}) {
  const env = { ...process.env, ...more };
  for (const name of Object.keys(env))
    if (/^(ORDERCONF_|MAKE|MFLAGS|NODE_TEST|LISTEN_)/.test(name) && !(name in more))
      delete env[name];
  return env;
}
