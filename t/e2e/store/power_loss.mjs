// SPDX-License-Identifier: MIT
// Power loss: the real service, with everything that it writes, flushes and
// answers written down; then what a power failure could leave on the disk at
// each flush is made, opened, and searched for all that was answered by then.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  accessSync,
  appendFileSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FcgiConnection } from '../lib/fcgi.mjs';
import { Ledger, Writer } from '../lib/ledger.mjs';
import { builddir, cleanEnv, srcdir } from '../lib/paths.mjs';
import { random, seed, soak } from '../lib/seed.mjs';
import { factory } from '../lib/stack.mjs';

const WRITERS = 6;
const WRITES = 30 * soak; // of each
const IMAGES = 1500 * soak;

const dir = mkdtempSync(join(tmpdir(), 'oc-power-'));
const { make } = factory();
// Thousands of images are opened and written: in memory, if there is a place.
const place = mkdtempSync(
  join(isWritable('/dev/shm') ? '/dev/shm' : dir, 'oc-images-'),
);
after(() => {
  for (const path of [place, dir])
    rmSync(path, { recursive: true, force: true });
});

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Small values, and some that need pages of their own. */
function values(r) {
  if (r() < 0.5) return ['on_hold_timer_duration', Math.floor(r() * 1e6)];
  const length = 1 + Math.floor(r() ** 3 * 30000);
  return [
    'external_order_webhook',
    { url: 'https://example.com/', api_key: 'k'.repeat(length), timeout: 7 },
  ];
}

/** An event as t/lib/flush_record.h has it. */
function event(kind, file, offset, payload = '') {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(kind, 0);
  head.writeUInt32LE(process.pid, 4);
  head.writeBigUInt64LE(BigInt(file), 8);
  head.writeBigUInt64LE(BigInt(offset), 16);
  head.writeBigUInt64LE(BigInt(payload.length), 24);
  return Buffer.concat([head, Buffer.from(payload)]);
}

const [WRITE, BEGIN, END, RENAME, SENT] = [0, 3, 4, 5, 6];

/**
 * A store of format 1, whose last commit is in its note only, as if the record
 * had been there when it was made: it is on the disk, and clients know of it.
 */
function startWithOldStore(db, record) {
  const path = join(db, 'data.mdb');
  const noted = readFileSync(join(srcdir, 't', 'data', 'store_1', 'noted.mdb'));
  mkdirSync(db, { mode: 0o750 });
  writeFileSync(path, noted);
  const [file, directory] = [path, db].map((name) => statSync(name).ino);
  appendFileSync(
    record,
    Buffer.concat([
      event(WRITE, file, 0, noted),
      event(BEGIN, file, 0),
      event(END, file, 0),
      event(RENAME, file, directory, 'data.mdb'),
      event(BEGIN, directory, 0),
      event(END, directory, 0),
      ...OLD_SETTINGS.map(([tenant, key, version, value]) =>
        event(
          SENT,
          0,
          0,
          `Status: 200 OK\r\nETag: "${version}"\r\n` +
            `X-Request-Id: ${tenant}:${key}:read\r\n\r\n` +
            `{"value":${value},"updated_at":`,
        ),
      ),
    ]),
  );
}

const OLD_SETTINGS = [
  ['acme', 'on_hold_timer_duration', 4, '180'],
  ['acme', 'on_hold_timer_duration', 5, '240'],
  ['acme', 'big_sales_order', 1, '{"soft_limit_for_big_orders":42}'],
  ['globex', 'external_oms', 1, '{"enabled":true}'],
];

/** Everything, made to fail or not: {code, stdout, stderr}. */
function replay(record, images, ...flags) {
  const where = mkdtempSync(join(place, 'replay-'));
  return new Promise((resolve) => {
    execFile(
      join(builddir, 't', 'crash_images'),
      [record, where, seed, images, ...flags],
      { env: cleanEnv() },
      (error, stdout, stderr) =>
        resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

/** Tests of a service that starts with the store that prepare leaves. */
function lose(what, record, prepare = () => {}) {
  test(`${what}: a recording of writes and answers`, async (t) => {
    t.diagnostic(`SEED=${seed}`);
    const r = random();
    const stack = make({
      env: {
        LD_PRELOAD: join(builddir, 't', 'lib', 'flush_record.so'),
        FLUSH_RECORD: record,
        // A sanitizer wants to be the first library, but does without.
        ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`,
      },
    });
    stack.env.FLUSH_RECORD_DIR = stack.options.db;
    prepare(stack.options.db, record);
    await stack.startService();
    const ledger = new Ledger();
    const writers = Array.from(
      { length: WRITERS },
      () => new Writer(stack, ledger, r, values),
    );
    let left = WRITERS * WRITES;
    const reader = await FcgiConnection.open(stack.fcgiSocket);
    await Promise.all([
      ...writers.map((writer) => writer.run(() => left-- > 0)),
      (async () => {
        while (left > 0) {
          const { tenant, token } = writers[Math.floor(r() * WRITERS)];
          const key = 'on_hold_timer_duration';
          const answer = await reader.send(
            stack.params('GET', key, {
              token,
              REQUEST_ID: `${tenant}:${key}:read`,
            }),
          );
          assert.equal(answer.status, 200);
        }
      })(),
    ]);
    reader.close();
    assert.equal(ledger.stored, WRITERS * WRITES);
    await stack.stop();
  });

  test(`${what}: after a power failure at any flush, all that was answered is there`, async (t) => {
    const { code, stdout, stderr } = await replay(record, IMAGES);
    t.diagnostic(stdout.trim());
    assert.equal(code, 0, `SEED=${seed}\n${stderr}`);
    const done = JSON.parse(stdout);
    assert.equal(done.lost, 0);
    // Creation, then a flush a commit at least; each write was answered.
    assert.ok(
      done.boundaries > WRITES && done.images >= 2 * done.boundaries,
      stdout,
    );
    assert.ok(done.promises >= WRITERS * WRITES, stdout);
  });
}

const NEW = join(dir, 'new');
lose('a new store', NEW);
lose('a store of format 1', join(dir, 'old'), startWithOldStore);

// The proof that the test above can fail.
for (const [flag, what] of [
  ['--ignore-data', 'takes no notice of a flush'],
  ['--ignore-meta', 'takes no notice of O_DSYNC'],
]) {
  test(`a disk that ${what} is found out`, async () => {
    const { code, stdout, stderr } = await replay(NEW, 300, flag);
    assert.equal(code, 1, stderr);
    assert.ok(JSON.parse(stdout).lost > 0, stdout);
    assert.match(stderr, /lost version|does not open|not whole|signal/);
  });
}
