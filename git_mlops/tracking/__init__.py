"""MLflow and our experiments; the only package that imports MLflow."""
