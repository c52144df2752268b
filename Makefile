# Two commands on a fresh machine: make demo, make test. Everything they need goes into build/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# What a person types is a text: `$(shell ...)` in a sentence must not run.
override RGB := $(value RGB)
override THERMAL := $(value THERMAL)
override QUERY := $(value QUERY)
override ENGINE := $(value ENGINE)
override TESTS := $(value TESTS)
override INPUTS := $(value INPUTS)
export RGB THERMAL QUERY ENGINE TESTS INPUTS
# A sourced ROS 2 brings its own interpreter; the ROS 2 wheels need 3.11.
PYTHON ?= $(if $(ROS_DISTRO),python3,$(shell command -v python3.11 || echo python3))
# torch and transformers are for the learning tests only; 0 leaves them out.
TORCH ?= 1
RUN := bootstrap/run

define LINT
@$(RUN) ruff check .
@$(RUN) mypy
@$(RUN) lint-imports --no-cache
endef

# A demo or a test must not meet the robots of the same network.
export ROS_AUTOMATIC_DISCOVERY_RANGE ?= LOCALHOST

.PHONY: help setup demo demo-real picodet lint test fuzz test-vllm licences lock clean nano

help:
	@echo 'make demo     simulate a scene, track it over ROS 2, write build/demo/ (RGB= THERMAL= QUERY='
	@echo '              for two videos of your own; ENGINE=llamacpp for another engine,'
	@echo '              ENGINE=server for the same behind the server of llama.cpp)'
	@echo 'make nano     train rtrack-nano from nothing into build/nano, the whole recipe, a day of two'
	@echo '              cores or more (SCALE=0.02 tries it out); a run that was stopped goes on'
	@echo 'make test     linters, then all tests, system tests included (TORCH=0: those without torch;'
	@echo '              TESTS= for a file or folder below test/)'
	@echo 'make fuzz     a million inputs (INPUTS=) into every way in; goes on where it stopped'
	@echo 'make test-vllm  compare a real vLLM with our own engine; makes build/vllm (2.1 GB), not in CI'
	@echo 'make setup    only prepare build/; afterwards: source build/activate (TORCH=1: with torch)'
	@echo 'make lint     ruff, mypy, and the contract that imports point down'
	@echo 'make demo-real  the same on two videos with PicoDet beside the model: RGB= THERMAL= QUERY='
	@echo 'make picodet  fetch PicoDet, a detector, into build/picodet (its package, 67 MB, once)'
	@echo 'make licences  write docs/licences.md: what is installed, under which licence'
	@echo 'make lock     renew the pinned versions of the environment'
	@echo 'make clean    remove build/'

setup: TORCH = 0
setup:
	@$(PYTHON) bootstrap/prepare.py $(if $(filter 1,$(TORCH)),--torch)

demo:
	@$(PYTHON) bootstrap/prepare.py
	@$(if $(filter llamacpp server,$(ENGINE)),$(RUN) rtrack compile --engine llamacpp)
	@$(RUN) rtrack demo $(if $(RGB),--rgb "$$RGB") $(if $(THERMAL),--thermal "$$THERMAL") \
		$(if $(QUERY),--query "$$QUERY") $(if $(filter server,$(ENGINE)),--serve,$(if $(ENGINE),--engine "$$ENGINE"))

# The whole recipe of models/rtrack-nano, resumable.
nano:
	@$(PYTHON) bootstrap/prepare.py --torch
	@$(RUN) rtrack train nano --out build/nano $(if $(SCALE),--steps-scale "$$SCALE")

picodet:
	@$(PYTHON) bootstrap/fetch_picodet.py

# Videos of one's own, with a detector beside the model.
demo-real:
	@[ -n "$$RGB" ] && [ -n "$$THERMAL" ] || { echo 'make demo-real: name two videos, RGB= and THERMAL=' >&2; exit 2; }
	@$(PYTHON) bootstrap/prepare.py
	@$(PYTHON) bootstrap/fetch_picodet.py
	@$(RUN) rtrack demo --rgb "$$RGB" --thermal "$$THERMAL" $(if $(QUERY),--query "$$QUERY") \
		$(if $(ENGINE),--engine "$$ENGINE") --detector build/picodet --out build/demo-real

lint: setup
	$(LINT)

test:
	@$(PYTHON) bootstrap/prepare.py $(if $(filter 1,$(TORCH)),--torch)
	$(LINT)
	@$(RUN) python bootstrap/run_tests.py $(if $(filter 1,$(TORCH)),--torch) $$TESTS

fuzz:
	@$(PYTHON) bootstrap/prepare.py
	@$(RUN) python test/fuzz/many.py --folder build/fuzz $(if $(INPUTS),--inputs "$$INPUTS")

test-vllm:
	@$(PYTHON) bootstrap/prepare.py --torch
	@$(PYTHON) bootstrap/prepare_vllm.py
	@RTRACK_VLLM=$(CURDIR)/build/vllm $(RUN) python -P -m pytest -s test/engines/server/test_vllm.py

licences: TORCH = 1
licences: setup
	@$(RUN) python bootstrap/licences.py --write

lock: setup
	@cd bootstrap && ../build/env/bin/uv pip compile --quiet --upgrade --generate-hashes --no-annotate --no-header \
		--python ../build/env/bin/python ../pyproject.toml ros.in --override overrides.txt \
		--extra openvino --extra llamacpp --extra eval --extra bag --extra bytetrack --extra dev \
		--output-file requirements.lock
	@sed -i '1i # Written by `make lock` from pyproject.toml and ros.in; not for editing.' \
		bootstrap/requirements.lock
	@cd bootstrap && ../build/env/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --constraint requirements.lock \
		--override overrides.txt learning.in --output-file learning.lock
	@sed -i '1i # Written by `make lock` from learning.in; not for editing.' bootstrap/learning.lock

clean:
	@rm -rf build
