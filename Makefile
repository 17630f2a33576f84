# Everything a developer or a newcomer types. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
PACER_NEEDS := gcc libc6-dev libxen-dev
# one thread per process: the arrays are small, and threads of one process would wait for those of another
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
# whether defaults are what is documented, templates what programs read, dashboards what the schema has: a few seconds
AGREEMENTS := $(addprefix tests/,ansible/test_roles.py ansible/test_agent.py ansible/test_predictor.py dashboards/test_rendered.py)
# containers like to set it: every program that a test starts would be compiled anew
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test lint format docs dashboards dashboards-preview bench wheels influxd guest tomcat jmeter pacer lab lab-down lab-test lab-test-full clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv from the lock file, and install the system packages that are missing
	@scripts/setup python3-venv

demo: ## watch this machine, disturb it, and see the interval follow the forecast (4 min)
	@scripts/setup python3-venv stress-ng
	@$(PYTHON) -m demo

test: ## run the tests (sets up, and gets a real InfluxDB and etcd first)
	@scripts/setup python3-venv stress-ng iproute2 openssh-client spin $(PACER_NEEDS)
	@scripts/influxd >/dev/null
	@scripts/etcd >/dev/null
	@$(PYTHON) -m pytest -n $$(( ($$(nproc) * 3 + 1) / 2 )) --dist worksteal -q # many tests wait more than they compute

lint: ## check style, types, shell, YAML, dashboards and what must agree; compile the pacer with warnings as errors
	@scripts/setup python3-venv npm $(PACER_NEEDS)
	$(MAKE) --silent -C pacer tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/shellcheck scripts/setup scripts/influxd scripts/etcd scripts/jmeter .ci/run guest/build guest/init guest/tomcat/build guest/tomcat/init guest/tomcat/start lab/image/install lab/image/venv
	.venv/bin/yamllint --strict .
	$(PYTHON) -m dashboards.typecheck
	$(PYTHON) -m pytest -q $(AGREEMENTS)
	PATH=$(CURDIR)/.venv/bin:$$PATH ansible-lint -q

format: ## format the code
	@scripts/setup python3-venv
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

docs: ## write docs/defaults.md from the descriptions in the code
	@scripts/setup python3-venv
	@mkdir -p build && $(PYTHON) scripts/defaults.py >build/defaults.md && mv build/defaults.md docs/defaults.md

dashboards: ## write Grafana's dashboards and alert rules from their descriptions in the code
	@scripts/setup python3-venv
	@$(PYTHON) -m dashboards

dashboards-preview: ## draw every dashboard from a real InfluxDB with Grafana's own components (build/dashboards/*.png)
	@scripts/setup python3-venv npm chromium
	@scripts/influxd >/dev/null
	@$(PYTHON) -m dashboards.preview

bench: ## side by side with other tools: training, filtering, a tick, the agent (writes build/bench.json)
	@scripts/setup python3-venv
	@$(PYTHON) -m benchmarks --json build/bench.json

wheels: ## build Hefery's wheel and get those that it needs, for the hosts (build/wheels)
	@scripts/setup python3-venv
	@$(PYTHON) scripts/wheels.py

influxd: ## get a real InfluxDB server into the cache; prints its path
	@scripts/influxd

guest: ## build the lab's guest: kernel, initial ramdisk, disk
	@scripts/setup python3-venv gcc cpio e2fsprogs
	@guest/build

tomcat: ## build the guest with Tomcat: kernel, initial ramdisk, disk (as root; TOMCAT_URL, TOMCAT_SHA256: another Tomcat)
	@scripts/setup python3-venv cpio e2fsprogs curl
	@guest/tomcat/build

jmeter: ## get JMeter and a Java for the lab's client (build/jmeter)
	@scripts/setup python3-venv maven
	@scripts/jmeter

LAB_PACKAGES := qemu-system-x86 qemu-utils debootstrap systemd-container nftables e2fsprogs iproute2 openssh-client netcat-openbsd openssl

lab: ## bring up the landscape on this machine: Xen hosts a and b, NFS server f, client c, monitor m (1-4 min)
	@scripts/setup python3-venv $(LAB_PACKAGES)
	@$(PYTHON) -m lab up

lab-test: wheels guest pacer influxd lab ## prove on the lab that replication, failover and forecasts work (an hour or more; writes build/lab/report.json)
	@$(PYTHON) -m lab test $(addprefix --part ,$(PART))

lab-test-full: wheels guest pacer influxd lab ## many trials of a kind, for hours; goes on where it broke off (PART="failover stop": of these kinds alone)
	@$(PYTHON) -m lab test --full --strict $(addprefix --part ,$(PART))

lab-down: ## end the landscape's hosts; their disks stay
	@$(PYTHON) -m lab down

pacer: ## build the library that paces xl remus (build/pacer/libhefery-pacer.so)
	@scripts/setup python3-venv $(PACER_NEEDS)
	@$(MAKE) --silent -C pacer

clean: ## remove what was built here (never the cache, nor any data); not while a lab is up
	@python3 -m lab.idle
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
