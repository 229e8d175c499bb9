// Other gateways for JSON-RPC, each by the path of its program; every call goes to the node, as far as they can be told so.
import { file, started } from '../peers.mjs';
import { freePort, run } from '../procs.mjs';

/** eRPC (erpc/erpc); null without a path. */
export async function erpc(path, stubPort) {
  if (path === undefined) return null;
  const port = await freePort();
  const metricsPort = await freePort();
  const config = file(
    `erpc-${port}.yaml`,
    `logLevel: error
server: { listenV4: true, httpHostV4: 127.0.0.1, httpPort: ${port}, httpPortV4: ${port} }
metrics: { enabled: true, hostV4: 127.0.0.1, port: ${metricsPort} }
projects:
  - id: main
    networks: [{ architecture: evm, evm: { chainId: 1 } }]
    upstreams: [{ id: stub, endpoint: "http://127.0.0.1:${stubPort}", evm: { chainId: 1 } }]
`,
  );
  const peer = await started('erpc', run(path, [config]), port);
  return { ...peer, url: `${peer.url}main/evm/1` };
}

/** proxyd (ethereum-optimism/infra); null without a path. */
export async function proxyd(path, stubPort) {
  if (path === undefined) return null;
  const port = await freePort();
  const config = file(
    `proxyd-${port}.toml`,
    `[server]
rpc_host = "127.0.0.1"
rpc_port = ${port}
log_level = "error"
max_upstream_batch_size = 100
[backend]
response_timeout_seconds = 30
[backends]
[backends.stub]
rpc_url = "http://127.0.0.1:${stubPort}"
[backend_groups]
[backend_groups.main]
backends = ["stub"]
[rpc_method_mappings]
eth_call = "main"
eth_blockNumber = "main"
`,
  );
  return started('proxyd', run(path, [config]), port);
}

/** nodecore (drpcorg/nodecore); null without a path. */
export async function nodecore(path, stubPort) {
  if (path === undefined) return null;
  const port = await freePort();
  const metricsPort = await freePort();
  const config = file(
    `nodecore-${port}.yaml`,
    `server: { port: ${port}, metrics-port: ${metricsPort} }
upstream-config:
  upstreams:
    - id: stub
      chain: ethereum
      connectors: [{ type: json-rpc, url: "http://127.0.0.1:${stubPort}" }]
`,
  );
  const peer = await started('nodecore', run(path, [], { NODECORE_CONFIG_PATH: config }), port);
  return { ...peer, url: `${peer.url}queries/ethereum` };
}
