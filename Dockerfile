# The gateway. Build: docker build -t qmp-gateway .
# `docker buildx build --platform linux/amd64,linux/arm64 .` needs nothing else and emulates nothing that takes long: the only native
# code, the addon that passes file descriptors, comes from a cross compiler. An image for another processor does without.
FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS addon
ARG BUILDARCH
ARG TARGETARCH
RUN case $BUILDARCH-$TARGETARCH in \
  amd64-amd64 | arm64-arm64) packages='gcc libc6-dev' ;; \
  *-amd64) packages='gcc-x86-64-linux-gnu libc6-dev-amd64-cross' ;; \
  *-arm64) packages='gcc-aarch64-linux-gnu libc6-dev-arm64-cross' ;; \
  *) packages= ;; \
  esac \
  && apt-get update && apt-get install -y --no-install-recommends $packages && rm -rf /var/lib/apt/lists/*
WORKDIR /addon
COPY libs/unix-fds/build.mjs ./
COPY libs/unix-fds/native native
RUN mkdir prebuilds && case $TARGETARCH in amd64) arch=x64 ;; *) arch=$TARGETARCH ;; esac \
  && if [ "$arch" = x64 ] || [ "$arch" = arm64 ]; then node build.mjs --arch $arch; fi

FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.base.json LICENSE ./
COPY scripts scripts
COPY docs/settings.schema.json docs/
COPY libs libs
COPY apps apps
RUN npm ci && mkdir /tarballs && npm run pack -- /tarballs
WORKDIR /opt/qmp-gateway
# What the tarball holds, less what only readers and compilers need.
RUN echo '{"name":"qmp-gateway-image","version":"0.0.0","private":true}' > package.json \
  && npm install --offline /tarballs/qmp-gateway-[0-9]*.tgz \
  && npm sbom --sbom-format spdx > sbom.spdx.json \
  && cd node_modules/qmp-gateway && rm -rf src node_modules/@qmp-gateway/*/src node_modules/rxjs/src \
  && find . -type f '(' -name '*.map' -o -name '*.spec.*' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' ')' -delete

FROM node:22-bookworm-slim
ARG VERSION=unreleased
LABEL org.opencontainers.image.title=qmp-gateway \
  org.opencontainers.image.description="QMP as HTTP and WebSocket" \
  org.opencontainers.image.licenses=Apache-2.0 \
  org.opencontainers.image.version=$VERSION
ENV NODE_ENV=production MALLOC_MMAP_THRESHOLD_=131072 QMPGW_STATE=/var/lib/qmp-gateway QMPGW_LISTEN=0.0.0.0:8080
# The container that starts first sets the owner of the shared volume of the monitors.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/qmp-gateway /run/qemu \
  && ln -s /opt/qmp-gateway/node_modules/.bin/qmp-gateway /usr/local/bin/qmp-gateway
COPY --from=build /opt/qmp-gateway /opt/qmp-gateway
COPY --from=addon /addon/prebuilds /opt/qmp-gateway/node_modules/qmp-gateway/node_modules/@qmp-gateway/unix-fds/prebuilds
# Where a settings file is found without being named, by `serve` and by the health check. Not the state, which may be unreadable.
WORKDIR /etc/qmp-gateway
# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
VOLUME /var/lib/qmp-gateway
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["qmp-gateway", "health"]
# Not through npm, which does not pass signals on.
ENTRYPOINT ["qmp-gateway"]
CMD ["serve"]
