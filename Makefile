# make lab and make test work on a machine that has only Python 3.11+, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin
LABFLAGS ?=
PYTESTFLAGS ?=
PYTEST := $(BIN)/python -m pytest --nbval --nbval-sanitize-with=tests/nbval_sanitize.cfg reluquant tests notebooks $(PYTESTFLAGS)

.PHONY: help lab test test-slow test-all lint docs picture browser chromium clean
help:
	@echo "make lab        open the quick-start notebook in JupyterLab (builds $(VENV) the first time)"
	@echo "make test       lint, tests, doctests, notebook, headless browser; a few minutes"
	@echo "make test-slow  only the tests marked slow"
	@echo "make test-all   both"
	@echo "make docs       these pages as a site in docs/_build/html; RELUQUANT_DOCS_EXECUTE=1 runs the course's notebooks too"
	@echo "make picture    the film at the top of README.md"
	@echo "make clean      remove $(VENV), caches and builds"
	@echo "Variables: PYTHON=$(PYTHON)  LABFLAGS='--no-browser --port 8890'  PYTESTFLAGS='-k kink'"

lab: $(VENV)/.lab
	@$(BIN)/reluquant lab $(LABFLAGS)

test: lint browser
	@$(PYTEST) -m "not slow"

# pytest calls it a failure when no test is marked slow.
test-slow: $(VENV)/.test $(VENV)/.docs browser
	@if grep -rq "mark\.slow" tests; then $(PYTEST) -m slow; else echo "No test is marked slow."; fi

test-all: lint browser $(VENV)/.docs
	@$(PYTEST)

lint: $(VENV)/.test
	@$(BIN)/ruff check .

docs: $(VENV)/.docs
	@$(BIN)/python -m sphinx -W --keep-going -n -q -b html -d docs/_build/doctrees docs docs/_build/html
	@echo "docs/_build/html/index.html"

# One line of progress, the full story in a log, which is shown if pip fails.
define install
	@echo "Installing into $(VENV): $(1) (minutes the first time, log in $(VENV)/install.log)"
	@{ $(BIN)/python -m pip install --progress-bar off -c constraints.txt $(2) 2>&1 || echo "pip failed"; } \
	  | tee $(VENV)/install.log \
	  | awk -v tty="$$([ -t 1 ] && echo 1)" '/^(Collecting|Processing) / { n++; if (tty) printf "\r  %d packages …", n } END { printf "%s  %d packages looked at\n", (tty ? "\r" : ""), n }'
	@! grep -q '^pip failed$$' $(VENV)/install.log || { cat $(VENV)/install.log; exit 1; }
	@touch $@
endef

# The stamp and not pyvenv.cfg, which is there too after a failure half-way.
$(VENV)/.pip:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("reluquant needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12 …")'
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade -c constraints.txt pip
	@touch $@

$(VENV)/.lab: pyproject.toml constraints.txt | $(VENV)/.pip
	$(call install,reluquant and JupyterLab,-e '.[lab]')

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.pip
	$(call install,reluquant with what its tests need,-e '.[lab]' --group test)
	@touch $(VENV)/.lab

$(VENV)/.docs: pyproject.toml constraints.txt | $(VENV)/.pip
	$(call install,reluquant with what its pages need,-e . --group docs)

# RELUQUANT_BROWSER may name another Chromium or Chrome. Without any, browser tests are skipped, in CI they fail.
browser: $(VENV)/.test
	@$(BIN)/python -m tests.browser.chromium >/dev/null || $(MAKE) --no-print-directory chromium

chromium:
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "Installing Chromium for the browser tests"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null || echo "apt-get failed"; \
	fi
	@$(BIN)/python -m tests.browser.chromium || [ "$$CI" != true ]

# The film at the top of README.md.
picture: $(VENV)/.lab
	@$(BIN)/python -c 'from pathlib import Path; import reluquant as rq; from reluquant.studies.reproduce import film; print(film(rq.datasets.zigzag(), Path("docs/flow.gif"), n_frames=40))'

clean:
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage build dist docs/_build docs/api docs/course
	find . -name __pycache__ -prune -exec rm -rf {} +
