# Cardferry. `make` builds; `make run` builds and syncs; `make test` installs and tests everything.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

# Tests that need the real Anki, Chromium or Node fail instead of being skipped under `make test`.
REQUIRE := CARDFERRY_REQUIRE_ANKI=1 CARDFERRY_REQUIRE_CHROME=1 CARDFERRY_REQUIRE_NODE=1
GO_SOURCES := $(shell find core wasm hostrunner -name '*.go' -not -name '*_test.go' 2>/dev/null)
TS_SOURCES := $(shell find jsbridge/src -name '*.ts' 2>/dev/null) jsbridge/build.mjs jsbridge/package-lock.json

.PHONY: build run test test-fast test-full test-guest test-browser bench size check fuzz clean deps

build: build/cardferry jsbridge/dist/index.js

build/core.wasm: $(GO_SOURCES) go.mod
	mkdir -p build
	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o $@ ./wasm/guest

build/core.js.wasm: $(GO_SOURCES) go.mod
	mkdir -p build
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o $@ ./wasm/guest

build/cardferry: build/core.wasm
	go build -trimpath -o $@ ./hostrunner/cmd/cardferry

jsbridge/node_modules/.installed: jsbridge/package-lock.json
	cd jsbridge && npm ci --no-audit --no-fund --silent
	touch $@

jsbridge/dist/index.js: $(TS_SOURCES) jsbridge/node_modules/.installed build/core.wasm
	cd jsbridge && node build.mjs

.cache/venv/.installed: hostrunner/ankitest/requirements.txt
	hostrunner/ankitest/venv.sh
	touch $@

# Chromium and brotli come from Debian's packages where they are missing.
deps: .cache/venv/.installed jsbridge/node_modules/.installed
	.ci/packages

run: build .cache/venv/.installed
	.ci/demo

test: deps build build/core.js.wasm check size
	$(REQUIRE) go test -timeout 30m ./...
	$(MAKE) test-guest
	cd jsbridge && npm test

test-full: deps build build/core.js.wasm
	$(REQUIRE) CARDFERRY_FULL=1 go test -timeout 80m ./...

test-fast: build
	go test -short ./core/... ./wasm/... ./hostrunner/...
	cd jsbridge && npm run check && npm test

test-guest: build
	wasm/test-guest.sh

test-browser: deps build
	$(REQUIRE) go test -timeout 20m ./hostrunner/browsertest/...

bench: deps build
	go run ./hostrunner/bench
	go test -run '^$$' -bench . -benchtime 200ms ./core/...

size: build/core.wasm
	wasm/size.sh build/core.wasm

check: build
	test -z "$$(gofmt -l core wasm hostrunner | tee /dev/stderr)"
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./core/... ./wasm/...
	GOOS=wasip1 GOARCH=wasm go vet ./core/... ./wasm/...
	go mod tidy -diff
	cd jsbridge && npm run check

fuzz:
	wasm/fuzz.sh

clean:
	rm -rf build jsbridge/dist jsbridge/node_modules .cache
