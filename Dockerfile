# The program in an image: docker build --tag deploy . && docker run --rm deploy --sandbox up
# The Rust version is the oldest that works, rust-version of Cargo.toml; a test compares the two.
FROM docker.io/library/rust:1.95-bookworm AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock deploy.yaml.example ./
COPY src src
COPY templates templates
# What is downloaded and built is kept between builds of the image: of the first one's time, nearly all is AWS's SDKs.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --bin deploy && cp target/release/deploy /usr/local/bin/deploy

# With a shell, since the runners of GitLab and Jenkins want one.
FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home deploy
COPY --from=build /usr/local/bin/deploy /usr/local/bin/deploy
COPY LICENSE /usr/share/doc/deploy/LICENSE
USER 10001
# Where deploy.yaml is looked for: docker run --volume "$PWD:/work" …
WORKDIR /work
ENTRYPOINT ["deploy"]
