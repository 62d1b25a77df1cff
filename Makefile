# `make` lists the targets. Everything they need beyond git, Go, make and curl they build or say.

SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help
# Programs are static, as in the image; and Go compiles everything once for all targets. The race detector needs C: hack/test.sh sees to that,
# and for other targets `make unit CGO_ENABLED=1 ARGS=-race`.
export CGO_ENABLED := 0

TOOL := go tool -modfile=hack/tools/go.mod
LINT := $(TOOL) golangci-lint-kube-api-linter
CONTROL_PLANE = $$(hack/control-plane/build.sh)
VERSION ?= $(shell hack/version.sh)
STAMP := github.com/claviger/claviger/internal/version
# Asked for where something is built, and not whenever make runs.
LDFLAGS = -s -w -X $(STAMP).version=$(VERSION) -X $(STAMP).commit=$(shell hack/version.sh commit)

##@ Try it

.PHONY: demo
demo: ## Take a guided tour on a control plane of its own; ends by itself
	assets=$(CONTROL_PLANE); KUBEBUILDER_ASSETS=$$assets go run ./cmd/claviger-sandbox demo

.PHONY: sandbox
sandbox: ## Run Claviger and a Kubernetes control plane on loopback until Ctrl-C (ARGS="--help" lists flags)
	assets=$(CONTROL_PLANE); go build -o bin/claviger-sandbox ./cmd/claviger-sandbox; \
	KUBEBUILDER_ASSETS=$$assets exec bin/claviger-sandbox $(ARGS)

.PHONY: control-plane
control-plane: ## Build etcd, kube-apiserver, kube-controller-manager and kubectl from source, once per version
	@hack/control-plane/build.sh

##@ Develop

.PHONY: build
build: ## Build the binaries into bin/
	go build -trimpath -ldflags "$(LDFLAGS)" -o bin/ ./cmd/...

.PHONY: test
test: ## Run every test, with the race detector (ARGS="-run Token" and the like reach go test)
	hack/test.sh $(ARGS)

.PHONY: test-e2e
test-e2e: ## Try it on the cluster of KUBECONFIG, which CLUSTER knows: see the head of hack/e2e.sh (ARGS="-ginkgo.focus Helm")
	hack/e2e.sh $(ARGS)

.PHONY: unit
unit: ## Run the tests that need no control plane: seconds
	go test ./api/... ./config/... ./controllers/... ./internal/... ./test/leak $(ARGS)
	cd hack/manifests && go test -count 1 ./... $(ARGS)

.PHONY: bench
bench: ## Measure the hot paths beside their floors, and write docs/benchmarks.md
	hack/bench.sh $(ARGS)

.PHONY: bench-connections
bench-connections: ## Keep 1000 connections with tokens of a minute alive (FOR=10m), and count what it takes
	assets=$(CONTROL_PLANE); KUBEBUILDER_ASSETS=$$assets go test ./test/connections -v -count 1 -timeout 0 -ginkgo.v \
	-ginkgo.focus 'tokens of a minute' -args -bench-for $(or $(FOR),10m) $(ARGS)

.PHONY: bench-memory
bench-memory: ## Measure the memory of the manager and the token service by the number of credentials (CREDENTIALS=10000)
	assets=$(CONTROL_PLANE); KUBEBUILDER_ASSETS=$$assets go test ./test/footprint -v -count 1 -timeout 0 -args \
	-credentials $(or $(CREDENTIALS),10000) -steps 4 $(ARGS)

.PHONY: fuzz
fuzz: ## Fuzz every target in turn (FUZZTIME=1m each)
	hack/fuzz.sh $(or $(FUZZTIME),1m)

.PHONY: generate
generate: ## Generate deepcopy functions
	$(TOOL) controller-gen object:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: api-reference ## Generate CRDs and their reference, config/ for Kustomize from the chart, and the chart's README
	$(TOOL) controller-gen crd paths=./api/... output:crd:artifacts:config=config/crd/bases
	hack/render.sh

.PHONY: api-reference
api-reference: ## Write docs/reference/api.md from the types of the API
	$(TOOL) crd-ref-docs --log-level=ERROR --source-path=api/v1alpha1 --config=hack/api-reference/config.yaml \
	--renderer=markdown --templates-dir=hack/api-reference/templates --output-path=docs/reference/api.md

.PHONY: screenshots
screenshots: ## Write docs/images, the pages of a sign-in as Chromium shows them
	assets=$(CONTROL_PLANE); KUBEBUILDER_ASSETS=$$assets go test ./test/connect -count 1 -ginkgo.focus 'shows pages that everybody can use' -args -update-images

.PHONY: rfc-table
rfc-table: ## Write docs/rfc-conformance.md from the table in test/conformance
	go test ./test/conformance -run TestRFCPage -args -update

.PHONY: fmt
fmt: ## Format the code
	$(LINT) fmt ./...
	cd hack/manifests && go tool -modfile=../tools/go.mod golangci-lint-kube-api-linter fmt -c ../../.golangci.yaml ./...
	cd hack/release && go tool -modfile=../tools/go.mod golangci-lint-kube-api-linter fmt -c ../../.golangci.yaml ./...

.PHONY: lint
lint: ## Lint the code and the API
	$(LINT) run ./...
	cd hack/manifests && go tool -modfile=../tools/go.mod golangci-lint-kube-api-linter run -c ../../.golangci.yaml ./...
	cd hack/release && go tool -modfile=../tools/go.mod golangci-lint-kube-api-linter run -c ../../.golangci.yaml ./...

.PHONY: verify
verify: ## Check that generated files, modules and formatting are as they should be, and lint
	hack/verify.sh

##@ Install

.PHONY: build-installer
build-installer: ## Write dist/install.yaml, all of Claviger in one file (IMAGE=..., VERSION=...)
	VERSION=$(VERSION) IMAGE=$(or $(IMAGE),claviger/claviger) hack/installer.sh

##@ Release

.PHONY: test-release
test-release: ## Build a release twice, read it back and hold it to what it promises
	cd hack/release && go test -count 1 -timeout 30m ./... $(ARGS)

.PHONY: release-snapshot
release-snapshot: ## Write a release into dist/: image, archives, chart, manifests, SBOMs, checksums (VERSION=..., IMAGE=...)
	go run -C hack/release . snapshot -version $(VERSION) -image $(or $(IMAGE),claviger/claviger) \
	-commit $$(hack/version.sh commit) -time $$(git show -s --format=%ct HEAD) $(ARGS)

.PHONY: release
release: ## Push the image of dist/ to IMAGE (REGISTRY_USERNAME and REGISTRY_PASSWORD, or the login of docker or podman)
	go run -C hack/release . push -version $(VERSION) -image "$(IMAGE)"

##@ Help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
