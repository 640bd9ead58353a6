// SPDX-License-Identifier: MIT
// Each command that README, the other Markdown files and the manual pages show
// works as written, and prints what they say. Those of root (#) change a machine:
// t/check-documented runs them in one that boots.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { freePort } from '../lib/files.mjs';
import { admin, builddir, cleanEnv, srcdir } from '../lib/paths.mjs';
import { blocksOf, runSteps, stepsOf } from '../lib/transcript.mjs';

const dir = mkdtempSync(join(tmpdir(), 'oc-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const MARKDOWN = [
  'README.md',
  'data/README.md',
  'nginx/README.md',
  'src/README.md',
  't/README.md',
  't/bench/README.md',
];
const PAGES = ['orderconf-secrets.7', 'orderconf.1', 'orderconf.7', 'orderconf.fcgi.8'];
const textOf = (name) =>
  readFileSync(
    name.endsWith('.md') ? join(srcdir, name) : join(builddir, 'data', name),
    'utf8',
  );

/** A tree as a checkout has it, which is built already. */
function freshTree(name) {
  const tree = join(dir, name);
  const left = new Set(['.git', 'autom4te.cache', 'build', 'node_modules', 'state']);
  cpSync(srcdir, tree, {
    recursive: true,
    filter: (path) => path === srcdir || !left.has(basename(path)),
  });
  symlinkSync(builddir, join(tree, 'build'));
  return tree;
}

const OUTSIDE =
  /(?<![\w/.])\/(?:etc\/orderconf|run\/orderconf|tmp|var\/backups|var\/lib\/orderconf)\b/g;

/**
 * The directories that a document names, below one of our own: an empty store, and
 * a settings file as an operator has it.
 */
function freshRoot(name) {
  const root = join(dir, `${name}.root`);
  for (const path of ['etc/orderconf/keys', 'run/orderconf', 'tmp', 'var/backups'])
    mkdirSync(join(root, path), { recursive: true });
  const settings = `ORDERCONF_DB=/var/lib/orderconf
ORDERCONF_ISSUER=https://id.example.com/realms/{tenant}
${name.includes('secrets') ? 'ORDERCONF_SECRET_KEYS=/etc/orderconf/secrets.json\n' : ''}`;
  writeFileSync(
    join(root, 'etc/orderconf/orderconf.conf'),
    settings.replaceAll(/=(?=\/)/g, `=${root}`),
  );
  mkdirSync(join(root, 'var/lib'));
  const made = spawnSync(admin, ['import', '--db', join(root, 'var/lib/orderconf')], {
    env: cleanEnv(),
    input: '',
    encoding: 'utf8',
  });
  assert.equal(made.status, 0, made.stderr);
  return root;
}

// It ends when the session does. Its port is one that is free.
const serving = (port) => `./bootstrap serve --port ${port} >served 2>&1 &
until grep -q 'Ctrl-C stops it' served; do kill -0 $! || break; sleep 0.1; done
cat served; grep -q 'Ctrl-C stops it' served`;

/** The session of a document: in README one begins in the tree, in a page anywhere. */
async function runDocument(name, steps) {
  const tree = freshTree(name.replaceAll('/', '-'));
  const root = freshRoot(name.replaceAll('/', '-'));
  const port = String(await freePort());
  const installed = name !== 'README.md' && {
    ORDERCONF_CONFIG: join(root, 'etc/orderconf/orderconf.conf'),
    PATH: `${builddir}:${process.env.PATH}`,
  };
  runSteps(steps, {
    cwd: tree,
    env: cleanEnv({ TERM: 'dumb', ...installed }),
    start: (command) =>
      command === './bootstrap serve'
        ? serving(port)
        : command
            .replaceAll(OUTSIDE, (path) => root + path)
            .replaceAll('8080', port),
    end: (printed) => printed.replaceAll(root, '').replaceAll(port, '8080'),
  });
}

for (const name of [...MARKDOWN, ...PAGES]) {
  const steps = blocksOf(name, textOf(name))
    .flatMap(stepsOf)
    .filter(({ prompt }) => prompt === '$');
  if (steps.length > 0)
    test(`the commands of ${name}`, () => runDocument(name, steps));
}

test('blocks of commands are marked as such', () => {
  for (const name of MARKDOWN) {
    const text = textOf(name);
    for (const [, language] of text.matchAll(/^```(\w*)\n[^]*?^```$/gm))
      assert.match(language, /^(console|json|yaml)$/, name);
    assert.doesNotMatch(text.replace(/^```[^]*?^```$/gm, ''), /^ {4}\S/m, name);
  }
  for (const name of PAGES) {
    const text = textOf(name);
    for (const [, block] of text.matchAll(/^\.(?:EX|nf)\n([^]*?)^\.(?:EE|fi)$/gm))
      assert.doesNotMatch(block, /^(orderconf|systemctl|openssl) /m, name);
  }
});

test('README has at most 160 lines, and leads to files that there are', () => {
  assert.ok(textOf('README.md').split('\n').length <= 161);
  for (const name of MARKDOWN)
    for (const [, link] of textOf(name).matchAll(/\]\(([^)#:]+)\)/g))
      assert.ok(existsSync(join(srcdir, dirname(name), link)), `${name}: ${link}`);
});
