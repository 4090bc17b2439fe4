# `make run` and `make test` are all a fresh machine needs; the rest is for those who work on the code.
# pip compiles on one core what it installs: compileall does it on all, and of the tests' packages Python
# compiles what is imported. These, a gigabyte, uv fetches in a fifth of pip's CPU; pip does where uv cannot, since
# uv does not know pip's configuration (an index or a certificate of one's own).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --no-compile --disable-pip-version-check
# some tests wait for processes most of the time; WORKERS=0 runs them one after the other
WORKERS ?= 4
STAMP := $(VENV)/.installed
RUN_STAMP := $(VENV)/.installed-to-run
NODE_STAMP := tests/client/node_modules/.package-lock.json
# as server.py does: the threads of one worker would spin on the core of another
export OPENBLAS_NUM_THREADS = 1

.PHONY: all setup run web node client client-types test nightly lint format bench dist release market-report clean

all: lint test

setup: $(STAMP)

$(STAMP): requirements-dev.lock $(RUN_STAMP)
	@echo "Installing the packages of the tests and tools (requirements-dev.lock) into $(VENV) …"
	$(PIP) --quiet "$$(grep '^uv==' requirements-dev.lock)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.lock \
		|| $(PIP) --quiet -r requirements-dev.lock
	@touch $@

$(RUN_STAMP): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 …"; exit 2; }
	@echo "Setting up $(VENV), once: what running needs is fetched (requirements.lock, about 60 MB) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true
	@touch $@

# a machine without Node tests everything else; the tests that are skipped say why
$(NODE_STAMP): tests/client/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "Installing the JavaScript clients of the tests …"; \
		cd tests/client && npm ci --no-audit --no-fund --loglevel=error; \
	else \
		echo "There is no npm here (Debian: apt install npm): the tests that drive JavaScript clients are skipped."; \
	fi

# the terminal, built once and again when its sources change; a machine without Node runs without it
web/dist/index.html: $(shell git ls-files web clients/typescript/src 2>/dev/null) $(wildcard package-lock.json)
	@if command -v npm >/dev/null; then \
		echo "Building the terminal, once (web/; half a minute the first time) …"; \
		npm ci --no-audit --no-fund --loglevel=error && npm run --silent build --workspace web -- --logLevel warn; \
	else \
		echo "There is no npm here (Debian: apt install npm): the server runs without its terminal at /."; \
	fi

web: web/dist/index.html

# what `npm install` takes: dist/indian-options-client-VERSION.tgz
client: web
	@mkdir -p dist
	npm pack --silent --workspace clients/typescript --pack-destination dist

# the types of the client, out of the documents
client-types: $(STAMP) web
	$(BIN)/python -m cli.documents build/documents
	cd clients/typescript && node scripts/generate.mjs $(CURDIR)/build/documents/openapi.json \
		$(CURDIR)/build/documents/asyncapi.json > src/generated/wire.new && mv src/generated/wire.new src/generated/wire.ts

run: $(RUN_STAMP)
	@$(MAKE) --no-print-directory web || echo "The terminal could not be built (see above): the server runs without it at /."
	$(BIN)/python server.py $(ARGS)

# what tests need of npm
node: $(NODE_STAMP) web

test: $(STAMP) node
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

# the long runs: an hour of churn, a real systemd, hundreds of kills; with new random examples
nightly: $(STAMP) node
	$(BIN)/python -m pytest --nightly -o faulthandler_timeout=5000 $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy -n auto

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	$(BIN)/python -m bench $(ARGS)

dist: $(STAMP) web
	$(BIN)/python deploy/build_archive.py $(ARGS)

# wheel, single file, bills of materials and checksums of the commit (docs/releasing.md); ARGS=--draft from any tree
release: $(STAMP) web
	$(BIN)/python deploy/release.py $(ARGS)

market-report: $(STAMP)
	$(BIN)/python -m bench.market.report --out market-report $(ARGS)

clean:
	rm -rf $(VENV) tests/client/node_modules node_modules web/dist clients/typescript/dist bench/bin .mypy_cache .ruff_cache .pytest_cache .hypothesis
