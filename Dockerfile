# syntax=docker/dockerfile:1
# Four stages: the dashboard's page, the program that carries it, the bill of materials of both, and an image with the program, the
# root certificates and that list. docs/deployment.md says how large it is, how that was measured, and how to pin the base images.

FROM node:22-slim AS page
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
COPY web/shared/package.json ./shared/
COPY web/dashboard/package.json ./dashboard/
COPY web/call-quality/package.json ./call-quality/
COPY web/flex-plugin/package.json ./flex-plugin/
# Only what the page is built from: not the packages that generate its types, or React 17 for tests.
RUN npm ci --ignore-scripts --workspace dashboard --workspace shared --workspace call-quality --workspace flex-plugin --include-workspace-root
COPY web ./
RUN npm run build

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# The allocator is built with make, SQLite with the C compiler that this image has.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
COPY .cargo ./.cargo
COPY Cargo.toml Cargo.lock rust-toolchain.toml* ./
COPY emulator ./emulator
COPY src ./src
COPY benches ./benches
COPY default_stats.json ./
COPY --from=page /src/web/dist ./web/dist
# Linked statically, so that the image needs no C library.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo rustc --release --locked --bin taskrouter-sync -- -C target-feature=+crt-static \
    && mkdir /data && cp target/release/taskrouter-sync /taskrouter-sync \
    && cargo metadata --format-version 1 --locked --filter-platform "$(rustc --print host-tuple)" > /metadata.json

FROM page AS sbom
COPY .ci/sbom.mjs Cargo.lock /
COPY --from=build /metadata.json /
RUN node /sbom.mjs /metadata.json /Cargo.lock package-lock.json > /taskrouter-sync.cdx.json

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /taskrouter-sync /usr/local/bin/taskrouter-sync
# History: a volume that the user below may write.
COPY --from=build --chown=65532:65532 /data /home/nonroot/data
WORKDIR /home/nonroot
VOLUME /home/nonroot/data
# What it is made of, for scanners.
COPY --from=sbom /taskrouter-sync.cdx.json /usr/share/sbom/taskrouter-sync.cdx.json
ENV PORT=8080
EXPOSE 8080
# nonroot, by number, so that Kubernetes can tell that it is not root.
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["taskrouter-sync", "healthcheck"]
# SIGTERM lets pending writes finish; give it SHUTDOWN_GRACE and a little more.
STOPSIGNAL SIGTERM
ENTRYPOINT ["taskrouter-sync"]
CMD ["serve"]
