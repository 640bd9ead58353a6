// SPDX-License-Identifier: MIT
// A full disk, a full map and a file that may not grow: writes answer 500
// storage_full, reads go on, nothing is lost, and writes resume when there is
// room, without a restart.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { FcgiConnection, parseCgi } from '../lib/fcgi.mjs';
import { Ledger } from '../lib/ledger.mjs';
import { cleanEnv, find, service } from '../lib/paths.mjs';
import { Program, until } from '../lib/process.mjs';
import { factory } from '../lib/stack.mjs';

const CLIENTS = 6;
const key = 'external_order_webhook';
const { make, start } = factory();

const webhook = (size) => ({
  url: 'https://example.com/',
  api_key: 'k'.repeat(size),
  timeout: 3,
});

/** Starts the service by a program that comes before it. */
async function startBy(program, args, options = {}) {
  const stack = make({ options });
  mkdirSync(join(stack.dir, 'disk'));
  stack.service = new Program(
    program,
    [...args(stack), service, ...stack.args()],
    { log: stack.logFile },
  );
  await until('it is ready', () => {
    assert.equal(stack.service.end, undefined, stack.log());
    return /"event":"ready"/.test(stack.log());
  });
  return stack;
}

/** Sends one write, and checks that it is answered by 200 or storage_full. */
async function write(stack, ledger, connection, tenant, value) {
  const token = stack.token(tenant);
  const body = JSON.stringify({ value });
  const id = ledger.open(tenant, key, value);
  const answer = await connection.send(
    stack.params('POST', key, { token, body, REQUEST_ID: id }),
    body,
  );
  ledger.close(id, answer);
  if (answer.status !== 200) {
    assertProblem(answer, 500, 'storage_full');
    assert.equal(answer.headers.etag, undefined);
  }
  return answer.status === 200;
}

/** Writes to new tenants by several clients, until none of them gets through. */
async function fill(stack, ledger, connections) {
  let refused = 0;
  await Promise.all(
    connections.map(async (connection) => {
      for (let i = 0; i < 2000; i++) {
        if (
          !(await write(
            stack,
            ledger,
            connection,
            stack.tenant(),
            webhook(20000),
          ))
        ) {
          refused++;
          return;
        }
      }
    }),
  );
  assert.equal(refused, connections.length, 'it was never full');
}

/** Everything that was answered with 200 is read over HTTP, and no more. */
async function assertRead(stack, ledger, connections) {
  const all = [...ledger.sent.values()].filter((entry) => entry.key === key);
  await Promise.all(
    connections.map(async (connection, lane) => {
      for (let i = lane; i < all.length; i += connections.length) {
        const { tenant, value, outcome } = all[i];
        const answer = await connection.send(
          stack.params('GET', key, { tenant }),
        );
        if (outcome === 200) {
          assert.equal(answer.status, 200, answer.text);
          assert.deepEqual(answer.json.value, value);
        } else {
          assert.equal(
            answer.status,
            404,
            `${tenant} was refused, and is there`,
          );
        }
      }
    }),
  );
}

/** Fills it up twice, with room made in between. where: the store, as seen from here. */
async function fillTwice(stack, where, makeRoom) {
  const ledger = new Ledger();
  const workers = stack.service.children();
  const connections = await Promise.all(
    Array.from({ length: CLIENTS }, () =>
      FcgiConnection.open(stack.fcgiSocket),
    ),
  );

  await fill(stack, ledger, connections);
  const before = ledger.stored;
  assert.ok(before > 5, `${before} writes fitted`);
  await assertRead(stack, ledger, connections);
  await ledger.assertKept(where);
  // It stays full, and says so each time.
  for (const connection of connections)
    assert.ok(
      !(await write(stack, ledger, connection, stack.tenant(), webhook(20000))),
    );

  await makeRoom(ledger);
  for (const connection of connections)
    assert.ok(
      await write(stack, ledger, connection, stack.tenant(), webhook(20000)),
    );
  await fill(stack, ledger, connections);
  assert.ok(ledger.stored > before + CLIENTS);
  await assertRead(stack, ledger, connections);
  await ledger.assertKept(where);

  assert.deepEqual(stack.service.children(), workers, 'a worker was replaced');
  const events = stack.events().map(({ event }) => event);
  for (const event of ['store_full', 'store_has_room'])
    assert.ok(events.includes(event), event);
  // Said when it changes, not with every write.
  assert.ok(events.filter((event) => event === 'store_full').length < 40);
  for (const connection of connections) connection.close();
  await stack.stop();
}

// A file system of the service's own, that nobody has to unmount.
const unshare = [...(process.getuid() === 0 ? [] : ['-r']), '-m'];
const mayMount =
  spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'none', '/mnt'])
    .status === 0;

