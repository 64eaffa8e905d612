# syntax=docker/dockerfile:1
# Two stages: one with a toolchain, and one with the binary, the root certificates and nothing else.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# The allocator is built with make.
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
COPY .cargo ./.cargo
COPY Cargo.toml Cargo.lock rust-toolchain.toml* ./
COPY emulator ./emulator
COPY src ./src
COPY benches ./benches
COPY default_stats.json .env.example ./
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/taskrouter-sync /taskrouter-sync

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /taskrouter-sync /usr/local/bin/taskrouter-sync
ENV PORT=8080
EXPOSE 8080
USER nonroot
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["taskrouter-sync", "healthcheck"]
# SIGTERM lets pending writes finish; give it SHUTDOWN_GRACE and a little more.
STOPSIGNAL SIGTERM
ENTRYPOINT ["taskrouter-sync"]
CMD ["serve"]
