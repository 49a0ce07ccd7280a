# ruff: noqa: E501  # tables of calls: a call is a line
"""Calls of a model registry: models, versions, aliases, MLflow's old stages."""

from typing import Any

from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag

from tests.conformance.sides import Both, Side


def models(both: Both) -> None:
    """Made, found, changed, renamed, deleted."""
    tags = [RegisteredModelTag("a", "b")]
    both.ask("create", lambda s: s.registry.create_registered_model("churn", tags, "who leaves"))
    names = ("churn", "", None, "who leaves?", "a.b", "ümlaut", "UPPER", "with space")
    both.each("create", names, lambda s, n: s.registry.create_registered_model(n))
    both.each("get", ("churn", "nope", "", "who leaves?"), lambda s, n: s.registry.get_registered_model(n))
    both.ask("describe", lambda s: s.registry.update_registered_model("churn", "others"))
    both.ask("describe none", lambda s: s.registry.update_registered_model("nope", "others"))
    pairs = (("k", "v"), ("k", ""), ("", "v"), (None, "v"), ("x" * 251, "v"), ("k", "v" * 100_001))
    both.each("tag", pairs, lambda s, p: s.registry.set_registered_model_tag("churn", RegisteredModelTag(*p)))
    for turn in ("delete tag", "delete tag again"):
        both.ask(turn, lambda s: s.registry.delete_registered_model_tag("churn", "k"))
    both.each("rename", ("UPPER", "", "new name"), lambda s, n: s.registry.rename_registered_model("a.b", n))
    both.ask("rename none", lambda s: s.registry.rename_registered_model("nope", "x"))
    both.ask("old name", lambda s: s.registry.get_registered_model("a.b"))
    both.ask("old name anew", lambda s: s.registry.create_registered_model("a.b"))
    both.ask("delete", lambda s: s.registry.delete_registered_model("UPPER"))
    both.ask("delete none", lambda s: s.registry.delete_registered_model("UPPER"))
    both.ask("get deleted", lambda s: s.registry.get_registered_model("UPPER"))


def versions(both: Both) -> None:
    """Made, found, changed, moved, deleted."""
    tags = [ModelVersionTag("a", "b")]
    both.ask(
        "version",
        lambda s: s.registry.create_model_version("churn", "s3://one", "run_1", tags, None, "first"),
    )
    for number in range(3):
        source = f"s3://{number}"
        both.ask("version", lambda s, source=source: s.registry.create_model_version("churn", source))  # type: ignore[misc]
    both.ask(
        "version of others", lambda s: s.registry.create_model_version("who leaves?", "s3://two", "run_2")
    )
    both.ask("copy", lambda s: s.registry.create_model_version("new name", "models:/churn/1"))
    both.ask(
        "copy of none", lambda s: s.registry.create_model_version("new name", "models:/churn/99").version
    )
    both.ask("version of none", lambda s: s.registry.create_model_version("nope", "s3://two"))
    numbers = ("1", 1, "99", "0", -1, "x", "", None)
    both.each("get", numbers, lambda s, n: s.registry.get_model_version("churn", n))
    both.each(
        "where",
        (("churn", 1), ("new name", 1), ("churn", 99)),
        lambda s, n: s.registry.get_model_version_download_uri(*n),
    )
    both.ask("describe", lambda s: s.registry.update_model_version("churn", 1, "better"))
    pairs = (("k", "v"), ("k", ""), ("", "v"), (None, "v"))
    both.each("tag", pairs, lambda s, p: s.registry.set_model_version_tag("churn", 1, ModelVersionTag(*p)))
    for turn in ("delete tag", "delete tag again"):
        both.ask(turn, lambda s: s.registry.delete_model_version_tag("churn", 1, "k"))
    aliases = ("prod", "latest", "Latest", "v1", "", None, "a b", "under_score", "x-y")
    both.each("alias", aliases, lambda s, a: s.registry.set_registered_model_alias("churn", a, 2))
    both.ask("alias of none", lambda s: s.registry.set_registered_model_alias("churn", "prod", 99))
    both.each(
        "by alias", ("prod", "nope", "latest"), lambda s, a: s.registry.get_model_version_by_alias("churn", a)
    )
    both.ask("move alias", lambda s: s.registry.set_registered_model_alias("churn", "prod", 3))
    both.ask("delete alias", lambda s: s.registry.delete_registered_model_alias("churn", "x-y"))
    both.ask("delete no alias", lambda s: s.registry.delete_registered_model_alias("churn", "x-y"))
    both.ask("model", lambda s: s.registry.get_registered_model("churn"))
    moves = (
        (1, "Production", False),
        (2, "production", True),
        (3, "Archived", True),
        (3, "x", False),
        (99, "Staging", False),
    )
    both.each("stage", moves, lambda s, m: s.registry.transition_model_version_stage("churn", *m))
    both.each(
        "latest",
        (None, [], ["Production"], ["x"], ["None"]),
        lambda s, n: _sorted(s.registry.get_latest_versions("churn", n)),
    )
    both.ask("stages", lambda s: s.registry.get_model_version_stages("churn", 1))


