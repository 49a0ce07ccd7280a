"""Which tests show anything."""

from git_mlops.audit import suites

PATHS = [
    "src/features.py",
    "src/model.py",
    "tests/test_a.py",
    "tests/conftest.py",
    "pkg/__init__.py",
    "pkg/train.py",
]


def read(text: str, conftest: str = "") -> suites.Suites:
    return suites.read({"tests/test_a.py": text, "tests/conftest.py": conftest}, PATHS)


def names(text: str, conftest: str = "") -> list[str]:
    return [one.name for one in read(text, conftest).tests]


def test_a_test_that_asserts_about_the_projects_code_counts() -> None:
    (one,) = read("from features import made\ndef test_it():\n    assert made(1) == 2\n").tests
    assert (one.name, one.where, [*one.modules]) == ("test_it", "tests/test_a.py:2", ["src/features.py"])


def test_an_empty_file_shows_nothing() -> None:
    assert read("").empty == ("tests/test_a.py: it has no test function",)


def test_constants_assert_nothing() -> None:
    for line in (
        "assert True", "assert 1 == 1", "assert 'x'", "assert made == made", "assert made(1) or True", "pass",
        "made(1)", "assert not False", "assertTrue(True)",
    ):  # fmt: skip
        text = f"from features import made\ndef test_it():\n    {line}\n"
        assert names(text) == [], line
    assert read("from features import made\ndef test_it():\n    made(1)\n").empty == (
        "tests/test_a.py: its tests assert nothing",
    )


def test_a_test_of_nothing_of_the_project_shows_nothing() -> None:
    text = "import math\ndef test_it():\n    assert math.sqrt(4) == 2\n"
    assert read(text).empty == ("tests/test_a.py: its tests use no code of the project",)


def test_an_import_that_the_test_does_not_use_shows_nothing() -> None:
    assert names("import features\ndef test_it():\n    x = 1\n    assert x == 1\n") == []


def test_skipped_tests_show_nothing() -> None:
    body = "def test_it():\n    assert made(1)\n"
    head = "import pytest\nfrom features import made\n"
    for mark in ("@pytest.mark.skip\n", "@pytest.mark.skip(reason='x')\n", "@pytest.mark.xfail\n"):
        assert names(f"{head}{mark}{body}") == []
    assert names(f"{head}pytestmark = pytest.mark.skip\n{body}") == []
    assert names(f"{head}def test_it():\n    pytest.skip('later')\n    assert made(1)\n") == []
    assert names(f"{head}@pytest.mark.skipif(1 > 2, reason='x')\n{body}") == ["test_it"]


def test_code_that_a_fixture_brings_is_used() -> None:
    conftest = (
        "import pytest\nfrom model import fit\n@pytest.fixture\ndef fitted(table):\n    return fit(table)\n"
    )
    (one,) = read("def test_it(fitted):\n    assert fitted.score > 1\n", conftest).tests
    assert one.modules == {"src/model.py"}


def test_methods_of_classes_and_their_assertions_count() -> None:
    body = "    def test_it(self):\n        self.assertEqual(pkg.train.run(), 1)\n"
    text = f"import pkg.train\nclass TestIt:\n{body}"
    assert names(text) == ["test_it"]


def test_raising_counts() -> None:
    text = "import pytest\nfrom pkg import train\ndef test_it():\n"
    text += "    with pytest.raises(ValueError):\n        train.run()\n"
    assert [one.modules for one in read(text).tests] == [{"pkg/train.py"}]


def test_what_is_no_python_is_said() -> None:
    assert read("def test_it(:\n").empty == ("tests/test_a.py: it is no Python",)


def test_a_words_of_a_test_are_its_identifiers() -> None:
    (one,) = read(
        "from model import fit\ndef test_baseline():\n    _unused, Dummy = fit(1)\n    assert Dummy\n"
    ).tests
    assert one.words == {"test_baseline", "dummy", "fit"}


def test_examples_and_templates_are_not_the_projects_own() -> None:
    for path in (
        "templates/a/test_a.py",
        "tests/cases/test_a.py",
        "{{ name }}/test_a.py",
        "vendor/x/test_a.py",
    ):
        assert not suites.is_test(path)
    assert suites.is_test("tests/test_a.py")
    assert suites.is_test("pkg/a_test.py")


def test_data_that_is_held_to_expectations_is_told_apart() -> None:
    text = "import great_expectations as ge\ndef test_it():\n    assert ge.read_csv('a').validate().success\n"
    found = read(text)
    assert ([one.name for one in found.of_data], found.tests, found.empty) == (["test_it"], (), ())
