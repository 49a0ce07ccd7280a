# ruff: noqa: E501  # tables of calls: a call is a line
"""Calls of a tracking store: runs, experiments, logged models; what is refused, and in which words."""

from typing import Any

from mlflow.entities import (
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    Metric,
    Param,
    RunStatus,
    RunTag,
    ViewType,
)

from tests.conformance.sides import Both, Side, plain

_ALL = (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL)


def experiments(both: Both) -> None:
    """Made, found, changed, deleted."""
    tags = [ExperimentTag("a", "b")]
    both.ask("create", lambda s: s.tracking.create_experiment("e1", None, tags), "e1")
    both.ask("create another", lambda s: s.tracking.create_experiment("e2", None, []), "e2")
    both.each("name", ("e1", "", None, 5, "x" * 501), lambda s, n: s.tracking.create_experiment(n, None, []))
    both.ask("get", lambda s: s.tracking.get_experiment(s["e1"]))
    both.ask("get none", lambda s: s.tracking.get_experiment("123"))
    both.each("by name", ("e1", "zz"), lambda s, n: s.tracking.get_experiment_by_name(n))
    both.ask("tag", lambda s: s.tracking.set_experiment_tag(s["e1"], ExperimentTag("k", "v")))
    for turn in ("delete tag", "delete tag again"):
        both.ask(turn, lambda s: s.tracking.delete_experiment_tag(s["e1"], "k"))
    both.each("rename", ("e2b", "e1", None), lambda s, n: s.tracking.rename_experiment(s["e2"], n))
    for turn in ("delete", "delete again"):
        both.ask(turn, lambda s: s.tracking.delete_experiment(s["e2"]))
    both.ask("rename deleted", lambda s: s.tracking.rename_experiment(s["e2"], "q"))
    both.ask("run in deleted", lambda s: s.tracking.create_run(s["e2"], "u", 1, [], "n"))
    both.ask("tag deleted", lambda s: s.tracking.set_experiment_tag(s["e2"], ExperimentTag("k", "v")))
    both.ask("name of deleted", lambda s: s.tracking.create_experiment("e2b", None, []))
    both.each("view", _ALL, lambda s, v: s.tracking.search_experiments(v, 10, order_by=["name"]))
    for turn in ("restore", "restore again"):
        both.ask(turn, lambda s: s.tracking.restore_experiment(s["e2"]))
    filters = (
        "name = 'e1'", "name LIKE 'e%'", "name ILIKE 'E%'", "name != 'e1'", "tags.a = 'b'", "tags.a != 'b'",
        "tags.a LIKE 'B'", "tags.a ILIKE 'B'", "nope = 1", "name = ", "name = 1", "creation_time > 0",
        "last_update_time > 0", "creation_time > 'a'", "name = 'e1' AND tags.a = 'b'", "name = 'e1' OR 1",
    )  # fmt: skip
    both.each("filter", filters, lambda s, f: s.tracking.search_experiments(1, 10, f, ["name DESC"]))
    orders: tuple[Any, ...] = (
        ["name"],
        ["name DESC"],
        ["creation_time"],
        ["experiment_id"],
        ["bogus"],
        ["name x"],
        ["name", "name"],
    )
    both.each(
        "order", orders, lambda s, o: [e.name for e in s.tracking.search_experiments(1, 10, order_by=o)][:1]
        if o != ["experiment_id"] else None,
    )  # fmt: skip
    both.each(
        "most",
        (0, -1, 50001, None, "a", 2),
        lambda s, n: s.tracking.search_experiments(1, n, order_by=["name"]),
    )