def search(both: Both) -> None:
    """Models and versions by filter, in order, by pages."""

    def found(s: Side, text: Any = "", most: Any = 100, order: Any = None) -> list[Any]:
        return [one.name for one in s.registry.search_registered_models(text, most, order)]

    filters = (
        "name = 'churn'", "name LIKE 'c%'", "name ILIKE 'C%'", "name != 'churn'", "name IN ('churn')", "tags.a = 'b'",
        "tags.a != 'b'", "tags.a LIKE '%'", "bogus", "name > 1", "name = 1", "x = 'y'", "", None, "name = 'churn' AND tags.a = 'b'",
    )  # fmt: skip
    both.each("models", filters, found)
    both.each("most", (0, -1, 1, 1001, None, "a"), lambda s, n: found(s, most=n))
    orders: tuple[Any, ...] = (
        ["name"],
        ["name DESC"],
        ["last_updated_timestamp", "name"],
        ["bogus"],
        ["name", "name"],
        [],
    )
    both.each("order", orders, lambda s, o: len(found(s, order=o)) if "last" in str(o) else found(s, order=o))

    def of_versions(s: Side, text: Any = "", most: Any = 100, order: Any = None) -> list[Any]:
        return [(one.name, one.version) for one in s.registry.search_model_versions(text, most, order)]

    asked = (
        "name = 'churn'", "name LIKE '%e%'", "run_id = 'run_1'", "run_id IN ('run_1','run_2')", "source_path = 's3://one'",
        "version_number = 2", "version_number > 1", "tags.a = 'b'", "tags.a != 'b'", "name = 'churn' AND run_id = 'run_1'",
        "bogus", "x = 'y'", "version_number = 'a'", "source_path LIKE 's3%'", "name = 'nope'",
    )  # fmt: skip
    both.each("versions", asked, lambda s, f: sorted(of_versions(s, f)))
    sorts = (
        ["name", "version_number DESC"],
        ["version_number", "name"],
        ["name DESC"],
        ["bogus"],
        ["name", "name"],
    )
    both.each("order", sorts, lambda s, o: of_versions(s, order=o))
    both.each(
        "most", (0, -1, 1, None, 200_001), lambda s, n: len(of_versions(s, "", n, ["name", "version_number"]))
    )


def deletion(both: Both) -> None:
    """What is deleted is gone; what is made anew begins anew."""
    both.each("delete", (3, 3, 99), lambda s, n: s.registry.delete_model_version("churn", n))
    both.ask("get", lambda s: s.registry.get_model_version("churn", 3))
    both.ask("its alias", lambda s: s.registry.get_model_version_by_alias("churn", "prod"))
    both.ask("numbers go on", lambda s: s.registry.create_model_version("churn", "s3://more").version)
    both.ask("delete all", lambda s: s.registry.delete_registered_model("churn"))
    both.ask("version", lambda s: s.registry.get_model_version("churn", 1))
    both.ask("anew", lambda s: s.registry.create_registered_model("churn"))
    both.ask("first again", lambda s: s.registry.create_model_version("churn", "s3://new"))
    both.ask("search", lambda s: [v.source for v in s.registry.search_model_versions("name = 'churn'")])


def _sorted(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda one: str(one.current_stage))


ALL = (models, versions, search, deletion)
