// SPDX-License-Identifier: MIT
// make bench: figures side by side, as tables and in bench-results.json.
// Arguments: the parts to run, by name; all without any. BENCH_SECONDS is how
// long a round takes, BENCH_ROUNDS how many there are.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { builddir, find } from '../e2e/lib/paths.mjs';
import { machine, table } from './lib/figures.mjs';

const parts = readdirSync(new URL('parts', import.meta.url)).map((name) => name.replace(/\.mjs$/, ''));
const order = ['get', 'process', 'metrics', 'tokens', 'post', 'slow', 'growth', 'import', 'backup'];

function wanted(args) {
  const unknown = args.filter((name) => !parts.includes(name));
  if (unknown.length > 0) {
    console.error(`no such part: ${unknown.join(' ')}; there are: ${order.join(' ')}`);
    process.exit(2);
  }
  return order.filter((name) => parts.includes(name) && (args.length === 0 || args.includes(name)));
}

const options = {
  seconds: Number(process.env.BENCH_SECONDS ?? 2),
  rounds: Number(process.env.BENCH_ROUNDS ?? 5),
  say: (line) => console.log(line),
};
const names = wanted(process.argv.slice(2));
if (find('wrk') === null) {
  console.error('wrk is not installed');
  process.exit(77);
}
// A store is measured where builds are: /tmp may be memory.
process.env.TMPDIR = join(builddir, 'bench');
mkdirSync(process.env.TMPDIR, { recursive: true });

const report = { date: new Date().toISOString(), machine: machine(), options, parts: {} };
console.log(`${report.machine.cpu}, ${report.machine.cores} cores, Linux ${report.machine.kernel}; ` +
  `rounds of ${options.seconds} s, medians of ${options.rounds}`);
for (const name of names) {
  const part = await import(`./parts/${name}.mjs`);
  const load = os.loadavg()[0];
  const start = Date.now();
  console.log(`\n## ${part.title} (${name})\n\nload average before: ${load.toFixed(2)}\n`);
  const { results, rows } = await part.run(options);
  console.log(table(rows));
  report.parts[name] = { load, seconds: (Date.now() - start) / 1000, results };
  writeFileSync(join(builddir, 'bench-results.json'), `${JSON.stringify(report, null, 1)}\n`);
}
console.log(`\nraw figures: ${join(builddir, 'bench-results.json')}`);