def runs(both: Both) -> None:
    """Begun, logged to, ended, edited."""
    tracking = _of("tracking")
    both.ask("run", lambda s: tracking(s).create_run(s["e1"], "u", 100, [RunTag("x", "1")], "r1"), "r1")
    named = [RunTag("mlflow.runName", "r2")]
    both.ask("run named by tag", lambda s: tracking(s).create_run(s["e1"], "u", 200, named, None), "r2")
    both.ask("run of two names", lambda s: tracking(s).create_run(s["e1"], "u", 200, named, "r9"))
    both.ask("run 3", lambda s: tracking(s).create_run(s["e1"], "u", 300, [], "r3"), "r3")
    both.ask("run of no experiment", lambda s: tracking(s).create_run("99", "u", 300, [], "r3"))
    nan = float("nan")
    points = (
        ("m", 1.0, 1, 0), ("m", 2.0, 2, 1), ("m", 0.5, 3, 1), ("m", 7.0, 1, 0), ("n", nan, 1, 0), ("n", 3.0, 1, 0),
        ("neg", -1.5, 1, -3), ("neg", -2.5, 1, -1), ("i", 3, 1, 0), ("inf", float("inf"), 1, 0), ("m", 2.0, 2, 1),
    )  # fmt: skip
    both.each("metric", points, lambda s, p: tracking(s).log_metric(s["r1"], Metric(*p)))
    bad = (
        ("", 1.0, 1, 0), (None, 1.0, 1, 0), ("a/../b", 1, 1, 0), ("a$", 1, 1, 0), ("x" * 251, 1, 1, 0),
        ("ok", "str", 1, 0), ("ok", None, 1, 0), ("ok", True, 1, 0), ("ok", 1.0, -1, 0), ("ok", 1.0, "a", 0),
        ("ok", 1.0, 1, "a"), ("./a", 1, 1, 0), ("a b:c-d.e/f", 1.0, 1, 0), ("ü", 1.0, 1, 0),
    )  # fmt: skip
    both.each("bad metric", bad, lambda s, p: tracking(s).log_metric(s["r1"], Metric(*p)))
    both.each(
        "history", ("m", "n", "zz", "inf"), lambda s, m: list(tracking(s).get_metric_history(s["r1"], m))
    )
    both.ask("history of no run", lambda s: list(tracking(s).get_metric_history("nope", "m")))
    both.ask("page of a history", lambda s: tracking(s).get_metric_history(s["r1"], "m", 2))
    both.ask("histories", lambda s: tracking(s).get_metric_history_bulk([s["r1"]], "m", 3))
    both.ask("last step", lambda s: tracking(s).get_max_step_for_metric(s["r1"], "m"))
    both.each(
        "sampled", ((10, None, None), (10, 0, 1), (1, None, None)),
        lambda s, how: tracking(s).get_metric_history_bulk_interval([s["r1"], s["r2"]], "m", *how),
    )  # fmt: skip
    params = (
        ("p", "1"), ("p", "1"), ("p", "2"), ("q", "x" * 7000), ("", "1"), (None, "1"), ("a/../b", "1"), ("empty", ""),
    )  # fmt: skip
    both.each("param", params, lambda s, p: tracking(s).log_param(s["r1"], Param(*p)))
    tags = (
        ("t", "1"),
        ("t", "2"),
        ("long", "y" * 9000),
        ("", "1"),
        (None, "1"),
        ("mlflow.runName", "renamed"),
    )
    both.each("tag", tags, lambda s, t: tracking(s).set_tag(s["r1"], RunTag(*t)))
    both.ask("get", lambda s: tracking(s).get_run(s["r1"]))
    both.each("get", ("nope", "", None, "a/b"), lambda s, r: tracking(s).get_run(r))
    for turn in ("delete tag", "delete tag again"):
        both.ask(turn, lambda s: tracking(s).delete_tag(s["r1"], "t"))
    _batches(both)
    _inputs(both)
    done = RunStatus.FINISHED
    both.ask("end", lambda s: tracking(s).update_run_info(s["r1"], done, 999, None))
    both.ask("rename", lambda s: tracking(s).update_run_info(s["r1"], None, None, "newname"))
    both.ask("get ended", lambda s: tracking(s).get_run(s["r1"]))
    both.ask("fail", lambda s: tracking(s).update_run_info(s["r2"], RunStatus.FAILED, 888, None))
    both.ask("end no run", lambda s: tracking(s).update_run_info("nope", RunStatus.FAILED, 888, None))
    both.ask("log after the end", lambda s: tracking(s).log_metric(s["r1"], Metric("after", 1.0, 1, 1)))
    both.each("history", ("after", "m"), lambda s, m: list(tracking(s).get_metric_history(s["r1"], m)))


def _of(name: str) -> Any:
    return lambda side: getattr(side, name)


