// SPDX-License-Identifier: MIT
// What a process costs: memory of a worker, its start, and a CGI request.
import child from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encode } from '../../e2e/lib/fcgi.mjs';
import { cleanEnv, service } from '../../e2e/lib/paths.mjs';
import { median, number } from '../lib/figures.mjs';
import { privateMiB } from '../lib/memory.mjs';
import { BODY, KEY, PATH, Stand, tool } from '../lib/stand.mjs';
import { wrk } from '../lib/wrk.mjs';

export const title = 'A process: memory, start, CGI';

const TOKENS = 5000;
const execFile = promisify(child.execFile);

/** The ms of each run, by t/bench/timer. */
async function time(args, env = {}) {
  const { stdout } = await execFile(tool('timer'), args, { env: cleanEnv(env) });
  return JSON.parse(stdout);
}

function timeStart(stand) {
  const socket = join(stand.dir, 'start.sock');
  const question = join(stand.dir, 'question');
  const token = stand.benchToken('t1');
  writeFileSync(question, encode(stand.params('GET', KEY, { token })));
  const args = stand.args().filter((arg) => !arg.startsWith('--listen'));
  return time(['20', '-s', socket, question, service, ...args, `--listen=unix:${socket}`]);
}

function timeCgi(stand) {
  const args = stand.args().filter((arg) => !arg.startsWith('--listen'));
  return time(['100', service, ...args],
    stand.params('GET', KEY, { token: stand.benchToken('t1') }));
}

export async function run({ seconds }) {
  const stand = await Stand.start();
  try {
    stand.setUpTenants(['t1']);
    await stand.post('t1', KEY, BODY);
    const names = Array.from({ length: TOKENS }, (_, i) => `t${i % 500 + 1}`);
    const tokens = stand.writeTokens(names);
    const fresh = privateMiB(stand.service.children());
    await wrk(stand.url + PATH, { clients: 100, seconds: 3 * seconds, tokens });
    await wrk(stand.url + PATH, { clients: 100, seconds, tokens, method: 'POST', body: BODY,
      mayFail: 0.01 });
    const loaded = privateMiB(stand.service.children());

    const starts = await timeStart(stand);
    const cgi = await timeCgi(stand);
    const nothing = await time(['100', '/bin/true']);

    const results = { fresh, loaded, starts, cgi, nothing };
    const most = (list) => number(Math.max(...list));
    return {
      results,
      rows: [
        ['figure', 'median', 'most', 'to reach'],
        ['private MiB of a fresh worker', number(median(fresh)), most(fresh), ''],
        [`private MiB after ${TOKENS} tokens, 100 clients`, number(median(loaded)), most(loaded), '12'],
        ['ms from start to first answer', number(median(starts)), most(starts), '50'],
        ['ms of a CGI request', number(median(cgi)), most(cgi), '10'],
        ['ms of /bin/true, for comparison', number(median(nothing)), most(nothing), ''],
      ],
    };
  } finally {
    await stand.kill();
  }
}
