# syntax=docker/dockerfile:1
# Builds mintgate and puts the one binary into a small image: no shell scripts, no npm, not root.

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends cmake && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin mintgate && cp target/release/mintgate /mintgate

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 65532 mintgate \
    && useradd --system --uid 65532 --gid 65532 --home-dir /mintgate --shell /usr/sbin/nologin mintgate \
    && install -d -o 65532 -g 65532 -m 0700 /mintgate/data
COPY --from=build /mintgate /usr/local/bin/mintgate
COPY config /mintgate/config

LABEL org.opencontainers.image.title="mintgate" \
      org.opencontainers.image.description="The gateway in front of a Peppermint helpdesk" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
USER 65532:65532
WORKDIR /mintgate
VOLUME /mintgate/data
EXPOSE 8080 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s CMD ["/usr/local/bin/mintgate", "healthcheck", "--config", "config/mintgate.yml"]
ENTRYPOINT ["/usr/local/bin/mintgate"]
CMD ["run", "--config", "config/mintgate.yml"]
