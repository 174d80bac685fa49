# `make demo`, `make test` and `make lint` set themselves up in .venv; the first time this downloads about 3 GB.
# Relative paths only: make cannot cope with spaces in names, and the checkout's path may hold some.
.POSIX:
.SUFFIXES:

PYTHON = python3
VENV = .venv

# Python before 3.13 reads the checkout's path in the locale's encoding; a server's plain locale may be ASCII.
export LC_ALL = C.UTF-8

BIN = $(VENV)/bin
READY = $(VENV)/.ready

help:
	@echo "make demo   the whole wheel on rendered micrographs, headless, into demo-output/"
	@echo "make test   lint, then all tests, those of the window with both Qt bindings"
	@echo "make lint   layers, ruff, formatting, types"
	@echo "make clean  remove demo-output/, dist/ and caches"

$(READY): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; run for example: make PYTHON=python3.12" >&2; exit 1; }
	@"$(BIN)/python" -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear "$(VENV)" || { \
		echo "Python's venv is missing; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV). The first time this downloads about 3 GB (torch) and takes some minutes."
	"$(BIN)/python" -m pip install --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch "$(READY)"

setup: $(READY)

demo: $(READY)
	rm -rf demo-output
	"$(BIN)/particle-sam" demo --out demo-output

lint: $(READY)
	"$(BIN)/lint-imports"
	"$(BIN)/python" -m ruff check
	"$(BIN)/python" -m ruff format --check
	"$(BIN)/python" -m mypy

test: lint
	HF_HUB_OFFLINE=1 QT_API=pyqt5 PYTEST_QT_API=pyqt5 "$(BIN)/python" -m pytest
	HF_HUB_OFFLINE=1 QT_API=pyqt6 PYTEST_QT_API=pyqt6 "$(BIN)/python" -m pytest tests/gui

clean:
	rm -rf demo-output dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.PHONY: help setup demo lint test clean
