// SPDX-License-Identifier: MIT
// The contract through Apache, as plain CGI on shared hosting: data/apache.
process.env.E2E_FRONT = 'apache_cgi';
await import('./deployment.mjs');
await import('./contract.mjs');
await import('./negotiation.mjs');
await import('./versions.mjs');
