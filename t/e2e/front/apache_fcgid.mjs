// SPDX-License-Identifier: MIT
// The contract through Apache and mod_fcgid: data/apache.
process.env.E2E_FRONT = 'apache_fcgid';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');

const { test } = await import('node:test');
const assert = (await import('node:assert/strict')).default;
const { assertVersion } = await import('../lib/etag.mjs');
const { until } = await import('../lib/process.mjs');
const { factory } = await import('../lib/stack.mjs');
const { start } = factory();

const key = 'on_hold_timer_duration';

/** A stack whose Apache tells when workers come and go. */
const startTelling = (more = '', changes = []) =>
  start({
    edit: (name, text) => {
      if (name !== 'orderconf_fcgid.conf') return text;
      for (const [from] of changes) assert.ok(text.includes(from), from);
      return changes.reduce(
        (all, [from, to]) => all.replaceAll(from, to),
        `LogLevel info\n${more}\n${text}`,
      );
    },
  });

/** How workers ended, as Apache tells it. */
const endsOf = (stack) => stack.front.workerLines('mod_fcgid: process ');

function assertCleanEnds(stack) {
  for (const line of endsOf(stack))
    assert.match(line, /terminated by calling exit\(\), return code: 0/);
  assert.doesNotMatch(stack.log(), /sending SIGKILL/);
}

test('idle workers are ended by SIGTERM, cleanly, and come back', async () => {
  const stack = await startTelling('FcgidIdleScanInterval 1', [
    ['FcgidIdleTimeout 300', 'FcgidIdleTimeout 1'],
    ['FcgidMinProcessesPerClass 4', 'FcgidMinProcessesPerClass 0'],
  ]);
  const tenant = stack.tenant();
  for (const value of [1, 2]) {
    const answer = await stack.post(tenant, key, { value });
    assertVersion(answer, value);
    await until(
      'it is idle for too long',
      () =>
        endsOf(stack).filter((line) => line.includes('idle timeout')).length ===
        value,
    );
  }
  await stack.stop();
  assertCleanEnds(stack);
});

test('a restart of Apache keeps what was stored, and ends workers cleanly', async () => {
  const stack = await startTelling();
  const tenant = stack.tenant();
  for (let n = 1; n <= 5; n++) {
    const answer = await stack.post(tenant, key, { value: n });
    assertVersion(answer, n);
    if (n % 2 === 0) await stack.front.restart();
  }
  const read = await stack.get(tenant, key);
  assert.equal(read.json.value, 5);
  await stack.stop();
  assert.ok(endsOf(stack).length >= 3);
  assertCleanEnds(stack);
});