def _batches(both: Both) -> None:
    m = Metric
    batches: tuple[tuple[list[Any], list[Any], list[Any]], ...] = (
        ([m("m", 5.0, 5, 5), m("m", 5.0, 5, 5), m("z", 1.0, 1, 1)], [Param("p", "9"), Param("o", "1")], [RunTag("t", "b")]),
        ([], [Param("d", "9"), Param("d", "9")], []),
        ([m("never", 1.0, 1, 1)], [Param("p", "8")], []),
        ([m("m", float(k), 1, k) for k in range(1001)], [], []),
        ([], [Param(f"p{k}", "1") for k in range(101)], []),
        ([], [], [RunTag(f"t{k}", "1") for k in range(101)]),
        ([m("m", float(k), 1, k) for k in range(950)], [Param(f"p{k}", "1") for k in range(60)], []),
        ([m("", 1.0, 1, 1)], [], []),
        ([], [Param("", "1")], []),
        ([], [], [RunTag("", "1")]),
        ([], [], []),
    )  # fmt: skip
    for number, batch in enumerate(batches):
        both.ask(f"batch {number}", lambda s, b=batch: s.tracking.log_batch(s["r2"], *b))  # type: ignore[misc]
    both.ask("batch of no run", lambda s: s.tracking.log_batch("nope", [], [], [RunTag("a", "b")]))
    both.ask("history", lambda s: list(s.tracking.get_metric_history(s["r2"], "m")))


def _data(name: Any, digest: str, schema: str | None = None) -> DatasetInput:
    return DatasetInput(
        Dataset(name, digest, "local", "src", schema), [InputTag("mlflow.data.context", "train")]
    )


def _inputs(both: Both) -> None:
    given = ([_data("d1", "g1", "{}"), _data("d1", "g1"), _data("d2", "g2")], [_data("d1", "g1")], [_data(None, "g1")], [_data("x", "g" * 40)])  # fmt: skip
    for number, datasets in enumerate(given):
        both.ask(f"inputs {number}", lambda s, d=datasets: s.tracking.log_inputs(s["r2"], d))  # type: ignore[misc]
    both.ask(
        "datasets",
        lambda s: sorted((d.name, d.digest, d.context) for d in s.tracking._search_datasets([s["e1"]])),
    )


def search(both: Both) -> None:
    """Runs by filter, in order, by pages."""

    def names(
        s: Side, text: str = "", view: int = ViewType.ALL, order: Any = ("start_time ASC",), most: Any = 100
    ) -> list[Any]:
        return [
            r.info.run_name
            for r in s.tracking.search_runs([s["e1"]], text, view, most, order and list(order))
        ]

    filters = (
        "metrics.m > 1", "metrics.m = 0.5", "metrics.`m` <= 5", "metrics.n > 1", "metrics.m != 5", "metrics.zz > 0",
        "params.p = '1'", "params.p != '1'", "params.p IN ('1','9')", "params.p NOT IN ('1')", "params.p LIKE '%'",
        "tags.t = 'b'", "tags.x LIKE '%1%'", "tags.x ILIKE '1'", 'tags.`x` = "1"', "attributes.status = 'FINISHED'",
        "status != 'FINISHED'", "status IN ('FINISHED')", "run_name = 'newname'", "run_name LIKE 'r%'", "start_time > 150",
        "end_time < 900", "attributes.run_id != 'x'", "dataset.name = 'd1'", "datasets.digest = 'g2'",
        "dataset.context = 'train'", "dataset.name LIKE 'd%'", "user_id = 'u'", "params.zz = '1'", "params.p IS NULL",
        "params.p IS NOT NULL", "tags.x IS NOT NULL", "metrics.m > 1 and params.p = '9'", "bogus", "metrics.m",
        "metrics.m > 'a'", "params.p > 1", "foo.bar = 1", "artifact_uri LIKE '%'", "created > 150", "Created <= 200",
        "run_id IN ('a')", "tags.mlflow.runName = 'r2'", "tags.`mlflow.runName` = 'r2'", "start_time > 'a'", "", None,
    )  # fmt: skip
    both.each("filter", filters, names)
    orders: tuple[Any, ...] = (
        ["metrics.m DESC"], ["metrics.m ASC"], ["metrics.n DESC"], ["metrics.n"], ["params.p"], ["params.p DESC"], ["tags.t"],
        ["status", "start_time DESC"], ["attribute.end_time"], ["end_time DESC"], ["run_name"], ["bogus"],
        ["metrics.m bogus"], [], None, ["metrics.zz"], ["start_time", "start_time"], ["dataset.name"],
    )  # fmt: skip
    both.each("order", orders, lambda s, o: names(s, order=o))
    both.each("most", (0, -1, 50001, 1, 2, None, "a"), lambda s, n: names(s, view=1, most=n))
    both.ask("pages", _pages)
    both.ask("bad token", lambda s: s.tracking.search_runs([s["e1"]], "", 1, 1, [], "zzz"))
    both.each("experiments", ([], ["77"]), lambda s, e: s.tracking.search_runs(e, "", 1, 1))


