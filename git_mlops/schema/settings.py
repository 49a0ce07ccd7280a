"""The `schemas:` section of mlops.yaml."""

Bindings = dict[str, str]
"""Path or pattern of data (as in .gitignore, relative to the top) → path of its schema file."""
