// SPDX-License-Identifier: MIT
// One resource has one path: every route in every disguise that a front end might
// see through. By itself this is about nginx; front_*.mjs run it for the others,
// and what one of them answers itself is in lib/fronts.mjs.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BASE, Stack } from '../lib/stack.mjs';

const stack = await Stack.start();
after(() => stack.kill());
const { front } = stack;
const tenant = stack.tenant();
const ask = (path) => stack.request({ tenant, path });

const key = 'on_hold_timer_duration';
const below = [
  BASE + key,
  `${BASE}${key}/history`,
  '/v0/config/sales_order',
  '/v0/openapi.json',
];
// nginx is asked by a socket, which is not this machine to it.
const admitted = stack.target.socketPath ? 403 : 200;
const routes = [
  ...below.map((path) => [path, 200]),
  [front.health, 200],
  ...front.own.map((path) => [path, admitted]),
];
/** What is not served there, and would be if a disguise got it past a rule. */
const refused = ['/v0/readyz', '/v0/metrics'];

const MARKS = [
  ...['%0a', '%0d', '%00', '%20', '%09', '%2f', '%3b', '%25'],
  ...[';x', '/', '%5c', '%23', '%3f', '%c0%af', '%252e', '%0a%0a'],
];

/** The path with the mark behind it, or before any of its segments. */
const disguises = (path, mark) => [
  `${path}${mark}`,
  `${path}${mark}?a=b`,
  ...[...path.matchAll(/\//g)].map(
    ({ index }) =>
      `${path.slice(0, index + 1)}${mark}${path.slice(index + 1)}`,
  ),
];

test('each route has its path', async () => {
  for (const [path, status] of routes)
    for (const asked of [path, `${path}?a=b`, `http://${front.host}${path}?a=b`])
      assert.equal((await ask(asked)).status, status, asked);
});

test('equivalent spellings of a path are that path', async () => {
  for (const [path, status] of routes)
    for (const asked of [
      path.replace(/[a-z]/g, (c) => `%${c.charCodeAt(0).toString(16)}`),
      path.replace(/[a-z]/, (c) => `%${c.charCodeAt(0).toString(16)}`),
      `/.${path}`,
      `/x/%2e%2E${path}`,
      path.replace(/\/(?=[^/]*$)/, '/x/./../'),
    ])
      assert.equal((await ask(asked)).status, status, asked);
});

for (const mark of MARKS)
  test(`no route with ${mark}`, async () => {
    const status = front.disguised[mark] ?? 404;
    for (const path of [...routes.map(([route]) => route), ...refused])
      for (const asked of disguises(path, mark)) {
        const answer = await ask(asked);
        assert.equal(answer.status, status, asked);
        assert.doesNotMatch(answer.text, /orderconf_|"ready"|"ok"|"value"/, asked);
      }
  });

test('a slash in disguise is none', async () => {
  for (const [path] of routes)
    for (const { index } of [...path.slice(1).matchAll(/\//g)]) {
      const asked = `${path.slice(0, index + 1)}%2f${path.slice(index + 2)}`;
      const answer = await ask(asked);
      assert.equal(answer.status, front.disguised['%2f'] ?? 404, asked);
    }
});

test('what is refused stays refused in equivalent spellings', async () => {
  for (const path of refused)
    for (const asked of [
      path,
      `/.${path}`,
      path.replace('/v0', '/v0/.'),
      path.replace('/v0', '/v0/x/..'),
      path.replace('m', '%6d').replace('r', '%72'),
      `http://${front.host}${path}`,
    ])
      assert.equal((await ask(asked)).status, 404, asked);
});

test('nothing is said of it in the log', async () => {
  await stack.stop();
  const said = stack.events().filter(({ event }) => event === 'hidden');
  assert.deepEqual(said, []);
});
