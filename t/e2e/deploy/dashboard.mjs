// SPDX-License-Identifier: MIT
// data/orderconf-grafana.json asks for what there is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { find, srcdir } from '../lib/paths.mjs';
import { parse } from '../lib/prometheus.mjs';
import { Stack } from '../lib/stack.mjs';

const dashboard = JSON.parse(
  readFileSync(join(srcdir, 'data/orderconf-grafana.json'), 'utf8'),
);
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const exprs = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

const stack = await Stack.start({ nginx: false });
after(() => stack.kill());

/** What a scrape knows of: sample names, each with its labels. */
async function known() {
  // A request and a refused token, for there are no series without.
  await stack.direct(stack.params('GET', 'big_sales_order', { token: 'x' }));
  const answer = await stack.direct({
    REQUEST_METHOD: 'GET',
    PATH_INFO: '/metrics',
    ORDERCONF_OPERATOR: 1,
  });
  const names = new Map();
  for (const family of parse(answer.text).values())
    for (const { name, labels } of family.samples)
      names.set(name, new Set(Object.keys(labels)));
  return names;
}

test('it is a dashboard', () => {
  assert.equal(dashboard.title, 'orderconf');
  assert.ok(dashboard.schemaVersion >= 36);
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const titles = panels.map(({ title }) => title);
  assert.equal(new Set(titles).size, titles.length);
  for (const panel of panels) {
    assert.ok(panel.targets.length > 0, panel.title);
    const refs = panel.targets.map(({ refId }) => refId);
    assert.equal(new Set(refs).size, refs.length, panel.title);
    for (const { datasource, expr } of [panel, ...panel.targets]) {
      assert.equal(datasource.uid, '${datasource}', panel.title);
      assert.notEqual(expr, '');
    }
  }
});

test('no panel lies on another, or beside the grid', () => {
  const taken = new Map();
  for (const { title, gridPos } of dashboard.panels) {
    assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        const other = taken.get(`${x},${y}`);
        assert.equal(other, undefined, `${title} lies on ${other}`);
        taken.set(`${x},${y}`, title);
      }
  }
});

test('every metric and label that it names exists', async () => {
  const names = await known();
  let labels = 0;
  for (const expr of exprs) {
    const found = [...expr.matchAll(/(orderconf_\w+)(?:\{([^}]*)\})?/g)];
    assert.ok(found.length > 0, expr);
    for (const [, name, selector = ''] of found) {
      assert.ok(names.has(name), `no ${name}, in ${expr}`);
      for (const [, label] of selector.matchAll(/(\w+)(?:=~|!=|!~|=)"/g)) {
        if (label === 'job' || label === 'instance') continue;
        assert.ok(names.get(name).has(label), `${label} in ${expr}`);
        labels++;
      }
      for (const [, by] of expr.matchAll(/ by \(([^)]*)\)/g))
        for (const label of by.split(/, */))
          assert.ok(names.get(name).has(label), `${label} in ${expr}`);
    }
  }
  assert.ok(labels >= 4);
  for (const { query } of dashboard.templating.list.slice(1))
    for (const [name] of query.query.matchAll(/orderconf_\w+/g))
      assert.ok(names.has(name), name);
});

test('everything that is counted is shown', async () => {
  const shown = exprs.join(' ');
  for (const name of (await known()).keys()) {
    const family = name.replace(/_(bucket|sum|count)$/, '');
    assert.ok(shown.includes(family), `${family} is nowhere`);
  }
});

test('Prometheus takes its expressions', (t) => {
  const promtool = find('promtool');
  if (!promtool) {
    t.skip('without promtool');
    return;
  }
  const rules = exprs.map((expr, i) => ({
    record: `rule:${i}`,
    expr: expr
      .replaceAll('$__rate_interval', '5m')
      .replace(/\$(job|instance)/g, '.*'),
  }));
  for (const { expr } of rules) assert.ok(!expr.includes('$'), expr);
  const file = join(stack.dir, 'rules.yaml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'g', rules }] }));
  const { status, stdout, stderr } = spawnSync(
    promtool,
    ['check', 'rules', file],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout + stderr);
});
