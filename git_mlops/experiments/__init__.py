"""Experiments: commits under DVC's own refs."""
