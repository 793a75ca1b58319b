# Needs Python 3.11 or newer; everything else goes into .venv.

PYTHON ?= python3
PORT ?= 8000
ARGS ?=

VENV := .venv
VPY := $(VENV)/bin/python
MANAGE := $(VPY) demo_project/manage.py
BUILD_INPUTS := pyproject.toml $(wildcard setup.py MANIFEST.in src/django_hotpath/*.[ch])

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-async demo-services test test-databases sanitize lint types docs screenshots messages clean FORCE

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'PYTHON=python3.13 chooses the interpreter, PORT=8001 the port of the demo,'
	@echo 'ARGS="-k toolbar -x" goes to pytest.'

demo: $(VENV)/.demo ## Set up the demo shop and serve it
	@echo 'Preparing the demo database'
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) seed
	@echo
	@echo 'The demo:              http://127.0.0.1:$(PORT)/'
	@echo 'A slow page, profiled: http://127.0.0.1:$(PORT)/orders/slow/?profile=1'
	@echo 'Stop it with Ctrl-C.'
	@echo
	@$(MANAGE) runserver 127.0.0.1:$(PORT)

demo-async: $(VENV)/.demo-async ## The same served by uvicorn: async views side by side
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) seed
	@echo 'The demo: http://127.0.0.1:$(PORT)/  Stop it with Ctrl-C.'
	@cd demo_project && ../$(VPY) -m uvicorn demo.asgi:application --port $(PORT)

demo-services: $(VENV)/.demo-services ## The same beside the servers of HOTPATH_DEMO_POSTGRES and HOTPATH_DEMO_REDIS
	@$(VPY) demo_project/serve.py $(PORT)

test: $(VENV)/.test ## Run the whole test suite
	@$(VPY) -m pytest -n auto --maxprocesses 4 $(ARGS)

test-databases: $(VENV)/.test $(VENV)/.databases ## Test what depends on the database on PostgreSQL and MariaDB
	@.ci/services .ci/databases $(VPY) $(ARGS)

sanitize: $(VENV)/.test ## Test the C extension under AddressSanitizer (needs gcc)
	@$(VPY) tests/sanitize.py $(ARGS)

lint: $(VENV)/.lint ## Check style and formatting
	@$(VPY) -m ruff check .
	@$(VPY) -m ruff format --check .

types: $(VENV)/.types ## Check the types
	@$(VPY) -m mypy

screenshots: $(VENV)/.test ## Make the pictures of the docs (needs Chromium)
	@$(VPY) docs/screenshots.py

messages: $(VENV)/.test ## Collect the marked texts, compile their translations
	@$(VPY) tools/messages.py

docs: $(VENV)/.docs ## Build the documentation; a warning is an error
	@$(VPY) -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo 'Built docs/_build/html/index.html'

clean: ## Remove everything that these commands made
	rm -rf $(VENV) .venvs .tox build dist docs/_build src/*.egg-info src/django_hotpath/*.so
	rm -rf .hotpath demo_project/.hotpath .mypy_cache .pytest_cache .ruff_cache
	rm -f demo_project/*.sqlite3*
	find src tests demo_project benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

# One stamp for each dependency group, older than pyproject.toml or the environment: install again.
$(VENV)/.%: $(VENV)/.made $(BUILD_INPUTS)
	@echo 'Installing django-hotpath with its "$*" dependencies into $(VENV)'
	@$(VPY) -m pip install -q --group $* -e .
	@touch $@

# Looked at on every call, written only when the interpreter or the checkout's place has changed.
$(VENV)/.made: FORCE
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo 'django-hotpath needs Python 3.11 or newer and "$(PYTHON)" is not: name one that is, as in "make $(or $(MAKECMDGOALS),test) PYTHON=python3.13".' >&2; exit 1; }
	@want="$$($(PYTHON) -c 'import sys; print(sys.base_prefix, *sys.version_info[:2])') $(CURDIR)"; \
	if [ "$$(cat $@ 2>/dev/null)" = "$$want" ] && $(VPY) -c 'import pip' 2>/dev/null; then exit 0; fi; \
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo 'This Python cannot make virtual environments: install its venv module (on Debian and Ubuntu the package python3-venv).' >&2; exit 1; }; \
	echo "Creating $(VENV) with $$($(PYTHON) --version)"; \
	$(PYTHON) -m venv --clear $(VENV) && \
	$(VPY) -m pip install -q --upgrade pip && \
	echo "$$want" > $@
