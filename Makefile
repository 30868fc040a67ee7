# Each target is enough on a fresh machine with Python 3.11 or later: it makes .venv, installs, and does its work.
# Another torch than pip would take: make test PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
# Arguments for pytest: make test PYTEST_ADDOPTS="-k asha"

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHONS ?= 3.11 3.12 3.13
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What the system tests need of Debian: a command, and the package that has it.
SYSTEM := tmux:tmux ip:iproute2 sbatch:slurm-wlm slurmctld:slurmctld slurmd:slurmd munged:munge chromium:chromium

# Installs those packages of a list like it whose command is missing.
apt = missing=$$(for each in $(1); do PATH=$$PATH:/usr/sbin command -v $${each%:*} >/dev/null || echo $${each\#*:}; done); \
	test -z "$$missing" || { $(SUDO) apt-get -qq update && $(SUDO) apt-get -qq install -y $$missing; }

.PHONY: help demo test test-pythons test-system test-gpu bench bench-search chaos fuzz example check format docs

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(READY): pyproject.toml constraints.txt
	@echo "installing into $(VENV); the first time takes minutes"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "$(PYTHON) is older than Python 3.11; name another: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)  ## tune a network on real data, on this machine, in a minute or two
	@$(BIN)/sweep launch examples/02_churn.yaml

test: $(READY)  ## the tests that need no root, in ten minutes
	@$(BIN)/python -m pytest -q -m 'not system and not long' -n 3 --dist loadfile --no-loadscope-reorder

# Those on the PATH, or of pyenv, whose shims on the PATH may name versions that are not active.
test-pythons:  ## `make test` on each of Python 3.11, 3.12 and 3.13 that is found, each in an environment of its own
	@tried=; failed=; for version in $(PYTHONS); do \
		python=; for each in python$$version $$HOME/.pyenv/versions/$$version.*/bin/python; do \
			"$$each" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$$version')" 2>/dev/null || continue; \
			python=$$each; break; \
		done; \
		if [ -z "$$python" ]; then echo "Python $$version: not found"; continue; fi; \
		echo "Python $$version: $$python"; tried="$$tried $$version"; \
		$(MAKE) --no-print-directory test PYTHON="$$python" VENV=.venv-$$version || failed="$$failed $$version"; \
	done; \
	echo "tested on:$${tried:- none}; failed on:$${failed:- none}"; test -n "$$tried" && test -z "$$failed"

test-system: $(READY)  ## those that need system packages, which are installed first, and the longest
	@$(call apt,$(SYSTEM))
	@$(BIN)/python -m pytest -q -m "long and not system" -n 3 --dist worksteal
	@$(BIN)/python -m pytest -q -m system

test-gpu: $(READY)  ## what only a machine with a CUDA GPU shows, in five minutes; `python -m tests.gpu` needs no Ray
	@$(BIN)/python -m tests.gpu

bench: $(READY)  ## measure everything in docs/performance.md anew; half an hour on a quiet machine
	@$(BIN)/python -m benchmarks $(BENCH)

bench-search: $(READY)  ## how soon the search finds what, against others; hours, and continues where it was interrupted
	@$(BIN)/python -m benchmarks.search run $(BENCH)

chaos: $(READY)  ## kill a sweep 25 times, resume it, and count what that cost; minutes
	@$(BIN)/python -m tests.chaos --kills 25 $(CHAOS)

fuzz: $(READY)  ## try random damage and other odd inputs for ten minutes
	@$(BIN)/python -m tests.fuzz --minutes 10 $(FUZZ)

example: $(READY)  ## make results/churn-example anew, the sweep that is in the repository, and its report
	@$(call apt,chromium:chromium pngquant:pngquant)
	@rm -rf results/churn-example
	@$(BIN)/sweep launch examples/02_churn.yaml --name churn-example --set trial.keep=none
	@$(BIN)/sweep report churn-example --output docs/churn-example-report.html
	@$(BIN)/python docs/screenshot.py docs/churn-example-report.html docs/images/report.png
	@$(BIN)/python docs/answers.py

check: $(READY)  ## lint, format, types, who imports whom, and whether what is generated is current
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check || { echo "make format puts this right"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --platform darwin --cache-dir .mypy_cache/darwin  # what macOS lacks is not called
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/python docs/folders.py --check
	@$(BIN)/python -m benchmarks.page --check
	@$(BIN)/python -m benchmarks.search page --check
	@$(BIN)/python -m benchmarks.scale --check
	@$(BIN)/python -m benchmarks.examples page --check

format: $(READY)  ## lay the code out, and put right what can be
	@$(BIN)/ruff check --quiet --fix
	@$(BIN)/ruff format --quiet

docs: $(READY)  ## write docs/reference from the code, and from records what other pages say
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/folders.py
	@$(BIN)/python docs/answers.py
	@$(BIN)/python -m benchmarks.page
	@$(BIN)/python -m benchmarks.scale
	@$(BIN)/python -m benchmarks.search page
