"""Versions and stages of models in git tags, by GTO's grammar.

For other packages (stable): `read.resolve(repo, "NAME[@V|#STAGE]") -> Version`, `read.artifacts(repo)`,
`read.artifact(repo, name)`, `read.facts_of(repo, version)`. Registering from an experiment and promoting
under the rules of mlops.yaml are in `git_mlops.models`.
"""
