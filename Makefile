# Two commands on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Several processes share two cores: spinning OpenMP threads would make each other slow.
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 0

FAST := not slow and not browser and not assets

.PHONY: demo test lint check format train bench clean

$(VENV)/.run: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

demo: $(VENV)/.run  ## set up and start the portal
	$(BIN)/streamlit run app.py --server.port $(PORT)

lint: $(VENV)/.dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy dlportal app.py portal.py

check: lint  ## and the fast tests
	$(BIN)/pytest -n 2 -m "$(FAST)"

test: $(VENV)/.dev  ## everything; what needs a browser one after the other
	$(BIN)/pytest -n 2 --dist worksteal -m "not browser"
	$(BIN)/pytest -m browser

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(VENV)/.run  ## make train CASE=sentiment [BUDGET=full] [SEED=0]
	$(BIN)/python -m dlportal train $(CASE) --budget $(or $(BUDGET),full) --seed $(or $(SEED),0)

bench: $(VENV)/.dev  ## speed and memory, as ratios
	$(BIN)/python -m dlportal bench

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache
