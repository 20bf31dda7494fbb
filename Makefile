# Each target is usable as the first command on a fresh machine with Python 3.11 or newer, make and pip.
# Without make (Windows): CONTRIBUTING.md lists the same commands as `python -m ...`.

.DEFAULT_GOAL := help
.PHONY: help setup demo test lab dashboard site editions release notebooks lint bench bench-gpu badges
.DELETE_ON_ERROR:

BIN := .venv/bin
READY := .venv/.ready
NOTEBOOKS = $(wildcard notebooks/*.ipynb)
# Which Python makes .venv; the first that is new enough. Another one: make setup PYTHON=/path/to/python
PYTHONS := $(or $(PYTHON),python3.11 python3.12 python3.13 python3 python)
OFFLINE := PYTHONPATH="$(CURDIR)/tests/offline"

help:
	@echo "make demo       train the methods on the embedded world; one table and one interactive page"
	@echo "make lab        JupyterLab on notebooks/"
	@echo "make dashboard  your runs and every explorable on one page (Voila)"
	@echo "make site       the notebooks as a static book in site/, which works offline"
	@echo "make test       ruff, mypy, unit and fidelity tests, the notebooks with the network off, the browser tests"
	@echo "make notebooks  regenerate and execute notebooks/*.ipynb from notebooks/text"
	@echo "make editions   student, solution and instructor notebooks in build/editions (make release: a course for nbgrader)"
	@echo "make lint       ruff and mypy alone"
	@echo "make bench      measure again: results/bench-*.json and docs/speed.png"
	@echo "make bench-gpu  the same for a large NVIDIA GPU, into results/bench-*-gpu.json"
	@echo "make setup      .venv from constraints.txt (every target above does it first)"

setup: $(READY)

$(READY): pyproject.toml constraints.txt scripts/setup.py
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    "$$python" scripts/setup.py && touch $@; exit $$?; \
	  fi; \
	done; \
	echo "Set-up stopped: Python 3.11 or newer was not found (looked for: $(PYTHONS)); install it, or name it: make setup PYTHON=/path/to/python3.11" >&2; \
	exit 1

demo: $(READY)
	$(BIN)/python -m contrastive_lab demo

lab: $(READY)
	$(BIN)/python -m jupyterlab notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

dashboard: $(READY)
	$(BIN)/python -m voila dashboard/dashboard.ipynb --VoilaConfiguration.extension_denylist=jupyterlab-jupytext

# make site EXECUTE=1 runs the notebooks first, in the smoke profile.
site: $(READY)
	$(BIN)/python scripts/book.py $(if $(EXECUTE),--execute)

notebooks: $(READY)
	$(BIN)/python scripts/notebooks.py

# editions: build/editions/{student,solution,instructor}; release: a course folder for nbgrader in build/course.
editions release: $(READY)
	$(BIN)/python scripts/editions.py $@

lint: $(READY)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

# Notebooks run in a kernel of .venv whose network is off (tests/offline); each cell and each start of a kernel has two minutes.
test: lint
	$(BIN)/python -m pytest tests --ignore=tests/browser
	$(if $(NOTEBOOKS),LAB_PROFILE=smoke $(OFFLINE) $(BIN)/python -m pytest --nbval-lax --nbval-current-env --nbval-cell-timeout=120 --nbval-kernel-startup-timeout=120 $(NOTEBOOKS),@echo "No notebooks to run.")
	$(if $(wildcard tests/browser/test_*.py),LAB_PROFILE=smoke $(BIN)/python -m pytest tests/browser -rs,@echo "No browser tests to run.")

# The short ones; those that train (the other files of benchmarks/) say at their top how to be run and how long they take.
bench: $(READY)
	@set -e; for program in benchmarks/*_time.py benchmarks/*_speed.py; do echo "== $$program"; $(BIN)/python "$$program"; done
	$(BIN)/python benchmarks/speed_plot.py

# The tables of an H200 with 16 cores, 14 of them for lightly's loader; the loop over several processes wants two GPUs.
ON_GPU := --device cuda --threads 1
FULL := $(ON_GPU) --width 64 --precision bf16-mixed --compile
LOOPS := benchmarks/loop_speed.py $(FULL) --output results/bench-loop-gpu.json
bench-gpu: $(READY)
	$(BIN)/python $(LOOPS) --batch 256 1024 --images 16384 --workers 14
	$(BIN)/python $(LOOPS) --batch 256 --image-size 96 --images 3072 --workers 14 --add
	$(BIN)/python $(LOOPS) --batch 0 --methods dcl dclw cacr moco mochi swav pixpro pixcontrast sepclr hydra --images 25600 --peers none --add
	$(BIN)/python benchmarks/step_profile.py
	$(BIN)/python benchmarks/losses_speed.py $(ON_GPU) --chunk 2048 --batches 256 1024 2048 4096 16384 65536 --gigabytes 110 --output results/bench-losses-gpu.json
	$(BIN)/python benchmarks/measures_speed.py $(ON_GPU) --output results/bench-measures-gpu.json
	$(BIN)/python benchmarks/ceiling_speed.py --device cuda --width 64 --batch 1024 --rounds 20 --output results/bench-ceiling-gpu.json
	$(BIN)/python benchmarks/processes_speed.py --device cuda --width 64 --batch 1024 4096 --precision bf16-mixed --compile --output results/bench-processes-gpu.json
	$(BIN)/python benchmarks/speed_plot.py

badges:
	python3 scripts/badges.py
