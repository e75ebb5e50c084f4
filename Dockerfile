# One file for every service: docker build --build-arg SERVICE=orders -t vitrine/orders .
# The services run from source: a bundle would leave `pg` without instrumentation.
ARG BUN_VERSION=1.4.5

FROM oven/bun:${BUN_VERSION}-slim AS install
WORKDIR /app
# Only manifests, so that the layer below is built again when dependencies change and not when code does.
COPY package.json bun.lock bunfig.toml ./
COPY packages/contracts/package.json packages/contracts/
COPY packages/kit/package.json packages/kit/
COPY services/auth/package.json services/auth/
COPY services/console/package.json services/console/
COPY services/gateway/package.json services/gateway/
COPY services/generator/package.json services/generator/
COPY services/inventory/package.json services/inventory/
COPY services/notifier/package.json services/notifier/
COPY services/orders/package.json services/orders/
COPY dev/package.json dev/
COPY grafana/dashboards/package.json grafana/dashboards/
COPY tests/package.json tests/
ARG SERVICE
RUN test -f "services/${SERVICE:?give the service by --build-arg SERVICE=<name>}/package.json" \
  && bun install --frozen-lockfile --production --ignore-scripts --filter "@vitrine/${SERVICE}"

FROM oven/bun:${BUN_VERSION}-distroless AS service
ARG SERVICE
WORKDIR /app
COPY --from=install /app/node_modules node_modules
COPY --from=install /app/packages packages
COPY --from=install /app/grafana grafana
COPY --from=install /app/services/${SERVICE} services/${SERVICE}
# Says how the console's pages are written.
COPY tsconfig.json ./
COPY packages packages
COPY grafana/dashboards grafana/dashboards
COPY services/${SERVICE} services/${SERVICE}
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080
# `nonroot` of the base image, as a number, so that orchestrators can see that it is not root.
USER 65532:65532
# The preload is found from here: it is a dependency of the service.
WORKDIR /app/services/${SERVICE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vitrine-${SERVICE}" \
      org.opencontainers.image.description="The ${SERVICE} service of Vitrine" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/oven/bun:distroless"
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 \
  CMD ["/usr/local/bin/bun", "--no-install", "-e", "const answer = await fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).catch(() => undefined); process.exit(answer?.ok ? 0 : 1)"]
ENTRYPOINT ["/usr/local/bin/bun", "--no-install", "--preload", "@vitrine/kit/telemetry/preload", "src/main.ts"]