def _pages(s: Side) -> list[Any]:
    found, token = [], None
    while True:
        page = s.tracking.search_runs([s["e1"]], "", 1, 1, ["start_time"], token)
        found += [run.info.run_name for run in page]
        if not (token := page.token):
            return found


def deletion(both: Both) -> None:
    """Deleted runs, what they refuse, and what they leave."""
    for turn in ("delete", "delete again"):
        both.ask(turn, lambda s: s.tracking.delete_run(s["r3"]))
    both.ask("log", lambda s: s.tracking.log_metric(s["r3"], Metric("m", 1.0, 1, 1)))
    both.ask("tag", lambda s: s.tracking.set_tag(s["r3"], RunTag("m", "1")))
    both.ask("end", lambda s: s.tracking.update_run_info(s["r3"], RunStatus.FINISHED, 1, None))
    both.ask("get", lambda s: s.tracking.get_run(s["r3"]))
    both.each(
        "view",
        _ALL,
        lambda s, v: [r.info.run_name for r in s.tracking.search_runs([s["e1"]], "", v, 100, ["start_time"])],
    )
    both.ask("deleted", lambda s: s.tracking._get_deleted_runs())
    for turn in ("restore", "restore again"):
        both.ask(turn, lambda s: s.tracking.restore_run(s["r3"]))
    both.ask("restore none", lambda s: s.tracking.restore_run("nope"))


