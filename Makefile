# The one door for people and CI. Everything happens in .venv; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
DATA ?=
SHARED := ../shared/data/utkface_aligned_cropped.tar
# Where the real UTKFace is unpacked when its archive lies beside the checkout.
UTKFACE ?= $(HOME)/.cache/UTKFace

.PHONY: help run test check real real-full unpack ci bench pictures clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/cpu  ## Audit the built-in demo set, or DATA=path/to/faces
	$(BIN)/fer-audit run $(if $(DATA),"$(DATA)")

test: .venv/dev  ## Fast tests: no network, no real data
	$(BIN)/pytest

check: .venv/dev  ## Format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

real: .venv/dev unpack  ## Tests on real faces with the real network, when the archive is beside the checkout
	@if [ -d "$(UTKFACE)" ]; then \
		FER_AUDIT_UTKFACE="$(UTKFACE)" $(BIN)/pytest -m "real and not slow"; \
	else echo "real data not found: skipped"; fi

real-full: .venv/dev unpack  ## The same on all 23,707 images: half an hour on two cores
	FER_AUDIT_UTKFACE="$(UTKFACE)" $(BIN)/pytest -m "real and slow"

unpack:
	@if [ -f "$(SHARED)" ] && [ ! -d "$(UTKFACE)" ]; then \
		mkdir -p "$(dir $(UTKFACE))" && tar -xf "$(SHARED)" -C "$(dir $(UTKFACE))"; fi

ci: check test real  ## What CI runs

bench: .venv/dev  ## Measure a cold run against bare onnxruntime, on this machine
	$(BIN)/python -m benchmarks.cold_run

pictures: .venv/dev  ## Draw the README's picture again, from the demo set
	$(BIN)/python -m benchmarks.pictures

clean:  ## Remove the environment and caches of the checkout
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache build *.egg-info

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade pip

.venv/cpu: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install -q -e '.[cpu]'
	@touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install -q -e '.[cpu,dev]'
	@touch $@ .venv/cpu
