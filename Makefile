# brood. `make help` lists what can be made.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PREFIX   ?= /usr/local
DESTDIR  ?=
FUZZTIME ?= 20s

# Not in go.mod, so that a program that imports worker/self does not see them.
GOLANGCI_VERSION = v2.15.0
GOLANGCI         = .bin/golangci-lint-$(GOLANGCI_VERSION)

# urfave_cli_no_docs leaves out the man page generator, which costs 0.3 ms at each start.
BUILD = CGO_ENABLED=0 go build -trimpath -tags urfave_cli_no_docs -ldflags '-s -w -X main.version=$(VERSION)'

# The steps share two cores and the loopback: one after the other.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help build run test ci deps fmt fmt-check vet lint unit race model mutants fuzz e2e bench compat install clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/brood, static
	@mkdir -p bin
	$(BUILD) -o bin/brood ./cmd/brood

run: build ## build, then serve with four demo workers on 127.0.0.1:8080
	@echo
	@echo '  curl http://127.0.0.1:8080/          who answered (repeat it)'
	@echo
	@echo '  http://127.0.0.1:9180/               the dashboard: look at it while you do what follows'
	@echo
	@echo '  in a second terminal, in this directory:'
	@echo '  bin/brood top    --name demo         the same in a terminal'
	@echo '  bin/brood status --name demo         the four workers'
	@echo '  bin/brood roll   --name demo         replace them all, losing nothing'
	@echo '  bin/brood scale  --name demo 6       six of them'
	@echo '  bin/brood stop   --name demo         the same as Ctrl-C here'
	@echo
	@bin/brood run --name demo --http 127.0.0.1:9180 -n 4 -l 127.0.0.1:8080 -- bin/brood demo-worker

# A missing program is a failure, not a skipped test.
test: export CI = true
test: ## install what tests need (apt, as root), then check and test everything
	@.ci/steps deps fmt-check vet lint unit model e2e

ci: test ## what .ci/run calls

deps: ## install by apt what the tests need and the machine lacks
	@.ci/deps

fmt: $(GOLANGCI) ## format: gofumpt, three groups of imports
	$(GOLANGCI) fmt

fmt-check: $(GOLANGCI)
	$(GOLANGCI) fmt --diff

vet:
	go vet ./...
	go vet -tags e2e,vm ./e2e/... ./internal/cgroup/...

lint: $(GOLANGCI) ## golangci-lint with .golangci.yml
	$(GOLANGCI) run

$(GOLANGCI):
	@mkdir -p .bin
	GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv .bin/golangci-lint $@

unit: race
race: ## unit tests under the race detector, in random order
	go test -race -shuffle=on -p 3 -timeout 5m ./...

model: ## search the states of the machine
	GOGC=400 go test -count=1 -timeout 10m -run 'TestModel|TestWalks' ./supervisor/machine -model=full

mutants: ## plant bugs in the machine, and expect the search to find each (after a change of it; 4 minutes)
	go run ./internal/mutate

fuzz: ## each fuzz target for 20 seconds (FUZZTIME=...)
	@grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' . | sed 's/:func / /' | sort | while read -r file target; do \
		echo "== $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
	done

e2e: build ## the built binary with real servers, systemd and nft
	go test -tags e2e -count=1 -parallel 3 -timeout 15m ./e2e/...

bench: build ## measure against floors, print a table (10 minutes)
	go run ./internal/bench -brood bin/brood $(BENCH)

compat: build ## try all servers of docs/compatibility.md, and write it (20 minutes)
	go run ./internal/compat/compat -brood bin/brood $(COMPAT)

install: build ## install the program, its man pages and completions below $(DESTDIR)$(PREFIX)
	install -D -m 0755 bin/brood $(DESTDIR)$(PREFIX)/bin/brood
	install -D -m 0644 docs/man/brood.1 $(DESTDIR)$(PREFIX)/share/man/man1/brood.1
	install -D -m 0644 docs/man/brood.toml.5 $(DESTDIR)$(PREFIX)/share/man/man5/brood.toml.5
	install -D -m 0644 contrib/completions/brood.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/brood
	install -D -m 0644 contrib/completions/brood.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_brood
	install -D -m 0644 contrib/completions/brood.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/brood.fish

clean: ## remove what was built
	rm -rf bin .bin dist
