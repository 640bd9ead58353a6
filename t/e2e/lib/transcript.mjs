// SPDX-License-Identifier: MIT
// What the documentation shows of a terminal, run again. A block of commands is
// ```console in Markdown and .EX to .EE in a manual page; "$ " or "# " (root) begins
// a command, and what follows it is what it prints. "..." stands for any lines, and
// within a line for any text.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ESCAPES = { '\\&': '', '\\-': '-', '\\e': '\\', '\\(dq': '"', '\\(aq': "'" };
const unescaped = (roff) =>
  roff.replace(/\\&|\\-|\\e|\\\(dq|\\\(aq/g, (found) => ESCAPES[found]);

/** The blocks of a document's text that have commands in them. */
export function blocksOf(name, text) {
  const blocks = name.endsWith('.md')
    ? [...text.matchAll(/^```console\n([^]*?)^```$/gm)].map(([, block]) => block)
    : [...text.matchAll(/^\.EX\n([^]*?)^\.EE$/gm)].map(([, block]) => unescaped(block));
  return blocks.filter((block) => /^[$#] /m.test(block));
}

/** The commands of a block: {prompt, command, expected}. */
export function stepsOf(block) {
  const steps = [];
  for (const line of block.trimEnd().split('\n')) {
    const last = steps.at(-1);
    if (last?.expected.length === 0 && last.command.endsWith('\\'))
      last.command += `\n${line}`;
    else if (/^[$#] /.test(line))
      steps.push({ prompt: line[0], command: line.slice(2), expected: [] });
    else last.expected.push(line);
  }
  return steps;
}

// What is different each time, in a form that is not. A kid is a thumbprint.
const VARYING = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'TIME'],
  [/\b\d{4}-\d\d-\d\d\b/g, 'DATE'],
  [/\b[0-9a-f]{32}\b/g, 'REQUEST-ID'],
  [/-[0-9a-f]{16}\b/g, '-ID'],
  [/(?<![\w-])[\w-]{43}(?![\w-])/g, 'KID'],
  [/\bcli:\w+/g, 'cli:USER'],
  [/\bPID: \d+/g, 'PID: N'],
  [/\b\d+ bytes/g, 'N bytes'],
];
const settled = (text) =>
  VARYING.reduce((result, [pattern, word]) => result.replace(pattern, word), text);

/** As a terminal shows it: what is overwritten or only moves the cursor is gone. */
const shown = (output) =>
  output
    .replace(/\r+\n/g, '\n')
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/^.*\r/gm, '');

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A pattern of all that a command may print. */
function patternOf(expected) {
  const lines = expected.map((line) =>
    line === '...'
      ? '(?:.*\\n)*'
      : `${settled(line).split('...').map(quoted).join('.*')}\\n`,
  );
  return new RegExp(`^${lines.join('')}$`);
}

const inBackground = (command) => command.endsWith('&');

/**
 * Runs the steps in one bash, on a terminal of their own, in cwd. start changes a
 * command before it is run, end what it has printed. shell is what runs a script, by
 * its path in scriptDir, such as bash in a container. Every command has to end with 0,
 * but a diff that found something.
 */
export function runSteps(
  steps,
  { cwd, env, start, end, seconds = 120, shell = 'bash', scriptDir = cwd },
) {
  const file = join(cwd, '.transcript');
  // Nobody types the next command sooner than what is in the background starts. That
  // has to run on, and what it prints is not compared.
  const lines = steps.map(
    ({ command }, n) => `${start(command)}${inBackground(command) ? '\nsleep 2; kill -0 $!' : ''}
printf '\\001%d %d\\n' ${n} $?`,
  );
  writeFileSync(file, `trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n${lines.join('\n')}\n`);
  const { stdout, error } = spawnSync(
    'script',
    ['--quiet', '--return', '--command', `${shell} ${join(scriptDir, '.transcript')}`, '/dev/null'],
    { cwd, env, encoding: 'utf8', timeout: seconds * 1000, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  assert.ifError(error);

  let rest = shown(stdout);
  for (const [n, { command, expected }] of steps.entries()) {
    const found = new RegExp(`\\x01${n} (\\d+)\\n`).exec(rest);
    assert.ok(found, `it did not get to its end: ${command}\n${rest}`);
    const printed = settled(end(rest.slice(0, found.index))).replace(/\n*$/, '\n');
    rest = rest.slice(found.index + found[0].length);
    const status = Number(found[1]);
    assert.ok(
      status === 0 || (status === 1 && command.startsWith('orderconf diff ')),
      `${command}\nstatus ${status}: ${printed}`,
    );
    if (inBackground(command)) continue;
    assert.match(printed === '\n' ? '' : printed, patternOf(expected), command);
  }
}
