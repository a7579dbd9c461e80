# `make demo` takes a bare machine to a running app; `make test` proves everything. Every target can be repeated and goes on where it
# was. What they make lives in .venv and in devenv's cache (~/.cache/devenv).
.DEFAULT_GOAL := help
.PHONY: help setup engine tools images demo check test unit golden integration e2e bench bench-sync bench-push dist lock clean

bin := .venv/bin
devenv := $(CURDIR)/$(bin)/devenv
# what a browser would get: *.localhost is this machine, which not every resolver knows
visit := import http.client, sys, urllib.parse; \
  url = urllib.parse.urlsplit(sys.argv[1]); connection = http.client.HTTPConnection("127.0.0.1", url.port); \
  connection.request("GET", "/", headers={"Host": url.netloc}); answer = connection.getresponse(); \
  print(f"{answer.status}, {len(answer.read())} bytes"); sys.exit(answer.status >= 400)
pytest := $(bin)/pytest

help: ## this list
	@sed -n 's/^\([-a-z0-9]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: .venv/.ready ## devenv and its tools in .venv, every package pinned by hash
	@:

.venv/.ready: requirements.lock pyproject.toml offline/bootstrap.sh
	@python=$$(offline/bootstrap.sh python) && { [ -x $(bin)/python ] || $$python -m venv .venv; }
	$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(bin)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

engine: ## a running Docker engine; installed only on Debian or Ubuntu as root
	@offline/bootstrap.sh engine

tools: setup ## kind, helm and kubectl in the cache, unless adequate ones are on PATH
	@$(bin)/python -m devenv.images tools > /dev/null

images: setup engine ## all images, unless image registries can be reached
	@offline/bootstrap.sh images
	@$(bin)/python -m devenv.images ready

demo: setup engine images tools ## examples/lamp, running, with its add-ons
	@cd examples/lamp && url=$$($(devenv) up -d) && $(devenv) ps && echo "$$url" && \
	  $(CURDIR)/$(bin)/python -c '$(visit)' "$$url"

check: setup ## ruff and mypy
	$(bin)/ruff check .
	$(bin)/mypy

test: setup engine images tools check ## everything: the checks, then every layer of tests, two files at a time
	$(pytest) tests -n 2 --dist loadfile --durations=40 --tb=short -rfE

unit: setup ## parsing, planning, decisions: no engine, no cluster
	$(pytest) tests/unit

golden: setup tools ## an app in, manifests out
	$(pytest) tests/golden

integration: setup engine images tools ## each room against the real thing
	$(pytest) tests/contract tests/integration

e2e: setup engine images tools ## the installed devenv on whole apps
	$(pytest) tests/e2e

bench: setup engine images tools ## the figures, beside references measured in the same run
	$(bin)/python -m benchmarks

bench-sync: setup engine images tools ## from a save to the content in the pods, beside kubectl
	$(bin)/python -m benchmarks.sync

bench-push: setup engine images tools ## push and rollback under load, beside docker, kind and kubectl
	$(bin)/python -m benchmarks.push

dist: setup ## wheel and source archive in dist/
	$(bin)/python -m build --no-isolation

lock: ## requirements.lock anew from pyproject.toml
	@[ -x .make/uv/bin/uv ] || { python3 -m venv .make/uv && .make/uv/bin/pip install --quiet uv; }
	.make/uv/bin/uv pip compile --quiet --universal --generate-hashes --extra dev --no-header --no-annotate \
	  pyproject.toml --output-file requirements.lock

clean: ## what make made in this folder; images, clusters and the cache stay
	rm -rf .venv .make dist build .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