test('a full disk', { skip: !mayMount && 'not allowed to mount' }, async () => {
  const stack = await startBy('unshare', ({ dir, options }) => {
    options.db = join(dir, 'disk', 'db');
    return [
      ...unshare,
      'sh',
      '-c',
      'disk=$1; shift; mount -t tmpfs -o size=3m none "$disk" ' +
        '&& head -c 1000000 /dev/zero >"$disk/filler" && exec "$@"',
      'sh',
      join(dir, 'disk'),
    ];
  });
  const seen = join(
    '/proc',
    String(stack.service.pid),
    'root',
    stack.dir,
    'disk',
  );
  await fillTwice(stack, join(seen, 'db'), () => rmSync(join(seen, 'filler')));
});

test('a full map: room comes by another process with a larger one', async () => {
  const stack = await startBy('env', () => [], { 'map-size': '1M' });
  await fillTwice(stack, stack.options.db, (ledger) => {
    const tenant = stack.tenant();
    const timer = 'on_hold_timer_duration';
    const id = ledger.open(tenant, timer, 1);
    const body = '{"value":1}';
    const params = stack.params('POST', timer, {
      tenant,
      body,
      REQUEST_ID: id,
    });
    const args = ['db', 'issuer', 'jwks'].map(
      (name) => `--${name}=${stack.options[name]}`,
    );
    const { stdout, stderr } = spawnSync(service, [...args, '--map-size=3M'], {
      env: cleanEnv(params),
      input: body,
    });
    const answer = parseCgi(stdout);
    assert.equal(answer.status, 200, stderr.toString());
    ledger.close(id, answer);
  });
});

test('a restart with a full map keeps what is there, a larger map takes more', async () => {
  const stack = await start({ options: { 'map-size': '1M' }, nginx: false });
  const ledger = new Ledger();
  const open = () => FcgiConnection.open(stack.fcgiSocket);
  await fill(stack, ledger, [await open()]);
  await stack.stopService();
  await stack.startService();
  await assertRead(stack, ledger, [await open()]);
  assert.ok(
    !(await write(stack, ledger, await open(), stack.tenant(), webhook(20000))),
  );
  await stack.stopService();
  stack.options['map-size'] = '2M';
  await stack.startService();
  assert.ok(
    await write(stack, ledger, await open(), stack.tenant(), webhook(20000)),
  );
  await assertRead(stack, ledger, [await open()]);
  await ledger.assertKept(stack.options.db);
  await stack.stop();
});

test(
  'a file that may not grow',
  { skip: !find('prlimit') && 'no prlimit' },
  async () => {
    // The log is a file, too: it stays far below.
    const stack = await startBy('prlimit', () => ['--fsize=1500000:']);
    await fillTwice(stack, stack.options.db, () => {
      for (const pid of stack.service.children())
        assert.equal(
          spawnSync('prlimit', [`--pid=${pid}`, '--fsize=3000000:']).status,
          0,
        );
    });

    // CGI has no thread that signals stay away from.
    const [tenant, body] = [
      stack.tenant(),
      JSON.stringify({ value: webhook(20000) }),
    ];
    for (const [method, status] of [
      ['POST', 500],
      ['GET', 404],
    ]) {
      const { stdout, signal } = spawnSync(
        'prlimit',
        [
          '--fsize=4096',
          service,
          ...['db', 'issuer', 'jwks'].map(
            (name) => `--${name}=${stack.options[name]}`,
          ),
        ],
        {
          env: cleanEnv(stack.params(method, key, { tenant, body })),
          input: body,
        },
      );
      assert.equal(signal, null);
      assert.equal(parseCgi(stdout).status, status);
    }
  },
);

test(
  'a full disk at start is an error, and leaves nothing behind',
  { skip: !mayMount && 'not allowed to mount' },
  async () => {
    const stack = make();
    const disk = join(stack.dir, 'disk');
    mkdirSync(disk);
    writeFileSync(
      join(stack.dir, 'run.sh'),
      'mount -t tmpfs -o size=64k none "$1" && mkdir "$1/db" && dd if=/dev/zero of="$1/filler" 2>/dev/null; ' +
        'disk=$1; shift; "$@"; echo "exit $?"; ls -A "$disk/db" | grep -v metrics; echo end\n',
    );
    stack.options.db = join(disk, 'db');
    const { stdout, stderr } = spawnSync(
      'unshare',
      [
        ...unshare,
        'sh',
        join(stack.dir, 'run.sh'),
        disk,
        service,
        ...stack.args(),
      ],
      { env: cleanEnv(), encoding: 'utf8', timeout: 20000 },
    );
    assert.match(stdout, /^exit 1\nend\n$/m, stderr);
    assert.match(stderr, /No space left on device/);
  },
);
