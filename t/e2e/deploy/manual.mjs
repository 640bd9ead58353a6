// SPDX-License-Identifier: MIT
// The manual pages name each option that there is, and no other, and can be read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { admin, builddir, cleanEnv, find, service } from '../lib/paths.mjs';

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

const PAGES = ['orderconf-secrets.7', 'orderconf.1', 'orderconf.7', 'orderconf.fcgi.8'];

test('nothing is left to be filled in, and the version is', () => {
  const version = spawnSync(service, ['--version'], { encoding: 'utf8' }).stdout
    .trim()
    .split(' ')[1];
  for (const name of PAGES) {
    const text = page(name);
    assert.doesNotMatch(text, /@[A-Za-z_]+@/, name);
    assert.match(text, new RegExp(`^\\.TH .*"orderconf ${version}"`, 'm'));
  }
});

test('each refers to pages that there are', () => {
  for (const name of PAGES)
    for (const [, other, section] of page(name).matchAll(/\b(orderconf[a-z.-]*) \((\d)\)/g))
      assert.ok(PAGES.includes(`${other}.${section}`), `${name}: ${other}(${section})`);
});

const without = !find('mandoc') && 'mandoc is missing';

test('mandoc has nothing to say against them', { skip: without }, () => {
  for (const name of PAGES) {
    const path = join(builddir, 'data', name);
    const { stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', path], {
      encoding: 'utf8',
    });
    assert.equal(stdout, '');
  }
});

test('make man-html: each leads to the others', { skip: without }, () => {
  const made = spawnSync('make', ['-s', '-C', builddir, 'man-html'], {
    env: cleanEnv(),
    encoding: 'utf8',
  });
  assert.equal(made.status, 0, made.stderr);
  const html = Object.fromEntries(
    PAGES.map((name) => [
      name,
      readFileSync(join(builddir, 'man-html', `${name}.html`), 'utf8'),
    ]),
  );
  for (const name of PAGES)
    for (const other of PAGES.filter((one) => one !== name && page(name).includes(`.BR ${one.replace(/\.(\d)$/, ' ($1)')}`)))
      assert.ok(html[name].includes(`href="${other}.html"`), `${name}: ${other}`);
});
