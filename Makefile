# make demo and make test are each all that a fresh machine with python3 (3.11 to 3.13) and make needs.
# PYTHON=/path/to/python is what .venv is made with; ARGS="-k motility -x" goes to pytest or to the command.

PYTHON ?=
ARGS ?=
# processes that share the fast and the physics tests, a file at a time so that each compiles its own kernels once;
# 0 is none
WORKERS ?= logical
SHARED = -n $(WORKERS) --maxprocesses 8 --dist loadfile
VENV := .venv
RUN := $(VENV)/bin/python
# -qq: errors only, so that a failure is not lost in warnings about somebody's package index
INSTALL = $(RUN) -m pip install -qq --disable-pip-version-check -c constraints.txt
FAILED = { echo "seedsoil: the installation failed; pip's reason stands above" >&2; exit 1; }

.PHONY: help demo test physics faults bench lint wheel clean moved
.NOTPARALLEL:

help:
	@echo "make demo      install, run the quickstart scenario, write runs/quickstart/report.html"
	@echo "make test      install with the test extras, run the fast tests"
	@echo "make physics   the slow analytic and statistical tests"
	@echo "make faults    kill, full disk, corrupt files"
	@echo "make bench     measure this machine"
	@echo "make lint      ruff and pyright"
	@echo "make wheel     build dist/seedsoil-*.whl from a clean export"
	@echo "make clean     remove what builds and tests leave (runs/ and .venv/ stay)"

demo: $(VENV)/.core
	@$(VENV)/bin/seedsoil run quickstart -o runs/quickstart --force $(ARGS)
	@test -s runs/quickstart/report.html || { echo "seedsoil: the run left no report.html" >&2; exit 1; }
	@echo "The report is $(CURDIR)/runs/quickstart/report.html"

test: $(VENV)/.test
	@$(RUN) -m pytest -q -m "not physics and not faults" $(SHARED) $(ARGS)

physics: $(VENV)/.test
	@$(RUN) -m pytest -q -m physics $(SHARED) $(ARGS)

faults: $(VENV)/.test
	@$(RUN) -m pytest -q -m faults $(ARGS)

bench: $(VENV)/.core
	@$(VENV)/bin/seedsoil bench $(ARGS)

lint: $(VENV)/.test
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m pyright

# From a clean export: a build/ left over from yesterday would ship modules that are gone today.
wheel: $(VENV)/.core
	@rm -f dist/seedsoil-*.whl
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && .ci/export "$$scratch" && \
		$(RUN) -m pip wheel -qq --disable-pip-version-check --no-deps -w dist "$$scratch"
	@ls dist/seedsoil-*.whl

clean:
	@rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -path ./runs -prune -o -name __pycache__ -type d -exec rm -rf {} +

# .place holds the path it was made for: a copied or moved checkout would import the old one. A Python
# that was upgraded away leaves an environment that starts nothing.
ifneq ($(shell $(RUN) -c '' 2>/dev/null && cat $(VENV)/.place 2>/dev/null),$(CURDIR))
MOVED := moved
endif

$(VENV)/.place: $(MOVED)
	@if ! .ci/find-python $(VENV)/bin/python >/dev/null 2>&1 || ! $(RUN) -m pip --version >/dev/null 2>&1; then \
		python=$$(.ci/find-python $(PYTHON)) || exit 1; \
		echo "seedsoil: making $(VENV) with $$python"; \
		"$$python" -m venv --clear $(VENV) || exit 1; \
	fi
	@echo "$(CURDIR)" >$@

$(VENV)/.core: $(VENV)/.place pyproject.toml constraints.txt
	@echo "seedsoil: installing into $(VENV) (the first time takes a minute or two)"
	@$(INSTALL) -e . || $(FAILED)
	@touch $@

$(VENV)/.test: $(VENV)/.place pyproject.toml constraints.txt
	@echo "seedsoil: installing into $(VENV) with the test extras (the first time takes a minute or two)"
	@$(INSTALL) -e ".[test]" || $(FAILED)
	@touch $(VENV)/.core $@
