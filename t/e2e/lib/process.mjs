// SPDX-License-Identifier: MIT
// Programs that a test starts: their log, their end, and that none outlives it.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnv } from './paths.mjs';

const running = new Set();

process.on('exit', () => {
  for (const program of running) program.killAll();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => process.exit(1));

// A file that hangs fails, and takes what it started along.
setTimeout(() => {
  console.log('Bail out! not done after ten minutes');
  process.exit(1);
}, 600000).unref();

export class Program {
  /**
   * Starts it with both outputs in the file log. lastSignal is for a program
   * that must clean up after itself even then; user is {uid, gid}.
   */
  constructor(
    path,
    args,
    {
      log,
      env = {},
      stdin = 'ignore',
      cwd,
      lastSignal = 'SIGKILL',
      user = {},
    } = {},
  ) {
    const fd = openSync(log, 'a');
    this.logFile = log;
    this.lastSignal = lastSignal;
    this.child = spawn(path, args, {
      // A group of its own, so that killAll reaches what it starts.
      cwd,
      detached: true,
      env: cleanEnv(env),
      stdio: [stdin, fd, fd],
      ...user,
    });
    closeSync(fd);
    this.pid = this.child.pid;
    running.add(this);
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => resolve({ error }));
      this.child.on('exit', (code, signal) => resolve({ code, signal }));
    }).then((end) => {
      running.delete(this);
      this.end = end;
      return end;
    });
  }

  kill(signal) {
    if (!this.end) this.child.kill(signal);
  }

  /** What it started dies with it: nginx's workers outlive a killed master. */
  killAll() {
    try {
      process.kill(-this.pid, this.lastSignal);
    } catch {
      // they are gone
    }
  }

  /** Ends it with signal and tells how it ended: {code, signal}. */
  async stop(signal = 'SIGTERM', seconds = 20) {
    this.kill(signal);
    const end = await within(seconds, this.ended);
    if (end) return end;
    this.killAll();
    await this.ended;
    throw new Error(`${this.child.spawnfile} did not stop:\n${this.log()}`);
  }

  log() {
    return readFileSync(this.logFile, 'latin1');
  }

  /** The workers that it started and that still run. */
  children() {
    return children(this.pid).filter((pid) => !isLogWriter(pid, pid));
  }

  /** The processes that write its log for it: one, or none yet. */
  logWriters() {
    return children(this.pid).filter((pid) => isLogWriter(pid, pid));
  }

  /** Waits until what it has logged is written; not for long. */
  settleLog() {
    const end = Date.now() + 500;
    const cell = new Int32Array(new SharedArrayBuffer(4));
    if (!this.pid || this.end) return;
    while (!isLogIdle(this.pid) && Date.now() < end)
      Atomics.wait(cell, 0, 0, 2);
  }
}

/** What read gives; of a process that has gone, nothing. */
function ofProcess(read, nothing) {
  try {
    return read();
  } catch {
    return nothing;
  }
}

const children = (pid) =>
  ofProcess(
    () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'),
    '',
  )
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);

/** The name of a thread, or '' if it has gone. */
export const nameOf = (pid, tid = pid) =>
  ofProcess(
    () => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trimEnd(),
    '',
  );

/** Whether this thread writes what others have logged. */
const isLogWriter = (pid, tid) =>
  /^(orderconf-)?log$/.test(nameOf(pid, tid));

/** Whether all of a service's log writers wait for the next line. */
const isLogIdle = (service) =>
  [service, ...children(service)].every((pid) =>
    ofProcess(() => readdirSync(`/proc/${pid}/task`), [])
      .filter((tid) => isLogWriter(pid, tid))
      .every((tid) =>
        ofProcess(
          () => /pipe_read/.test(readFileSync(`/proc/${pid}/task/${tid}/wchan`, 'utf8')),
          true,
        ),
      ),
  );

/** What promise gives, or undefined if that takes longer. */
export async function within(seconds, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until check gives something true, and gives that. */
export async function until(what, check, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(10);
  }
}
