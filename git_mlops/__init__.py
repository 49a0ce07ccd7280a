"""git-mlops: any clone of a repository is the whole ML platform, with no server."""

__version__ = "0.1.0"
