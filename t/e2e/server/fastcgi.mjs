// SPDX-License-Identifier: MIT
// FastCGI as the specification has it, and as no web server here speaks it:
// other roles, management records, parameters that mislead libfcgi.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { encode, parseCgi } from '../lib/fcgi.mjs';
import { factory } from '../lib/stack.mjs';

const [BEGIN, END, PARAMS, STDIN, STDOUT] = [1, 3, 4, 5, 6];
const [DATA, GET_VALUES, GET_VALUES_RESULT] = [8, 9, 10];
const [AUTHORIZER, FILTER] = [2, 3];
const UNKNOWN_ROLE = 3;
const key = 'on_hold_timer_duration';

/** An answer, or the end of a connection, may take so long. */
const PATIENCE_MS = 3000;

const { start } = factory();
const stack = await start({ options: { workers: 1 }, nginx: false });
const [worker] = stack.service.children();
const token = stack.token(stack.tenant());
const get = (keep = true) =>
  encode(stack.params('GET', key, { token }), '', keep);

function record(type, content = '', id = 1) {
  const bytes = Buffer.from(content);
  const head = Buffer.from([1, type, id >> 8, id & 255, 0, 0, 0, 0]);
  head.writeUInt16BE(bytes.length, 4);
  return Buffer.concat([head, bytes]);
}

const begin = (role, keep) =>
  record(BEGIN, [0, role, keep ? 1 : 0, 0, 0, 0, 0, 0]);

/** Names and values as a record's content. */
function pairs(list) {
  const length = (text) =>
    text.length < 128
      ? [text.length]
      : [0x80, 0, text.length >> 8, text.length & 255];
  return Buffer.concat(
    list.map(([name, value]) =>
      Buffer.concat([
        Buffer.from([...length(name), ...length(value)]),
        Buffer.from(name + value),
      ]),
    ),
  );
}

/**
 * Sends the parts, the second when the first is sent, and so on, until there
 * are count records of the type in what comes back, or the connection ends.
 */
function talk(parts, { type = END, count = Infinity } = {}) {
  return new Promise((resolve, reject) => {
    const found = { records: [], ended: false };
    const socket = net.connect({ path: stack.fcgiSocket, allowHalfOpen: true });
    let bytes = Buffer.alloc(0);
    const done = (error) => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve(found);
    };
    const timer = setTimeout(
      () => done(new Error(`silence after ${JSON.stringify(found)}`)),
      PATIENCE_MS,
    );
    const send = (left) => {
      if (left.length > 0) socket.write(left[0], () => send(left.slice(1)));
    };
    socket.on('error', done);
    socket.on('connect', () => send(parts));
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 8) {
        const size = bytes.readUInt16BE(4);
        if (bytes.length < 8 + size + bytes[6]) break;
        found.records.push({
          type: bytes[1],
          content: bytes.subarray(8, 8 + size),
        });
        bytes = bytes.subarray(8 + size + bytes[6]);
      }
      if (found.records.filter((r) => r.type === type).length >= count) done();
    });
    socket.on('end', () => {
      found.ended = true;
      done();
    });
  });
}

/** The answers' statuses; what protocolStatus says where there is none. */
function outcomes({ records }) {
  const found = [];
  let out = [];
  for (const { type, content } of records) {
    if (type === STDOUT) out.push(content);
    if (type !== END) continue;
    found.push(
      out.length > 0
        ? parseCgi(Buffer.concat(out)).status
        : `protocol ${content[4]}`,
    );
    out = [];
  }
  return found;
}

const refused = `protocol ${UNKNOWN_ROLE}`;
const streams = {
  [AUTHORIZER]: [record(PARAMS, pairs([['A', 'b']])), record(PARAMS)],
  [FILTER]: [
    record(PARAMS, pairs([['A', 'b']])),
    record(PARAMS),
    record(STDIN, 'x'),
    record(STDIN),
    record(DATA, Buffer.alloc(60000)),
    record(DATA),
  ],
  99: [],
};

test('another role is refused, and the connection ends if it is not kept', async () => {
  for (const [role, rest] of Object.entries(streams)) {
    const found = await talk([
      Buffer.concat([begin(Number(role), false), ...rest]),
    ]);
    assert.deepEqual(outcomes(found), [refused]);
    assert.ok(found.ended, `role ${role}: the connection goes on`);
  }
});

