# One image for every role: claviger manager, token-service, connect, gate.
#
#   docker build --build-arg VERSION=v0.1.0 --build-arg COMMIT="$(git rev-parse HEAD)" -t claviger .
#
# `make release-snapshot` builds the same image for all platforms without a container engine.
#
# BASE is what the static binary stands on. It needs nothing there, so by default there is nothing; give a distroless static
# image where yours must have one.
ARG GO_VERSION=1.26
ARG BASE=scratch

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY config config
COPY controllers controllers
COPY internal internal
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG COMMIT=unknown
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath \
    -ldflags "-s -w -X github.com/claviger/claviger/internal/version.version=${VERSION} \
    -X github.com/claviger/claviger/internal/version.commit=${COMMIT}" -o /claviger ./cmd/claviger

FROM ${BASE}
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /claviger /claviger
USER 65532:65532
ENTRYPOINT ["/claviger"]
