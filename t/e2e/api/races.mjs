// SPDX-License-Identifier: MIT
// Writers at the same key at the same time.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { versionOf as version } from '../lib/etag.mjs';
import { Stack } from '../lib/stack.mjs';

const WRITERS = 64;

const stack = await Stack.start({ options: { workers: 4 } });
after(() => stack.kill());

const key = 'on_hold_timer_duration';

test('64 writers: each gets 200 or 409, and each 200 is one version', async () => {
  let lost = 0;
  for (let round = 0; round < 10; round++) {
    const tenant = stack.tenant();
    let before = 0;
    for (let wave = 0; wave < 3; wave++) {
      const answers = await Promise.all(
        Array.from({ length: WRITERS }, (_, i) =>
          stack.post(tenant, key, { value: wave * 1000 + i }),
        ),
      );
      const won = answers.filter((answer) => answer.status === 200);
      for (const answer of answers) {
        if (answer.status === 200) continue;
        assertProblem(answer, 409, 'concurrent_update_on_tenant_setting');
        assert.ok(version(answer) > before);
        lost++;
      }
      // Every version once, none left out.
      const versions = won.map(version).sort((a, b) => a - b);
      assert.deepEqual(
        versions,
        Array.from({ length: won.length }, (_, i) => before + i + 1),
      );
      assert.ok(won.length > 0);
      before += won.length;

      const read = await stack.get(tenant, key);
      assert.equal(version(read), before);
      assert.equal(
        read.json.value,
        won.find((answer) => version(answer) === before).json.value,
      );
    }
  }
  assert.ok(lost > 0, 'no race was ever lost, so none was run');
});

test('64 writers who try again all get through', async () => {
  const tenant = stack.tenant();
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, i) => {
      for (;;) {
        const answer = await stack.post(tenant, key, { value: i });
        if (answer.status === 200) return;
        assert.equal(answer.status, 409, answer.text);
      }
    }),
  );
  assert.equal(version(await stack.get(tenant, key)), WRITERS);
});

test('a counter by If-Match loses no step', async () => {
  const tenant = stack.tenant();
  const steps = 8;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let step = 0; step < steps;) {
        const read = await stack.get(tenant, key);
        const written = await stack.post(
          tenant,
          key,
          { value: read.json.value + 1 },
          { 'if-match': read.headers.etag },
        );
        if (written.status === 200) step++;
        else assert.equal(written.status, 412, written.text);
      }
    }),
  );
  assert.equal((await stack.get(tenant, key)).json.value, 8 * steps);
});

test('writers at different keys and tenants never meet', async () => {
  const keys = {
    on_hold_timer_duration: 1,
    cancellation_allowed_from: ['dc'],
    big_sales_order: { soft_limit_for_big_orders: 1 },
    external_oms: { enabled: true },
  };
  const tenants = Array.from({ length: 16 }, () => stack.tenant());
  const answers = await Promise.all(
    tenants.flatMap((tenant) =>
      Object.entries(keys).map(([name, value]) =>
        stack.post(tenant, name, { value }),
      ),
    ),
  );
  for (const answer of answers) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(version(answer), 1);
  }
});

test('readers see whole values, in order, while somebody writes', async () => {
  const tenant = stack.tenant();
  let writing = true;
  const writer = (async () => {
    for (let n = 1; n <= 100; n++) {
      const value = {
        url: `https://example.com/${n}`,
        api_key: String(n).repeat(500),
        timeout: n % 25,
      };
      assert.equal(
        (await stack.post(tenant, 'external_order_webhook', { value })).status,
        200,
      );
    }
    writing = false;
  })();
  const readers = Array.from({ length: 4 }, async () => {
    let last = 0;
    while (writing) {
      const answer = await stack.get(tenant, 'external_order_webhook');
      if (answer.status === 404) continue;
      const n = version(answer);
      assert.ok(n >= last, 'an older version after a newer one');
      last = n;
      assert.equal(answer.json.value.url, `https://example.com/${n}`);
      assert.equal(answer.json.value.api_key, String(n).repeat(500));
    }
    assert.ok(last > 0);
  });
  await Promise.all([writer, ...readers]);
});

test('the service stops cleanly and logs no token', () => stack.stop());
