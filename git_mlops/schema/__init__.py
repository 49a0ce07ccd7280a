"""Schemas: pandera's own YAML, bound to data in mlops.yaml, and the verdicts on it."""
