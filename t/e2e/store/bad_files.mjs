// SPDX-License-Identifier: MIT
// A store that cannot be used: a clear error at start, exit code not 0, and the
// files as they were, to the byte. Here as an operator meets it; cases within
// the file are in t/unit/store/lmdb/datafile.c and t/unit/store/lmdb/engine.c.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { assertVersion } from '../lib/etag.mjs';
import { parseCgi } from '../lib/fcgi.mjs';
import { cleanEnv, service } from '../lib/paths.mjs';
import { until, within } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const isRoot = process.getuid() === 0;
const NOBODY = 65534;
const key = 'external_order_webhook';

/** A store that has been in use, whose files the cases copy. */
const { make, start } = factory();
const origin = await start({ nginx: false });
const tenant = origin.tenant();
for (let i = 0; i < 20; i++) {
  const body = JSON.stringify({
    value: { url: 'https://example.com/', api_key: 'k'.repeat(999 * i + 1) },
  });
  const answer = await origin.direct(
    origin.params('POST', key, { tenant, body }),
    body,
  );
  assert.equal(answer.status, 200);
}
await origin.stop();

/**
 * Every file of a directory: {name: [mode, owner, time, digest]}. But for the
 * counters, which are no part of the store and count this start, too.
 */
function contents(dir) {
  return Object.fromEntries(
    readdirSync(dir)
      .filter((name) => !name.startsWith('metrics'))
      .sort()
      .map((name) => {
        const path = join(dir, name);
        const { mode, uid, mtimeMs, size } = statSync(path);
        // Nothing lasts in the lock file: whoever comes first makes it anew.
        if (name === 'lock.mdb') return [name, [mode, uid, size]];
        return [
          name,
          [
            mode,
            uid,
            mtimeMs,
            createHash('sha256').update(readFileSync(path)).digest('hex'),
          ],
        ];
      }),
  );
}

/** Runs it to its end, as somebody else where a user matters: {code, signal, stderr}. */
async function run(program, args, { env = {}, input = '', uid } = {}) {
  const child = spawn(program, args, {
    env: cleanEnv(env),
    stdio: 'pipe',
    ...(uid ? { uid, gid: uid } : {}),
    cwd: '/',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const end = await within(
    20,
    new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal }));
    }),
  );
  if (!end) child.kill('SIGKILL');
  assert.ok(end, `it did not end: ${stderr}`);
  return { ...end, stdout, stderr };
}

function copyOf(what) {
  const stack = make();
  chmodSync(stack.dir, 0o755); // somebody else has to get this far
  cpSync(origin.options.db, stack.options.db, { recursive: true });
  cpSync(origin.keys, stack.keys, { recursive: true });
  what?.(stack);
  return stack;
}

/** The supervisor, a worker and CGI refuse the store, say why, and leave it alone. */
async function assertRefused(
  stack,
  because,
  { uid, by = (args) => args, seen } = {},
) {
  const program = join(stack.dir, 'orderconf.fcgi');
  copyFileSync(service, program); // the build directory may be closed to uid
  chmodSync(program, 0o755);
  const before = seen ? undefined : contents(stack.options.db);
  if (uid) chownSync(stack.dir, uid, uid);

  const supervised = by([program, ...stack.args()]);
  const end = await run(supervised[0], supervised.slice(1), { uid });
  assert.deepEqual([end.code, end.signal], [1, null], end.stderr);
  assert.match(end.stderr, because);
  // One attempt by each worker, not a loop of restarts.
  const attempts = end.stderr
    .split('\n')
    .filter((line) => line.includes('store_not_opened'));
  assert.ok(attempts.length >= 1 && attempts.length <= 2, end.stderr);
  for (const line of attempts) {
    const { level, reason } = JSON.parse(line);
    assert.equal(level, 'error');
    assert.match(reason, because);
    assert.ok(reason.includes(stack.options.db), reason);
  }
  assert.ok(!existsSync(stack.fcgiSocket), 'the socket is left behind');

  const options = ['db', 'issuer', 'jwks'].map(
    (name) => `--${name}=${stack.options[name]}`,
  );
  const once = by([program, ...options]);
  const cgi = await run(once[0], once.slice(1), {
    uid,
    env: stack.params('GET', key, { tenant }),
  });
  assert.match(cgi.stderr, because);
  const answer = parseCgi(Buffer.from(cgi.stdout));
  assertProblem(answer, 500, 'internal_server_error');
  assert.ok(
    !answer.text.includes(stack.options.db),
    'a client has no business with paths',
  );

  if (before) assert.deepEqual(contents(stack.options.db), before);
}

const data = (stack) => join(stack.options.db, 'data.mdb');

test('the copy of a good store is good', async () => {
  const stack = copyOf();
  await stack.startService();
  const answer = await stack.direct(
    stack.params('GET', key, { token: origin.token(tenant) }),
  );
  assertVersion(answer, 20);
  await stack.stop();
});

