# make demo | make demo-hm | make demo-smarties | make test | make bench | make faults: each creates .venv and installs what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demo-hm demo-smarties test test-all test-slurm test-browser test-wheel bench faults full-steps lint clean

# The stamp depends on what decides the environment, so a second call installs nothing.
# The first import of mmengine writes a cache of yapf, which another process must not read half-written.
$(READY): pyproject.toml constraints.txt setup.py
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 15) else f"Python 3.11 to 3.14 is needed, this is {v[0]}.{v[1]}; call: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -c 'import mmengine.config'
	@touch $@

demo: $(READY)
	@$(BIN)/python -m openstl_ext demo

demo-hm: $(READY)
	@sh tools/demo_hm.sh $(BIN)/python

demo-smarties: $(READY)
	@$(BIN)/python tools/demo_smarties.py

test: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'not slow and not gpu and not slurm and not browser'

test-all: $(READY)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m 'not gpu and not slurm and not browser'

# starts a Slurm of one node; without an installed Slurm it ends with what is missing
test-slurm: $(READY)
	$(BIN)/python -m pytest -q -rs -m slurm tests/slurm

# opens the board in a headless Chromium: apt-get install chromium-driver
test-browser: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'selenium>=4.20'
	$(BIN)/python -m pytest -q -rs -m browser tests/browser

# builds the wheel, installs it into an empty folder and runs the demo there
test-wheel: $(READY)
	$(BIN)/python -m pytest -q tests/test_wheel.py

bench: $(READY)
	$(BIN)/python -m benchmarks

# injects every class of faults and writes docs/reliability.md
faults: $(READY)
	$(BIN)/python -m tests.faults

# one training step of each recipe at full size, on synthetic miniatures; writes docs/full_steps.md
full-steps: $(READY)
	for set in kth moving_mnist taxibj; do \
		$(BIN)/python tools/prepare_data/$$set.py --miniature --root data/miniature/$$set && \
		$(BIN)/python tools/full_steps.py configs/$$set/*.py || exit 1; \
	done

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy openstl_ext

clean:
	rm -rf $(VENV) build dist *.egg-info
