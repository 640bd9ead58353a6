// SPDX-License-Identifier: MIT
// Which of the two media types an answer has.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem } from '../lib/contract.mjs';
import { Stack } from '../lib/stack.mjs';

const stack = await Stack.start();
after(() => stack.kill());

const JSON_TYPE = 'application/json';
const PROBLEM = 'application/problem+json';

// Accept, the type of a value, the type of a problem
const cases = [
  [undefined, JSON_TYPE, PROBLEM],
  ['*/*', JSON_TYPE, PROBLEM],
  ['application/*', JSON_TYPE, PROBLEM],
  [JSON_TYPE, JSON_TYPE, JSON_TYPE],
  [PROBLEM, PROBLEM, PROBLEM],
  [`${JSON_TYPE}, ${PROBLEM}`, JSON_TYPE, PROBLEM],
  [`${PROBLEM}, ${JSON_TYPE}`, JSON_TYPE, PROBLEM],
  [`${JSON_TYPE};q=0.5, ${PROBLEM}`, PROBLEM, PROBLEM],
  [`${JSON_TYPE}, ${PROBLEM};q=0.1`, JSON_TYPE, JSON_TYPE],
  [`${JSON_TYPE};q=0, */*`, PROBLEM, PROBLEM],
  [`${PROBLEM};q=0, */*;q=0.1`, JSON_TYPE, JSON_TYPE],
  ['text/html', JSON_TYPE, PROBLEM],
  ['text/html, application/json;q=0.9, */*;q=0.8', JSON_TYPE, JSON_TYPE],
  ['APPLICATION/JSON', JSON_TYPE, JSON_TYPE],
  ['application/json; charset=utf-8', JSON_TYPE, JSON_TYPE],
  ['not a media range', JSON_TYPE, PROBLEM],
  [',,;;', JSON_TYPE, PROBLEM],
  ['*/*;q=0', JSON_TYPE, PROBLEM],
];

for (const [accept, value, problem] of cases)
  test(`Accept: ${accept}`, async () => {
    const tenant = stack.tenant();
    const headers = accept === undefined ? {} : { accept };
    const good = await stack.get(tenant, 'big_sales_order', headers);
    assert.equal(good.status, 200);
    assert.equal(good.type, value);
    assert.match(good.headers.vary, /accept/i);
    const bad = await stack.post(tenant, 'big_sales_order', {}, headers);
    assertProblem(bad, 400, 'validation_failed');
    assert.equal(bad.type, problem);
  });

test("the front end's own problems follow Accept too, where it can", async () => {
  const { refused, negotiates } = stack.front;
  for (const [accept, type] of [
    [undefined, PROBLEM],
    ['*/*', PROBLEM],
    [JSON_TYPE, negotiates ? JSON_TYPE : PROBLEM],
    [PROBLEM, PROBLEM],
    [`${JSON_TYPE}, ${PROBLEM}`, PROBLEM],
  ]) {
    const answer = await stack.request({
      path: refused,
      headers: accept === undefined ? {} : { accept },
    });
    assert.equal(answer.type, type);
    // Without an id of its own, it says so.
    if (!negotiates) {
      assert.equal(answer.json.request_id, 'unknown');
      answer.headers['x-request-id'] = 'unknown';
    }
    assertProblem(answer, 404, 'not_found');
  }
});

test('the service stops cleanly and logs no token', () => stack.stop());
