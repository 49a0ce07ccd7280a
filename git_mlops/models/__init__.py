"""Models from experiments to stages: what is registered, and what a stage asks for.

The tags themselves are `git_mlops.registry`'s. For other packages (stable): `register.register(repo, request,
context)`, `promote.promote(repo, request, context)`.
"""
