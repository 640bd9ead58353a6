// SPDX-License-Identifier: MIT
// The contract through Apache and mod_proxy_fcgi: data/apache.
process.env.E2E_FRONT = 'apache_proxy_fcgi';
await import('./deployment.mjs');
await import('../api/contract.mjs');
await import('../api/negotiation.mjs');
await import('./paths.mjs');
await import('../api/versions.mjs');
