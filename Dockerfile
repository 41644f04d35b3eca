# The gateway. Build: docker build -t qmp-gateway .
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.base.json ./
COPY libs libs
COPY apps apps
RUN npm ci && npx --no-install tsc -b && npm prune --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production QMPGW_STATE=/var/lib/qmp-gateway QMPGW_LISTEN=0.0.0.0:8080
WORKDIR /opt/qmp-gateway
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/libs libs
COPY --from=build /src/apps apps
# Whichever container is first gives the shared volume of the monitors its owner.
RUN install -d -o node -g node -m 0700 /var/lib/qmp-gateway /run/qemu
USER node
VOLUME /var/lib/qmp-gateway
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/livez').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# No npm in between: it passes no signals on.
ENTRYPOINT ["node", "apps/gateway/bin/qmp-gateway.js"]
CMD ["serve"]
