// SPDX-License-Identifier: MIT
// Prometheus's text format 0.0.4, read strictly.
import assert from 'node:assert/strict';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL =
  /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=[a-zA-Z_])|$)/;
const NUMBER = /^(?:[+-]?Inf|NaN|-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/;
const SUFFIXES = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/** {name: value} of what stands between the braces. */
function parseLabels(text, line) {
  const labels = {};
  for (let rest = text; rest !== '';) {
    const found = LABEL.exec(rest);
    assert.ok(found, `labels: ${line}`);
    assert.ok(!(found[1] in labels), `label twice: ${line}`);
    [, , labels[found[1]]] = found;
    rest = rest.slice(found[0].length);
  }
  return labels;
}

function parseSample(line) {
  const found = /^([^\s{]+)(?:\{([^\s].*)\})? (\S+)$/.exec(line);
  assert.ok(found, `no sample: ${line}`);
  const [, name, labels = '', number] = found;
  assert.match(name, NAME);
  assert.match(number, NUMBER, line);
  const value = Number(number.replace('Inf', 'Infinity'));
  return { name, labels: parseLabels(labels, line), value };
}

/** A histogram's buckets grow up to its count, and end with no bound. */
function checkHistogram(family) {
  const series = new Map();
  for (const { name, labels, value } of family.samples) {
    const { le, ...others } = labels;
    const id = JSON.stringify(others);
    if (!series.has(id)) series.set(id, { buckets: [] });
    const at = series.get(id);
    if (name.endsWith('_bucket'))
      at.buckets.push([Number(le.replace('+Inf', 'Infinity')), value]);
    else at[name.endsWith('_sum') ? 'sum' : 'count'] = value;
  }
  for (const [id, { buckets, sum, count }] of series) {
    const what = `${family.name} ${id}`;
    assert.ok(buckets.length > 1, what);
    assert.equal(buckets.at(-1)[0], Infinity, what);
    assert.equal(buckets.at(-1)[1], count, what);
    for (let i = 1; i < buckets.length; i++) {
      assert.ok(buckets[i][0] > buckets[i - 1][0], what);
      assert.ok(buckets[i][1] >= buckets[i - 1][1], what);
    }
    assert.ok(sum >= 0 && sum > 0 === count > 0, what);
  }
}

/** Families by name: {name, type, help, samples: [{name, labels, value}]}. */
export function parse(text) {
  assert.ok(text.endsWith('\n'));
  const families = new Map();
  const seen = new Set();
  let family;
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name, rest] =
      /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      assert.match(name, NAME);
      assert.ok(!families.has(name), `in two places: ${name}`);
      family = { name, help: rest, samples: [] };
      families.set(name, family);
    } else if (keyword === 'TYPE') {
      assert.equal(name, family.name, 'TYPE comes after its HELP');
      assert.equal(family.type, undefined, line);
      assert.ok(rest in SUFFIXES, line);
      family.type = rest;
    } else {
      const sample = parseSample(line);
      const id = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      assert.ok(!seen.has(id), `twice: ${line}`);
      seen.add(id);
      assert.ok(
        SUFFIXES[family.type].some((end) => family.name + end === sample.name),
        `not of ${family.name}: ${line}`,
      );
      assert.equal('le' in sample.labels, sample.name.endsWith('_bucket'));
      family.samples.push(sample);
    }
  }
  for (const one of families.values()) {
    assert.ok(one.type, one.name);
    if (one.type === 'counter') assert.match(one.name, /_total$/);
    if (one.type === 'histogram') checkHistogram(one);
  }
  return families;
}

/** The sum of the samples of this name that have these labels. */
export function sum(families, name, labels = {}) {
  const family =
    families.get(name) ??
    families.get(name.replace(/_(bucket|sum|count)$/, ''));
  assert.ok(family, `no ${name}`);
  return family.samples
    .filter(
      (sample) =>
        sample.name === name &&
        Object.entries(labels).every(
          ([k, v]) => sample.labels[k] === String(v),
        ),
    )
    .reduce((total, sample) => total + sample.value, 0);
}
