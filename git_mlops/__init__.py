"""git-mlops: any clone of a repository is the whole ML platform, with no server."""

__version__ = "0.1.0"
CONFIG = "mlops.yaml"
"""The file of the settings; here, because to import what reads it takes 25 ms."""
