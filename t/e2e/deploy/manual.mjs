// SPDX-License-Identifier: MIT
// The manual pages and README name each option that there is, and no other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { admin, builddir, cleanEnv, service, srcdir } from '../lib/paths.mjs';

const help = (program, ...words) => {
  const args = [...words, '--help'];
  const { status, stdout } = spawnSync(program, args, {
    env: cleanEnv(),
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
  return stdout;
};

const unique = (matches) => [...new Set([...matches].map(([, name]) => name))].sort();
const optionsOf = (text) =>
  unique(text.matchAll(/^ {2}--([a-z-]+)/gm)).filter((name) => name !== 'help');

/** A manual page as plain characters. */
const page = (name) =>
  readFileSync(join(builddir, 'data', name), 'utf8').replaceAll('\\-', '-');
/** The options that have a paragraph in it. */
const described = (text) =>
  unique(text.matchAll(/^\.BI? --([a-z-]+)/gm)).filter((name) => name !== 'help');

test("the service's", () => {
  const options = optionsOf(help(service));
  assert.ok(options.includes('map-size') && options.includes('version'));
  assert.deepEqual(described(page('orderconf.fcgi.8')), options);
  const readme = readFileSync(join(srcdir, 'README.md'), 'utf8');
  assert.deepEqual(
    unique(readme.matchAll(/^\| `--([a-z-]+)/gm)),
    options.filter((name) => !['reload', 'version'].includes(name)),
  );
});

test("the admin command's", () => {
  const commands = unique(
    help(admin).matchAll(/^ {2}([a-z]+(?: [a-z]+)?) +[A-Z]/gm),
  );
  assert.ok(commands.includes('keys fetch'));
  const text = page('orderconf.1');
  const options = commands.flatMap((name) => {
    const found = optionsOf(help(admin, ...name.split(' ')));
    for (const option of found)
      assert.ok(text.includes(`--${option}`), `${name} --${option}`);
    assert.match(text, new RegExp(`^\\.SS orderconf ${name}\\b`, 'm'));
    return found;
  });
  for (const option of described(text))
    assert.ok(options.includes(option), `--${option} is no option`);
});

test('nothing is left to be filled in, and the version is', () => {
  const version = spawnSync(service, ['--version'], { encoding: 'utf8' }).stdout
    .trim()
    .split(' ')[1];
  for (const name of ['orderconf.1', 'orderconf.fcgi.8']) {
    const text = page(name);
    assert.doesNotMatch(text, /@[A-Za-z_]+@/, name);
    assert.match(text, new RegExp(`^\\.TH .*"orderconf ${version}"`, 'm'));
  }
});
