# Cardferry. `make` builds; `make run` builds and starts server and app; `make test` installs and tests everything.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

# Tests that need the real Anki, Chromium or Node fail instead of being skipped under `make test`.
REQUIRE := CARDFERRY_ANKI_PYTHON=$(or $(CARDFERRY_ANKI_PYTHON),$(CURDIR)/.cache/venv/bin/python) CARDFERRY_REQUIRE_ANKI=1 CARDFERRY_REQUIRE_CHROME=1 CARDFERRY_REQUIRE_NODE=1
GO_SOURCES := $(shell find core wasm hostrunner -name '*.go' -not -name '*_test.go' 2>/dev/null) go.mod go.sum wasm/build.sh
TS_SOURCES := $(shell find jsbridge/src jsbridge/test -name '*.ts' 2>/dev/null) jsbridge/build.mjs jsbridge/package-lock.json
WEB_SOURCES := $(shell find web/src -type f 2>/dev/null) web/build.mjs web/icon.mjs web/package-lock.json

.PHONY: build run demo shots test test-fast test-full test-guest test-browser bench size sim sim-mutants check fuzz clean deps packages

build: build/cardferry

build/core.wasm: $(GO_SOURCES)
	mkdir -p build
	sh wasm/build.sh wasip1 $@

build/core.js.wasm: $(GO_SOURCES)
	mkdir -p build
	sh wasm/build.sh js $@

# The program has the guest and the app inside, so it is one file. The copies are not committed.
build/cardferry: build/core.wasm web/dist/index.html
	cp build/core.wasm hostrunner/guestfile/core.wasm
	rm -rf hostrunner/webapp/dist
	cp -r web/dist hostrunner/webapp/dist
	go build -trimpath -tags embedguest -o $@ ./hostrunner/cmd/cardferry

jsbridge/node_modules/.installed: jsbridge/package-lock.json
	cd jsbridge && npm ci --no-audit --no-fund --loglevel error
	touch $@

jsbridge/dist/index.js: $(TS_SOURCES) jsbridge/node_modules/.installed build/core.wasm
	cd jsbridge && node build.mjs

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel error
	touch $@

web/dist/index.html: $(WEB_SOURCES) web/node_modules/.installed jsbridge/dist/index.js
	cd web && node build.mjs

.cache/venv/.installed: hostrunner/anki/requirements.txt
	.ci/packages venv
	sh hostrunner/anki/venv.sh
	touch $@

# What comes from Debian where it is missing: python3-venv, Chromium, brotli.
packages:
	.ci/packages

deps: packages .cache/venv/.installed jsbridge/node_modules/.installed web/node_modules/.installed

run: build .cache/venv/.installed
	ADDR=$(ADDR) hostrunner/demo/run.sh

# Pictures of the app at every place, in build/shots; the best of them go into the README.
shots: deps build
	rm -rf build/shots
	mkdir -p build/shots
	$(REQUIRE) CARDFERRY_SHOTS=1 CARDFERRY_SCREENSHOTS=$(CURDIR)/build/shots go test -count=1 -run TestShots ./hostrunner/apptest
	for name in decks-360-light answer-360-light decks-1280-dark note-1280-light; do cp build/shots/$$name.png web/shots/; done # those in the README

# A sync between two devices through the real sync server, as a transcript.
demo: build .cache/venv/.installed
	hostrunner/demo/transcript.sh

# npm comes first: it builds the pages that the browser tests load.
test: deps build build/core.js.wasm check size
	cd jsbridge && npm test
	$(REQUIRE) go test -timeout 30m ./...
	$(REQUIRE) CARDFERRY_SERVER=ours go test -timeout 20m ./hostrunner/interop
	$(REQUIRE) sh wasm/test-guest.sh

test-full: deps build build/core.js.wasm
	cd jsbridge && npm test
	$(REQUIRE) CARDFERRY_FULL=1 go test -timeout 80m ./...
	$(REQUIRE) CARDFERRY_FULL=1 CARDFERRY_SERVER=ours go test -timeout 80m ./hostrunner/interop

test-fast: build
	go test -short ./core/... ./wasm/... ./hostrunner/...
	cd jsbridge && npm run check && npm test

test-guest: build
	sh wasm/test-guest.sh

test-browser: deps build
	cd jsbridge && node build.mjs --test
	$(REQUIRE) go test -timeout 20m ./hostrunner/browsertest/...

# Against the real client, then in a page of Chromium, then the parts: natively, and under wazero (merging, which needs SQLite, with the whole host).
bench: deps build
	$(REQUIRE) go run ./hostrunner/bench
	$(REQUIRE) go test -run '^$$' -bench Page -benchtime 1x -timeout 30m ./hostrunner/browsertest
	go test -run '^$$' -bench . -benchtime 200ms ./core/...
	go test -run '^$$' -bench Merge -benchtime 10x ./hostrunner
	go build -o build/wasirun ./wasm/wasirun
	GOOS=wasip1 GOARCH=wasm go test -exec $(CURDIR)/build/wasirun -run '^$$' -bench . -benchtime 200ms \
		./core/wire ./core/unicase ./core/notetext ./core/legacy ./core/mediaref ./core/medianame

# hostrunner/simtest/README.md. SEED=… plays one world again; KEEP=… some of its actions; SYNCS=… is how many in a long run. A long run first
# proves that it finds what is wrong.
SYNCS ?= 1000000
sim: $(if $(SEED),,sim-mutants)
	go run ./hostrunner/cmd/sim $(if $(SEED),-seed $(SEED) -keep '$(KEEP)',-syncs $(SYNCS))

sim-mutants:
	go run ./hostrunner/cmd/sim -mutants -syncs 20000

size: packages build/core.wasm jsbridge/dist/index.js
	sh wasm/size.sh build/core.wasm jsbridge/dist

check: build
	test -z "$$(gofmt -l core wasm hostrunner | tee /dev/stderr)"
	go vet ./...
	GOOS=js GOARCH=wasm go vet ./core/... ./wasm/...
	GOOS=wasip1 GOARCH=wasm go vet ./core/... ./wasm/...
	go mod tidy -diff
	go test -count=1 -run 'Borders|Comments|Protocol' ./wasm # what is quickly seen, such as the names of the boundary in TypeScript
	cd jsbridge && npm run check
	cd web && npm run check

fuzz:
	sh core/fuzz.sh

clean:
	rm -rf build hostrunner/guestfile/core.wasm hostrunner/webapp/dist jsbridge/dist jsbridge/node_modules web/dist web/node_modules .cache
