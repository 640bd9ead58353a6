// SPDX-License-Identifier: MIT
// The configuration files that the repository ships, as an operator takes them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { srcdir } from './paths.mjs';

/**
 * A file of the repository with what an operator changes: changes is
 * [[from, to], …], and each from must be there.
 */
export function shipped(path, changes = []) {
  let text = readFileSync(join(srcdir, path), 'utf8');
  for (const [from, to] of changes) {
    assert.ok(text.includes(from), `${path} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** The settings of a unit or an environment file: [[name, value], …]. */
export function settings(text) {
  return text
    .split('\n')
    .filter((line) => /^[A-Za-z_]+=/.test(line))
    .map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    });
}

/** The one value that a unit has for name. */
export function setting(text, name) {
  const found = settings(text).filter(([n]) => n === name);
  assert.equal(found.length, 1, name);
  return found[0][1];
}

/** A TCP port that was free a moment ago, for servers that take no socket. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
