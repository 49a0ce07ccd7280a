import os
import pickle
from collections import OrderedDict
from pathlib import Path

from sklearn.linear_model import LinearRegression

from git_mlops.git import refs
from tests.checks.conftest import Project, said

RULE = "model-code"


class Evil:
    """Would leave a file behind when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch it-ran",)


RUNS = f"loading it can run `{os.system.__module__}.system`"
EVIL = pickle.dumps(Evil())


def test_a_model_that_runs_a_program_is_an_error_and_does_not_run(project: Project) -> None:
    project.data("model.pkl", EVIL)
    project.data("weights", EVIL)  # no name says that it is one
    project.write("small.joblib", EVIL)
    found = project.check(RULE)
    assert said(found) == [("error", path, RUNS) for path in ("model.pkl", "small.joblib", "weights")]
    assert found[0].hint == "do not load it; ONNX, skops and safetensors keep models without code"
    assert not list(project.root.rglob("it-ran"))


def test_members_of_a_directory_are_named(project: Project) -> None:
    project.folder("models", {"a/one.pkl": EVIL, "b.txt": b"text", "c.pkl": pickle.dumps([1])})
    assert said(project.check(RULE)) == [
        ("error", "models/a/one.pkl", RUNS),
        ("note", "models/c.pkl", "loading it runs what it says (pickle); it imports nothing but the usual"),
    ]


def test_an_unknown_import_is_a_warning_until_the_project_vouches_for_it(project: Project) -> None:
    project.data("model.pkl", b"\x80\x04cmycompany.models\nForest\n)\x81.")
    message = "loading it imports `mycompany.models.Forest`, which may run anything"
    assert said(project.check(RULE)) == [("warning", "model.pkl", message)]
    project.settings("data:\n  model_imports: [mycompany.*]\n")
    assert [finding.level for finding in project.check(RULE)] == ["note"]


def test_a_harmless_model_is_a_note_that_names_the_safer_format(project: Project) -> None:
    project.data("model.pkl", pickle.dumps(LinearRegression()))
    (found,) = project.check(RULE)
    assert (found.level, found.hint) == ("note", "`skops.io.dump` keeps scikit-learn models without code")


def test_what_cannot_be_read_to_its_end_is_unknown(project: Project) -> None:
    project.data("model.pkl", pickle.dumps(OrderedDict(a=1))[:-3])
    message = "it is a broken pickle: it ends early; not all of it was looked at"
    assert said(project.check(RULE)) == [("unknown", "model.pkl", message)]


def test_a_model_with_a_verdict_is_not_read_again(project: Project) -> None:
    file = project.data("model.pkl", EVIL)
    first = project.check(RULE)
    file.write_bytes(b"anything else")
    assert (project.check(RULE), [f.level for f in first]) == (first, ["error"])


def test_another_setting_looks_again(project: Project) -> None:
    file = project.data("model.pkl", EVIL)
    assert project.check(RULE)
    file.write_bytes(pickle.dumps([]))
    project.settings("data: {model_imports: [other.*]}\n")
    assert [finding.level for finding in project.check(RULE)] == ["note"]


def test_data_that_is_elsewhere_is_told_and_gets_no_verdict(project: Project) -> None:
    for name in ("model.pkl", "other.joblib"):
        project.data(name, name.encode()).unlink()
    project.data("picture.png", b"x").unlink()
    project.data("whatever", b"y").unlink()
    message = "not looked at: its data is not on this machine (and that of 1 more paths)"
    assert said(project.check(RULE)) == [("note", "model.pkl", message)]
    assert refs.read(project.repo, "refs/mlops/verdicts") is None


def test_what_is_no_model_raises_nothing(project: Project, tmp_path: Path) -> None:
    project.data("table.csv", b"a\n1\n")
    project.data("notes", b"(these are notes)\n")
    project.data("weights.bin", bytes(range(256)) * 99)
    project.write("cos.txt", b"cos\nsystem\n")
    assert project.check(RULE) == []
