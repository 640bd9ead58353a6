// SPDX-License-Identifier: MIT
// The service as a plain CGI program.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cleanEnv, service } from './paths.mjs';
import { within } from './process.mjs';

/**
 * Serves one request: {code, signal, stdout, stderr}; broken if it closed stdin
 * early. options: which of stack's options it gets; args: more of its
 * arguments; env: more of its environment; command: what runs it.
 */
export async function runCgi(
  stack,
  params,
  body = '',
  {
    options = ['db', 'issuer', 'jwks'],
    args = [],
    env = {},
    command = [service],
  } = {},
) {
  const [program, ...before] = command;
  const given = options.map((name) => `--${name}=${stack.options[name]}`);
  const child = spawn(program, [...before, ...given, ...args], {
    env: cleanEnv({ ...params, ...env }),
  });
  const [out, err] = [[], []];
  child.stdout.on('data', (chunk) => out.push(chunk));
  child.stderr.on('data', (chunk) => err.push(chunk));
  let broken = false;
  child.stdin.on('error', () => {
    broken = true;
  });
  child.stdin.end(body);
  const ended = new Promise((resolve) => {
    child.on('error', () => resolve({ code: 127, signal: null }));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const end = await within(20, ended);
  if (!end) child.kill('SIGKILL');
  assert.ok(end, 'it did not end');
  return {
    ...end,
    broken,
    stdout: Buffer.concat(out).toString('utf8'),
    stderr: Buffer.concat(err).toString('utf8'),
  };
}