for (const [name, damage, because] of [
  [
    'a truncated file',
    (stack) => truncateSync(data(stack), statSync(data(stack)).size / 2),
    /damaged/,
  ],
  [
    'a file cut within a page',
    (stack) => truncateSync(data(stack), 5000),
    /damaged/,
  ],
  [
    'an empty file',
    (stack) => truncateSync(data(stack), 0),
    /not a store, or is damaged/,
  ],
  [
    'garbage',
    (stack) => writeFileSync(data(stack), 'garbage\n'.repeat(10000)),
    /not a store, or is damaged/,
  ],
  [
    "somebody else's file",
    (stack) => copyFileSync(service, data(stack)),
    /not a store, or is damaged/,
  ],
  [
    'garbage behind the first two pages',
    (stack) => {
      const bytes = readFileSync(data(stack));
      bytes.fill(0x5a, 8192);
      writeFileSync(data(stack), bytes);
    },
    /damaged/,
  ],
  [
    'a newer format',
    (stack) => {
      // The record "format" of "meta", 8 bytes big-endian behind its key.
      const bytes = readFileSync(data(stack));
      let found = 0;
      for (
        let at = bytes.indexOf('format');
        at >= 0;
        at = bytes.indexOf('format', at + 1)
      ) {
        if (bytes.readBigUInt64BE(at + 6) !== 2n) continue;
        bytes.writeBigUInt64BE(7n, at + 6);
        found++;
      }
      assert.ok(found > 0, 'no format record in the file');
      writeFileSync(data(stack), bytes);
    },
    /written by a newer version: it has format 7/,
  ],
  [
    'a directory instead of the data file',
    (stack) => {
      copyFileSync(data(stack), join(stack.options.db, 'other'));
      rmSync(data(stack));
      mkdirSync(data(stack));
    },
    /Is a directory/,
  ],
  [
    'a file instead of the directory',
    (stack) => {
      rmSync(stack.options.db, { recursive: true });
      writeFileSync(stack.options.db, 'what is this');
    },
    /Not a directory/,
  ],
])
  test(`${name} is refused, and untouched`, async () => {
    const stack = copyOf(damage);
    if (name.startsWith('a directory') || name.startsWith('a file instead')) {
      const list = () =>
        spawnSync('ls', ['-lRI', 'metrics*', '--full-time', stack.options.db], {
          encoding: 'utf8',
        }).stdout;
      const before = list();
      await assertRefused(stack, because, { seen: true });
      assert.equal(list(), before);
    } else {
      await assertRefused(stack, because);
    }
  });

// Permissions stop everybody but root.
const user = isRoot ? NOBODY : undefined;
for (const [name, permit] of [
  [
    'a directory that may not be read',
    (stack) => chmodSync(stack.options.db, 0o000),
  ],
  [
    'a data file that may not be read',
    (stack) => chmodSync(data(stack), 0o000),
  ],
  [
    'a data file that may not be written',
    (stack) => chmodSync(data(stack), 0o444),
  ],
  [
    'a lock file that may not be written',
    (stack) => chmodSync(join(stack.options.db, 'lock.mdb'), 0o444),
  ],
  [
    'a lock file that is missing, in a directory that may not be written',
    (stack) => {
      rmSync(join(stack.options.db, 'lock.mdb'));
      chmodSync(stack.options.db, 0o555);
    },
  ],
])
  test(`${name} is refused, and untouched`, async () => {
    const stack = copyOf((copy) => {
      if (user)
        for (const path of [
          copy.dir,
          copy.keys,
          copy.options.db,
          ...readdirSync(copy.options.db).map((file) =>
            join(copy.options.db, file),
          ),
        ])
          chownSync(path, user, user);
      permit(copy);
    });
    const before = isRoot ? contents(stack.options.db) : undefined;
    await assertRefused(stack, /Permission denied/, { uid: user, seen: true });
    if (before) assert.deepEqual(contents(stack.options.db), before);
    for (const path of [stack.options.db, data(stack)]) chmodSync(path, 0o700);
  });

const unshare = ['unshare', ...(isRoot ? [] : ['-r']), '-m'];
const mayMount =
  spawnSync(unshare[0], [
    ...unshare.slice(1),
    'mount',
    '-t',
    'tmpfs',
    'none',
    '/mnt',
  ]).status === 0;

test(
  'a store on a read-only mount is refused, and untouched',
  { skip: !mayMount && 'not allowed to mount' },
  async () => {
    const stack = copyOf();
    const before = contents(stack.options.db);
    await assertRefused(stack, /Read-only file system/, {
      seen: true,
      by: (args) => [
        ...unshare,
        'sh',
        '-c',
        'mount --bind "$0" "$0" ' +
          '&& mount -o remount,bind,ro "$0" && exec "$@"',
        stack.options.db,
        ...args,
      ],
    });
    assert.deepEqual(contents(stack.options.db), before);
  },
);

test('SIGHUP with a store gone wrong: the old workers stay', async () => {
  const stack = copyOf();
  await stack.startService();
  // The next worker finds garbage where the running ones have the file open.
  const aside = join(stack.dir, 'aside');
  renameSync(data(stack), aside);
  writeFileSync(data(stack), 'garbage');
  const pids = stack.service.children();
  stack.service.kill('SIGHUP');
  await until('the renewal has failed', () =>
    /renewal_failed/.test(stack.log()),
  );
  const params = stack.params('GET', key, { token: origin.token(tenant) });
  assertVersion(await stack.direct(params), 20);
  assert.deepEqual(stack.service.children(), pids);
  assert.match(stack.log(), /not a store, or is damaged/);
  assert.equal(readFileSync(data(stack), 'latin1'), 'garbage');

  renameSync(aside, data(stack));
  stack.service.kill('SIGHUP');
  await until('all workers are new', () => {
    const now = stack.service.children();
    return now.length === pids.length && !now.some((pid) => pids.includes(pid));
  });
  assertVersion(await stack.direct(params), 20);
  await stack.stop();
});