test('who is refused while it still sends gets to read it', async () => {
  const data = Array.from({ length: 50 }, () =>
    record(DATA, Buffer.alloc(60000)),
  );
  const found = await talk([
    begin(FILTER, false),
    ...streams[FILTER].slice(0, 4),
    ...data,
  ]);
  assert.deepEqual(outcomes(found), [refused]);
  assert.ok(found.ended);
});

test('another role is refused, and the connection goes on if it is kept', async () => {
  for (const [role, rest] of Object.entries(streams)) {
    const found = await talk(
      [Buffer.concat([begin(Number(role), true), ...rest, get()])],
      { count: 2 },
    );
    assert.deepEqual(outcomes(found), [refused, 200]);
    assert.ok(!found.ended);
  }
});

const known = ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS'];
const values = pairs([
  ['FCGI_MAX_CONNS', '1024'],
  ['FCGI_MAX_REQS', '1024'],
  ['FCGI_MPXS_CONNS', '0'],
]);

test('FCGI_GET_VALUES is answered, however often it has a name, and however many', async () => {
  for (const times of [1, 4, 1000]) {
    const names = Array.from({ length: times }, () => known).flat();
    const others = Array.from({ length: times }, (_, i) => `OTHER_${i}`);
    const asked = pairs([...others, ...names].map((name) => [name, '']));
    const found = await talk([record(GET_VALUES, asked, 0)], {
      type: GET_VALUES_RESULT,
      count: 1,
    });
    assert.deepEqual(found.records, [
      { type: GET_VALUES_RESULT, content: values },
    ]);
  }
});

test('what is right gets its answer, also before what is no FastCGI', async () => {
  const found = await talk([
    Buffer.concat([
      record(GET_VALUES, pairs([['FCGI_MPXS_CONNS', '']]), 0),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]),
  ]);
  assert.deepEqual(
    found.records.map(({ type }) => type),
    [GET_VALUES_RESULT],
  );
  assert.ok(found.ended);
});

test('parameters that libfcgi would misread end the connection', async () => {
  const bad = {
    'an = in a name': pairs([['REQUEST_METHOD=GET&', 'x']]),
    'a NUL in a name': pairs([['A\0B', 'x']]),
    'a NUL in a value': pairs([['A', 'x\0y']]),
    'lengths whose sum overflows': Buffer.from('fffffffefffffffe4142', 'hex'),
    'lengths beyond the end': Buffer.from('05054142', 'hex'),
  };
  for (const [what, params] of Object.entries(bad)) {
    const found = await talk([
      Buffer.concat([
        begin(1, true),
        record(PARAMS, params),
        record(PARAMS),
        record(STDIN),
      ]),
    ]);
    assert.deepEqual(found.records, [], what);
    assert.ok(found.ended, what);
  }
});

test('records of another request in between take nothing away', async () => {
  const other = Buffer.concat([record(PARAMS, '', 77), record(STDIN, '', 77)]);
  const body = '{"value":7}';
  const params = pairs(
    Object.entries(stack.params('POST', key, { token, body })).map(
      ([name, value]) => [name, String(value)],
    ),
  );
  const found = await talk(
    [
      begin(1, true),
      record(PARAMS, params.subarray(0, 20)),
      record(PARAMS, params.subarray(20)),
      record(PARAMS),
      record(STDIN, body.slice(0, 4)),
      record(STDIN, body.slice(4)),
      record(STDIN),
    ].flatMap((part) => [part, other]),
    { count: 1 },
  );
  assert.deepEqual(outcomes(found), [200]);
});

test('three hundred fields of a client are read', async () => {
  const fields = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`HTTP_X_${i}`, `${i}`]),
  );
  const found = await talk(
    [encode(stack.params('GET', key, { token, ...fields }), '', true)],
    { count: 1 },
  );
  assert.deepEqual(outcomes(found), [200]);
});

test('the worker is the same, and the log is clean', async () => {
  assert.deepEqual(stack.service.children(), [worker]);
  await stack.stop();
});
