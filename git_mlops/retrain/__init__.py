"""Continuous training: new data in, the pipeline run, the challenger compared, a pull request opened."""
