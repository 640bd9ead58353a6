// SPDX-License-Identifier: MIT
// Durable POSTs to distinct tenants, on the disk of this machine.
import { measureWrites, writeRows } from '../lib/writes.mjs';

export const title = 'POST, durable, to distinct tenants';

export async function run(options) {
  const results = await measureWrites({ ...options, clients: [1, 16, 100], etcd: true });
  return { results, rows: writeRows(results) };
}
