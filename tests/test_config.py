"""mlops.yaml, git config and the environment: what wins, where it came from, what is refused."""

import json
from pathlib import Path

import pytest
import yaml

from git_mlops import config
from git_mlops.decode import DecodeError
from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo


def test_a_minimal_file_has_a_default_for_everything() -> None:
    assert config.parse(b"version: 1\n") == config.Config()


def test_a_repository_without_the_file_has_the_defaults(repo: Repo) -> None:
    assert config.load(repo) == config.Loaded(config.Config(), {})


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"version: 1\ndata:\n  trak: []\n", "`data.trak`: unknown key", "did you mean `track`?"),
        (b"version: 2\n", "`version`: expected one of 1, not 2", None),
        (b"data: {}\n", "`version`: is missing", "add the line `version: 1`"),
        (b"", "expected a mapping that starts with `version: 1`", None),
        (b"- a\n", "expected a mapping that starts with `version: 1`", None),
        (b"version: [1\n", "not valid YAML (line 2): did not find expected ',' or ']'", None),
        (
            b"# %s\nversion: [1\n" % (b"x" * 3000),
            "not valid YAML (line 3): did not find expected ',' or ']'",
            None,
        ),
        (b"version: %s" % (b"[" * 3000), "it nests too deeply", None),
        (b"version: 1\n\xff\xfe", None, None),
        (b"!!python/object/apply:os.system ['true']\n", None, None),
    ],
)
def test_a_bad_file_is_one_clear_error(content: bytes, message: str | None, hint: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        config.parse(content)
    if message is not None:
        assert (str(caught.value), caught.value.hint) == (message, hint)


def test_git_config_wins_over_the_file_and_the_environment_over_both(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.root / "mlops.yaml").write_text(
        "version: 1\ndata:\n  remote: a\n  size_limit: 1kB\n", encoding="utf-8"
    )
    repo.git("config", "mlops.data.sizeLimit", "2kB")
    repo.git("config", "mlops.data.remote", "b")
    monkeypatch.setenv("MLOPS_DATA_REMOTE", "c")
    loaded = config.load(repo)
    assert (loaded.config.data.size_limit, loaded.config.data.remote) == (2000, "c")
    assert loaded.sources == {
        "version": "mlops.yaml",
        "data": "mlops.yaml",
        "data.remote": "MLOPS_DATA_REMOTE",
        "data.size_limit": "git config mlops.data.sizelimit (local)",
    }


def test_a_bad_private_value_names_its_source(repo: Repo) -> None:
    repo.git("config", "mlops.data.sizeLimit", "big")
    with pytest.raises(
        MlopsError, match=r"git config mlops.data.sizelimit \(local\): `data.size_limit`: expected"
    ):
        config.load(repo)


def test_the_published_schema_accepts_what_we_accept_and_refuses_what_we_refuse() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(config.schema())
    good = {
        "version": 1,
        "data": {"track": ["*.parquet"], "size_limit": "2MiB"},
        "schemas": {"a.csv": "b.yaml"},
    }
    bad = {"version": 1, "data": {"trak": []}}
    assert ([*validator.iter_errors(good)], len([*validator.iter_errors(bad)])) == ([], 1)


def test_our_own_file_is_valid() -> None:
    own = Path(__file__).parent.parent / "mlops.yaml"
    assert config.parse(own.read_bytes()).version == 1


def test_every_setting_is_shown_with_its_source(repo: Repo) -> None:
    (repo.root / "mlops.yaml").write_text("version: 1\ndata: {track: ['*.npy']}\n", encoding="utf-8")
    rows = {key: (value, source) for key, value, source in config.shown(config.load(repo))}
    assert rows["data.track"] == (("*.npy",), "mlops.yaml")
    assert rows["data.remote"] == (None, "default")
    assert json.dumps(list(rows)) == json.dumps([key for key, *_ in config.shown(config.load(repo))])


def test_a_billion_laughs_is_no_memory_bomb() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
    )
    with pytest.raises(DecodeError):
        config.parse(f"version: 1\n{bomb}".encode())


def test_deep_nesting_is_an_error_and_not_the_end_of_the_process() -> None:
    with pytest.raises(DecodeError, match="it nests too deeply"):
        config.parse(b"version: 1\ndata: " + b"[" * 100_000)


def test_the_json_schema_is_stable_yaml_too() -> None:
    assert yaml.safe_load(json.dumps(config.schema()))["required"] == ["version"]
