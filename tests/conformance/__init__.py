"""MLflow's own tests on our store, beside MLflow's SQLite. Not part of `pytest`: `make conformance`."""