def logged_models(both: Both) -> None:
    """Made, finalized, measured, searched, deleted."""
    tags, params = [LoggedModelTag("a", "b")], [LoggedModelParameter("p", "1")]
    both.ask(
        "model",
        lambda s: s.tracking.create_logged_model(s["e1"], "mod", s["r1"], tags, params, "agent"),
        "m1",
    )
    both.ask("model alone", lambda s: s.tracking.create_logged_model(s["e1"], "free"), "m2")
    both.each("name", ("a/b", "", "a.b", "a%b"), lambda s, n: s.tracking.create_logged_model(s["e1"], n))
    both.ask("of no experiment", lambda s: s.tracking.create_logged_model("99", "b"))
    both.ask("get", lambda s: s.tracking.get_logged_model(s["m1"]))
    both.ask("get none", lambda s: s.tracking.get_logged_model("m-x"))
    for model in ("m1", "m2"):
        metrics = lambda s, m=model: [  # noqa: E731  # of this model
            Metric("acc", 0.9, 1, 0, model_id=s[m], dataset_name="d1", dataset_digest="g1", run_id=s["r1"]),
            Metric("acc", 0.8, 1, 1, model_id=s[m], run_id=s["r1"]),
        ]
        both.ask(f"metrics {model}", lambda s, f=metrics: s.tracking.log_batch(s["r1"], f(s), [], []))  # type: ignore[misc]
        both.ask(f"get {model}", lambda s, m=model: _model(s.tracking.get_logged_model(s[m])))  # type: ignore[misc]
    ready, failed = LoggedModelStatus.READY, LoggedModelStatus.FAILED
    both.ask("finalize", lambda s: _model(s.tracking.finalize_logged_model(s["m1"], ready)))
    both.ask("finalize failed", lambda s: _model(s.tracking.finalize_logged_model(s["m2"], failed)))
    both.ask("finalize none", lambda s: s.tracking.finalize_logged_model("m-x", ready))
    both.ask("tag", lambda s: s.tracking.set_logged_model_tags(s["m1"], [LoggedModelTag("c", "d")]))
    for turn in ("delete tag", "delete tag again"):
        both.ask(turn, lambda s: s.tracking.delete_logged_model_tag(s["m1"], "a"))
    both.ask(
        "params", lambda s: s.tracking.log_logged_model_params(s["m1"], [LoggedModelParameter("q", "2")])
    )
    both.ask("output", lambda s: s.tracking.log_outputs(s["r1"], [LoggedModelOutput(s["m1"], 3)]))
    both.ask("input", lambda s: s.tracking.log_inputs(s["r1"], None, [LoggedModelInput(s["m2"])]))
    both.each("get", ("m1", "m2"), lambda s, m: _model(s.tracking.get_logged_model(s[m])))

    def names(s: Side, *how: Any) -> list[str]:
        return [one.name for one in s.tracking.search_logged_models([s["e1"]], *how)]

    filters = (
        None, "name = 'mod'", "metrics.acc > 0.85", "metrics.acc > 0.95", "params.p = '1'", "tags.c = 'd'",
        "status = 'READY'", "model_type = 'agent'", "creation_timestamp > 0", "name LIKE 'm%'", "name IN ('mod')",
        "source_run_id = 'x'", "params.p != '2'", "name = 'mod' AND tags.c = 'd'", "bogus", "foo.x = 1", "metrics.acc > 'a'",
    )  # fmt: skip
    both.each("filter", filters, names)
    data = ([{"dataset_name": "d1"}], [{"dataset_name": "d1", "dataset_digest": "zz"}], [{"x": "d1"}])
    both.each("data", data, lambda s, d: names(s, "metrics.acc > 0.85", d))
    orders: tuple[Any, ...] = (
        [{"field_name": "name"}], [{"field_name": "name", "ascending": False}], [{"field_name": "metrics.acc", "ascending": False}],
        [{"field_name": "creation_timestamp"}], [{"field_name": "bogus"}], [{}],
    )  # fmt: skip
    both.each("order", orders, lambda s, o: names(s, None, None, None, o))
    both.ask("page", lambda s: bool(s.tracking.search_logged_models([s["e1"]], max_results=1).token))
    both.ask("delete", lambda s: s.tracking.delete_logged_model(s["m1"]))
    both.ask("get deleted", lambda s: s.tracking.get_logged_model(s["m1"]))
    both.ask("get deleted all the same", lambda s: s.tracking.get_logged_model(s["m1"], True).name)
    both.ask("search", names)
    both.each("run", ("r1", "r2"), lambda s, r: s.tracking.get_run(s[r]))
    both.ask("reopen", lambda s: s.tracking.update_run_info(s["r1"], RunStatus.RUNNING, None, None))
    both.ask("kill", lambda s: s.tracking.update_run_info(s["r1"], RunStatus.KILLED, None, None))
    both.ask("gc", lambda s: (s.tracking.delete_run(s["r3"]), s.tracking._hard_delete_run(s["r3"])))
    both.ask("get after gc", lambda s: s.tracking.get_run(s["r3"]))


def _model(found: Any) -> object:
    """Metrics of a model have no order."""
    known = {name.lstrip("_"): one for name, one in vars(found).items()}
    known["metrics"] = sorted(map(str, (plain(one) for one in found.metrics or ())))
    return known


def others(both: Both) -> None:
    """What is not ours answers, too."""
    both.ask("scorers", lambda s: list(s.tracking.list_scorers(s["e1"])))
    both.ask("traces", lambda s: list(s.tracking.search_traces([s["e1"]])[0]))
    both.ask("evaluation sets", lambda s: list(s.tracking.search_datasets([s["e1"]])))
    both.ask("make one", lambda s: s.tracking.create_dataset("ev", experiment_ids=[s["e1"]]).name)
    both.ask("evaluation sets now", lambda s: [d.name for d in s.tracking.search_datasets([s["e1"]])])
    both.ask("no trace", lambda s: s.tracking.get_trace_info("tr-x"))


ALL = (experiments, runs, search, deletion, logged_models, others)
