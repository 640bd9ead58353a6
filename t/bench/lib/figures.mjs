// SPDX-License-Identifier: MIT
// Medians, and rounds that take turns: this machine is shared, and what
// disturbs one program's round should disturb its rival's, too.
import os from 'node:os';

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The medians of runs, each an object of numbers. */
export const medians = (runs) =>
  Object.fromEntries(Object.keys(runs[0]).map((name) => [name, median(runs.map((r) => r[name]))]));

/**
 * Runs each of {name: async function} rounds times, in turns, and gives
 * {name: {runs, …medians}}.
 */
export async function takeTurns(rounds, programs) {
  const runs = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, run] of Object.entries(programs)) runs[name].push(await run());
  return Object.fromEntries(Object.entries(runs).map(([name, all]) =>
    [name, { ...medians(all), runs: all }]));
}

export function number(value, digits) {
  if (digits === undefined) digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Lines of cells as a table in Markdown. */
export function table([head, ...rows]) {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(all[0]), line(rule), ...all.slice(1).map(line)].join('\n');
}

export const machine = () => ({
  cpu: os.cpus()[0].model.replace(/\s+/g, ' '),
  cores: os.cpus().length,
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  kernel: os.release(),
  node: process.version,
});
