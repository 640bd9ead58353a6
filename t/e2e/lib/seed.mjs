// SPDX-License-Identifier: MIT
// Random choices that can be made again: SEED in the environment, else a new
// one, which the test prints. SOAK multiplies how much a test does.

export const seed = Number(
  process.env.SEED ?? Math.floor(Math.random() * 2 ** 32),
);
export const soak = Math.max(1, Number(process.env.SOAK ?? 1));

/** A generator of numbers in [0, 1): mulberry32. */
export function random(start = seed) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
