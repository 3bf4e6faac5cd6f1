# What can be made here. Each goal is a script in scripts/ that can also be called by hand.
# `make run` needs Go, Node with npm and nothing else; what `make test` needs,
# scripts/install-test-packages installs (as root).

.DEFAULT_GOAL := build
.PHONY: build run dev check test fuzz mutate bench figures release generate clean help

build: ## the console and both programs, in bin/
	@scripts/build

run: build ## a server and an agent that only observes this machine; ends with Ctrl-C
	@exec scripts/run

dev: ## the same, with the console reloaded as its sources change
	@exec scripts/dev

check: ## what must hold before a commit; three minutes at most, no root
	@scripts/check

test: ## everything: both databases, real devices, a browser; needs root
	@scripts/test

fuzz: ## every fuzz target for FUZZTIME (5s) each
	@scripts/fuzz

mutate: ## breaks each invariant once and holds that its test turns red
	@scripts/mutate

bench: ## the figures Patchbay promises, each beside what it is compared with
	@scripts/bench

figures: ## every figure, into the table of the README; hours, as root
	@scripts/figures

release: ## programs, Debian packages, sums, in dist/
	@scripts/release

generate: ## the OpenAPI document and the console's client made from it
	@scripts/generate

clean: ## away with all that was built; make run's data stay
	rm -rf bin .build dist console/dist/app

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile
