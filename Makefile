# The one door for people and CI. Everything happens in .venv; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
DATA ?=
# For each target of make fuzz.
MINUTES ?= 10
# ALL=1: the slow tests too, and every count in full. CORE=1: one test of each invariant of a family; tests/families.py sets it.
ALL ?=
CORE ?=
export ALL
# Where it is set, every process that a test starts compiles all it imports again: two seconds each.
unexport PYTHONDONTWRITEBYTECODE
MARKED = $(if $(ALL),, and not slow)$(if $(CORE), and core)
SHARED := ../shared/data/utkface_aligned_cropped.tar
# Where the real UTKFace is unpacked when its archive lies beside the checkout.
UTKFACE ?= $(HOME)/.cache/UTKFace
CHROMIUM ?= $(shell for name in chromium chromium-browser google-chrome; do command -v $$name && break; done)
AXE := axe-core-4.14.1
AXE_SHA512 := 1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5

.PHONY: help run test check lint types advisories faults browser real real-full unpack ci fuzz soak bench bench-smoke pictures docs clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/cpu  ## Audit the built-in demo set, or DATA=path/to/faces
	$(BIN)/fer-audit run $(if $(DATA),"$(DATA)")

test: .venv/dev  ## Fast tests: no network, no real data
	$(BIN)/pytest -n auto --dist loadfile $(if $(ALL),-m "not real and not torch and not gpu and not browser and not faults")

check: lint types advisories  ## Format, lint, types, and published holes in what is installed

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/dev
	$(BIN)/mypy

advisories: .venv/dev
	$(BIN)/python -m tests.advisories

faults: .venv/dev  ## Every row of the fault table in docs/trust.md: kills, full disks, hostile files
	$(BIN)/pytest -n auto --dist loadfile -m "faults$(MARKED)"

browser: .venv/dev  ## Tests of the HTML report in Chromium, when it is installed
	@if [ -n "$(CHROMIUM)" ]; then \
		$(MAKE) --no-print-directory .venv/axe.min.js || echo "axe-core not fetched: its tests skip"; \
		CHROMIUM="$(CHROMIUM)" $(BIN)/pytest -m "browser$(MARKED)"; \
	else echo "Chromium not found: skipped"; fi

real: .venv/dev unpack  ## Tests on real faces with the real network, when the archive is beside the checkout
	@if [ -d "$(UTKFACE)" ]; then \
		FER_AUDIT_UTKFACE="$(UTKFACE)" $(BIN)/pytest -m "real and not slow$(if $(CORE), and core)"; \
	else echo "real data not found: skipped"; fi

real-full: .venv/dev unpack  ## The same on all 23,707 images: half an hour on two cores
	FER_AUDIT_UTKFACE="$(UTKFACE)" $(BIN)/pytest -m "real and slow"

unpack:
	@if [ -f "$(SHARED)" ] && [ ! -d "$(UTKFACE)" ]; then \
		mkdir -p "$(dir $(UTKFACE))" && tar -xf "$(SHARED)" -C "$(dir $(UTKFACE))"; fi

ci:  ## All of them: a heavy family in full when what it guards changed today or with ALL=1, else its core
	@$(PYTHON) -m tests.families

fuzz: .venv/fuzz  ## Feed every parser hostile bytes, MINUTES (10) each; led by coverage where atheris installs
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

soak: .venv/dev unpack  ## Faults in a row on the real set: kills, little memory, a huge folder, a changing one
	$(BIN)/python -m tests.faults.soak --dataset "$(UTKFACE)" --rounds 3 --kills 20 --memory-mb 4000

bench: .venv/dev unpack  ## Measure all cases against the baselines, some minutes, and write the numbers into README
	$(BIN)/python -m benchmarks run $(if $(wildcard $(UTKFACE)),--dataset "$(UTKFACE)")
	$(BIN)/python -m benchmarks report

bench-smoke: .venv/dev  ## Every benchmark's code path in seconds; keeps no number
	$(BIN)/python -m benchmarks run --smoke $(if $(CORE),embed)

pictures: .venv/dev  ## Draw the README's pictures again, from the demo set; needs Chromium
	$(BIN)/python -m benchmarks.pictures

docs: .venv/dev  ## Write what docs/ says of result.json and of a comparison again, from the records
	$(BIN)/python -m docs.reference docs

clean:  ## Remove the environment and caches of the checkout
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build *.egg-info

# --no-compile: Python compiles what is imported, at its first import; all of it would take longer than the download.
.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --no-compile --upgrade pip

.venv/cpu: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install -q --no-compile -e '.[cpu]'
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install -q --no-compile -e '.[cpu,dev]'
	@touch $@ .venv/cpu

.venv/fuzz: .venv/dev
	@$(BIN)/python -m pip install -q -e '.[fuzz]' || echo "atheris does not install here: hypothesis draws the inputs"
	@touch $@

# Read by the browser tests only. The .tgz is what npm pins: name, version and hash.
.venv/axe.min.js: | .venv/bin/python
	npm pack --silent --ignore-scripts --pack-destination .venv $(subst core-,core@,$(AXE))
	echo "$(AXE_SHA512)  .venv/$(AXE).tgz" | sha512sum --check --quiet
	tar -xzmf .venv/$(AXE).tgz -C .venv --strip-components=1 package/axe.min.js
