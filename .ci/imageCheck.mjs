// Runs inside a container of the image, in the folder of the program.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { request } from 'node:http';

/** Asks the container's own loopback. */
const ask = (port, path, { method = 'GET', headers = {}, body = '' } = {}) =>
  new Promise((resolve, reject) => {
    const sent = request({ port, path, method, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece)).on('end', () => resolve(text));
    });
    sent.on('error', reject).end(body);
  });

// Its node does not exist: the gateway's own error is the answer.
const call = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":7,"method":"eth_blockNumber","params":[]}' };
const answer = JSON.parse(await ask(8545, '/', call));
assert.equal(answer.id, 7);
assert.equal(typeof answer.error?.code, 'number');

// As Prometheus asks for it by the name in compose.yaml.
assert.match(await ask(9545, '/metrics', { headers: { host: 'edge:9545' } }), /^tidegate_build_info\{/m);

assert.equal(process.getuid(), 10001);

// Every dependency loads with its binary for this platform, and there is none for another version of Node.js.
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const { resolve } = createRequire(`${process.cwd()}/package.json`);
for (const name of Object.keys(dependencies)) {
  // Some have no main entry, only named ones.
  if (name === '@noble/hashes') await import(resolve('@noble/hashes/sha3'));
  else await import(resolve(name));
}
const binaries = readdirSync('node_modules/uWebSockets.js').filter((name) => name.endsWith('.node'));
assert.equal(binaries.length, 1);
for (const left of ['@foundry-rs', 'typescript', 'vitest']) assert.ok(!readdirSync('node_modules').includes(left), `${left} is in the image`);
