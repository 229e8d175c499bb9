# Tidegate without root, without a writable root file system, without build tools.
#   docker build -t tidegate .
#   docker run --read-only -v ./config.yaml:/etc/tidegate/config.yaml:ro -p 127.0.0.1:8545:8545 tidegate
#
# BASE: any image with Node.js 20.19 or later and npm on glibc >= 2.38 (Debian 13, Ubuntu 24.04). On an older glibc the
# binary of uWebSockets.js for Node.js 22 and later does not load, and on musl none does: `server.engine: auto` then takes node:http.
ARG BASE=node:22-trixie-slim

FROM ${BASE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json LICENSE ./
COPY src src
# Optional packages are the binaries of other packages for this platform, but for the demo's local node.
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund && rm -rf node_modules/@foundry-rs
# uWebSockets.js brings a binary for every platform and version of Node.js, some 200 MB together: keep the one that loads here.
RUN cd node_modules/uWebSockets.js \
  && keep="uws_$(node -p 'process.platform')_$(node -p 'process.arch')_$(node -p 'process.versions.modules').node" \
  && find . -name 'uws_*.node' ! -name "$keep" -delete \
  && rm -rf src examples docs misc mvp tests scripts

FROM ${BASE}
ENV NODE_ENV=production
COPY --from=build /build/package.json /build/LICENSE /opt/tidegate/
COPY --from=build /build/node_modules /opt/tidegate/node_modules
COPY --from=build /build/dist /opt/tidegate/dist
# The working directory is where the token for the admin port is made: a volume keeps it, and may be left out.
RUN mkdir -p /var/lib/tidegate && chown 10001:10001 /var/lib/tidegate
WORKDIR /var/lib/tidegate
USER 10001:10001
EXPOSE 8545 9545
STOPSIGNAL SIGTERM
# Asks the admin port's default; a config with another admin.port overrides this by --health-cmd.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9545/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/tidegate/dist/main.js"]
CMD ["serve", "--config", "/etc/tidegate/config.yaml"]
