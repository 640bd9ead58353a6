// SPDX-License-Identifier: MIT
// wrk, and its figures: {rate, p50, p99, …} in requests a second and ms.
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cleanEnv } from '../../e2e/lib/paths.mjs';

const run = promisify(execFile);
let scripts = 0;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * clients: connections; headers: of every request; tokens: a file of tokens to
 * use in turn, with method and body. Fails if an answer is no 2xx or lost,
 * unless mayFail gives the share that may be.
 */
export async function wrk(url, { clients, seconds, headers = {}, tokens, method = 'GET', body,
  mayFail = 0 }) {
  const threads = Math.min(clients, 2);
  const args = [`-t${threads}`, `-c${clients}`, `-d${seconds}s`, '--timeout', '10s'];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  const script = join(tmpdir(), `wrk-${process.pid}-${++scripts}.lua`);
  writeFileSync(script, [
    `THREADS = ${threads}`,
    readFileSync(here('report.lua')),
    tokens ? readFileSync(here('tokens.lua')) : '',
    body === undefined ? '' : `wrk.method, wrk.body = '${method}', ${JSON.stringify(body)}`,
  ].join('\n'));
  args.push('-s', script, url);
  if (tokens) args.push('--', tokens, method, ...(body === undefined ? [] : [body]));
  const { stdout } = await run('wrk', args, { env: cleanEnv(), maxBuffer: 1 << 20 });
  rmSync(script);
  const raw = JSON.parse(stdout.trim().split('\n').at(-1));
  const bad = (raw.failed + raw.lost) / Math.max(raw.requests, 1);
  if (raw.requests === 0 || bad > mayFail)
    throw new Error(`${url}: ${raw.failed} failed and ${raw.lost} lost of ${raw.requests}\n${stdout}`);
  return {
    rate: (raw.requests - raw.failed) / raw.seconds,
    mean: raw.mean / 1e3,
    p50: raw.p50 / 1e3,
    p99: raw.p99 / 1e3,
    p999: raw.p999 / 1e3,
    max: raw.max / 1e3,
    requests: raw.requests,
    failed: raw.failed,
  };
}
