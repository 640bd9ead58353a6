// SPDX-License-Identifier: MIT
// What clients were told, against what the store holds.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { FcgiConnection } from './fcgi.mjs';
import { builddir, cleanEnv } from './paths.mjs';

const run = promisify(execFile);

/** Every record and version in a store, by its own functions. */
export async function dump(db) {
  const { stdout } = await run(join(builddir, 't', 'store_dump'), [db], {
    env: cleanEnv(),
    maxBuffer: 2 ** 30,
  });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Versions of a key stay below what the history keeps. */
const VERSIONS_MAX = 60;

/**
 * Each version has a write id of its own and a place in the store's order,
 * without a gap. One of format 1 has neither.
 */
function assertStamps(versions) {
  const stamped = versions.filter((row) => row.seq > 0);
  assert.deepEqual(
    stamped.map((row) => row.seq).sort((a, b) => a - b),
    stamped.map((_, i) => i + 1),
  );
  assert.equal(
    new Set(stamped.map((row) => row.write_id)).size,
    stamped.length,
  );
}

export class Ledger {
  constructor() {
    this.sent = new Map(); // by request id: {tenant, key, value, outcome}
    this.told = new Map(); // by tenant, key and version: the request's id
    this.count = 0;
    this.stored = 0; // answered with 200
    this.unknown = 0; // never answered
  }

  /** Notes a write before it is sent. */
  open(tenant, key, value) {
    const id = `${tenant}:${key}:${++this.count}`;
    this.sent.set(id, { tenant, key, value, outcome: 'unknown' });
    this.unknown++;
    return id;
  }

  /** Notes its answer. */
  close(id, answer) {
    const entry = this.sent.get(id);
    entry.outcome = answer.status;
    this.unknown--;
    if (answer.status !== 200) return;
    // Of any release: in older ones, the version was all of the tag.
    const version = Number(/^"(\d+)/.exec(answer.headers.etag)[1]);
    const place = `${entry.tenant}:${entry.key}:${version}`;
    assert.ok(!this.told.has(place), `version ${place} was given twice`);
    assert.equal(answer.headers['x-request-id'], id);
    assert.deepEqual(answer.json.value, entry.value);
    this.told.set(place, id);
    this.stored++;
  }

  /**
   * Fails unless all that was answered with 200 is in the store with value,
   * version and history, versions are without gap or repetition, and nothing
   * is there that was refused or that nobody sent.
   */
  async assertKept(db) {
    const told = new Map(this.told); // what is answered from now on may be missing
    const rows = await dump(db);
    const records = new Map();
    const versions = new Map();
    const ids = new Set();
    for (const row of rows) {
      const place = `${row.tenant}:${row.key}`;
      if (row.kind === 'record') {
        records.set(place, row);
        versions.set(place, []);
        continue;
      }
      const entry = this.sent.get(row.request_id);
      assert.ok(
        entry,
        `${place} ${row.version}: nobody sent ${row.request_id}`,
      );
      assert.ok(!ids.has(row.request_id), `${row.request_id} is stored twice`);
      ids.add(row.request_id);
      assert.ok(
        entry.outcome === 200 || entry.outcome === 'unknown',
        `${row.request_id} is stored, but was answered with ${entry.outcome}`,
      );
      assert.deepEqual(row.value, entry.value, `${place} ${row.version}`);
      versions.get(place).push(row);
    }
    assertStamps(rows.filter((row) => row.kind === 'version'));
    for (const [place, record] of records) {
      const all = versions.get(place);
      assert.deepEqual(
        all.map((row) => row.version),
        Array.from({ length: record.version }, (_, i) => record.version - i),
        `${place}: versions`,
      );
      assert.deepEqual(
        record.value,
        all[0].value,
        `${place}: the record is not its newest version`,
      );
      assert.deepEqual(
        [record.seq, record.write_id],
        [all[0].seq, all[0].write_id],
        place,
      );
    }
    for (const [at, id] of told) {
      const [tenant, key, version] = at.split(':');
      const all = versions.get(`${tenant}:${key}`);
      assert.ok(all, `${at}: nothing is stored of ${id}`);
      const row = all[all.length - Number(version)];
      assert.ok(row, `${at} is lost: ${id}`);
      assert.equal(row.request_id, id, `${at} is somebody else's`);
    }
    return rows.length;
  }
}

/** Writes one after the other, to tenants of its own, whatever happens. */
export class Writer {
  /** random: a generator; values: makes [key, value] of it. */
  constructor(
    stack,
    ledger,
    random,
    values = (r) => ['on_hold_timer_duration', Math.floor(r() * 1e6)],
  ) {
    Object.assign(this, { stack, ledger, random, values });
    this.writes = 0;
    this.errors = 0;
    this.failures = []; // answers that it should not have had
    this.unsure = false; // the write before had no answer
  }

  async connection() {
    this.open ??= await FcgiConnection.open(this.stack.fcgiSocket);
    return this.open;
  }

  drop() {
    this.open?.close();
    this.open = undefined;
  }

  async write() {
    const { stack, ledger } = this;
    if (this.writes++ % VERSIONS_MAX === 0) {
      this.tenant = stack.tenant();
      this.token = stack.token(this.tenant);
    }
    const [key, value] = this.values(this.random);
    const connection = await this.connection();
    const id = ledger.open(this.tenant, key, value);
    const body = JSON.stringify({ value });
    const answer = await connection.send(
      stack.params('POST', key, { token: this.token, body, REQUEST_ID: id }),
      body,
    );
    ledger.close(id, answer);
    // Nobody else writes here; but the write before may have been stored by a
    // worker that died before it could say so to readers.
    if (answer.status !== 200 && !(answer.status === 409 && this.unsure))
      this.failures.push(answer);
    this.unsure = false;
    return answer;
  }

  /** Writes until goesOn() is false; a connection that breaks is no reason to stop. */
  async run(goesOn) {
    while (goesOn()) {
      try {
        await this.write();
      } catch (error) {
        if (error.code === 'ERR_ASSERTION') throw error;
        this.unsure = true;
        this.errors++;
        this.drop();
        await new Promise((resolve) => {
          setTimeout(resolve, 2);
        });
      }
    }
    this.drop();
  }
}
