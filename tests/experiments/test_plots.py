"""`exp plots`: a page that runs in a real browser without network, and pictures."""

import json
import math
import re
import shutil
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from git_mlops.errors import NotFoundError
from git_mlops.experiments import plots, svg
from git_mlops.experiments.history import Series
from git_mlops.experiments.plots import Made, Want
from git_mlops.experiments.settings import Settings
from git_mlops.git.repo import Repo
from tests.conftest import Run
from tests.experiments.conftest import put, save

HOSTILE = "</script><img/src=x>"


@pytest.fixture
def three(repo: Repo) -> Repo:
    """Three experiments with histories; one has a hostile parameter, one a gap."""
    for number, name in enumerate(("a", "b", "<i>&c")):
        lines = "".join(f"{step}\t{(number + 1) / (step + 1)}\n" for step in range(5))
        put(
            repo,
            {
                "params.yaml": json.dumps({"lr": number, "opt": HOSTILE if number else "adam", "same": 1}),
                "dvclive/metrics.json": json.dumps({"loss": number / 2}),
                "dvclive/plots/metrics/loss.tsv": f"step\tloss\n{lines}"
                + ("9\tnan\n10\t0\n" if number else ""),
                "dvclive/plots/metrics/val/acc.tsv": "step\tacc\n0\t0.5\n",
            },
        )
        save(repo, name)
    return repo


def make(
    repo: Repo, *names: str, page: Path | None = None, svg: Path | None = None, png: Path | None = None
) -> Made:
    want = Want(*(str(path) if path else None for path in (page, svg, png)))
    return plots.plots(repo, names, Settings(), want, everything=False)


def embedded(page: str) -> object:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert match
    return json.loads(match[1])


def test_the_page_holds_the_chosen_experiments(three: Repo, tmp_path: Path) -> None:
    make(three, "b", page=tmp_path / "p.html")
    found = embedded((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    (one,) = found.pop("experiments")
    assert found == {
        "about": "1 experiment",
        "metrics": ["loss"],
        "params": ["lr", "opt", "same"],
        "histories": ["loss", "val/acc"],
    }
    assert (one["name"], one["params"]["opt"], one["history"]["loss"]) == (
        "b",
        HOSTILE,
        {"x": [0, 1, 2, 3, 4, 9, 10], "y": [2.0, 1.0, 2 / 3, 0.5, 0.4, "nan", 0]},
    )


def test_without_a_name_the_page_is_in_the_private_directory(three: Repo) -> None:
    made = make(three)
    assert (made.page, made.pictures, set(made.experiments)) == (
        str(three.private / "plots.html"), (), {"a", "b", "<i>&c"},
    )  # fmt: skip
    assert three.text("status", "--porcelain", "--", "*.html") == ""


def test_nothing_of_the_data_begins_a_tag_and_nothing_is_fetched(three: Repo, tmp_path: Path) -> None:
    make(three, page=tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page))
    assert (page.count("</script>"), "<img" in page, "<i>" in page, addresses) == (
        2, False, False, {"http://www.w3.org/2000/svg"},
    )  # fmt: skip
    assert "default-src 'none'; script-src 'sha256-" in page


def test_no_experiment_is_said(repo: Repo) -> None:
    with pytest.raises(NotFoundError, match="no experiments of this commit"):
        make(repo)


@pytest.mark.slow
def test_a_picture_for_each_metric_and_no_page(three: Repo, tmp_path: Path) -> None:
    made = make(three, svg=tmp_path / "svg", png=tmp_path / "png")
    names = [tmp_path / kind / f"{name}.{kind}" for kind in ("svg", "png") for name in ("loss", "val_acc")]
    assert (made.page, list(made.pictures)) == (None, [str(name) for name in names])
    root = ET.parse(names[0]).getroot()
    labels = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert labels[0] == "loss"
    assert {"a", "b", "<i>&c"} <= set(labels)
    head = names[2].read_bytes()[:24]
    assert (head[:8], struct.unpack(">II", head[16:])) == (b"\x89PNG\r\n\x1a\n", (1140, 660))


def test_experiments_of_one_name_are_told_apart(three: Repo, tmp_path: Path) -> None:
    first = three.text("rev-parse", "HEAD")
    three.git("commit", "-q", "--allow-empty", "-m", "next")
    second = three.text("rev-parse", "HEAD")
    three.git("update-ref", f"refs/exps/{second[:2]}/{second[2:]}/a", f"refs/exps/{first[:2]}/{first[2:]}/a")
    want = Want(svg=str(tmp_path / "svg"))
    made = plots.plots(three, (), Settings(), want, everything=True)
    assert set(made.experiments) == {"b", "<i>&c", f"a ({first[:7]})", f"a ({second[:7]})"}


def test_metrics_whose_files_would_be_one_are_two(three: Repo, tmp_path: Path) -> None:
    put(three, {"dvclive/plots/metrics/val_acc.tsv": "step\tval_acc\n0\t1\n"})
    save(three, "d")
    made = make(three, "d", svg=tmp_path / "svg")
    assert [Path(file).name for file in made.pictures] == ["loss.svg", "val_acc.svg", "val_acc-2.svg"]


@pytest.mark.parametrize(
    "line",
    [((0, 1),), ((0, math.nan),), ((0, -1.7e308), (1, 1.7e308)), ((0, 5e-324), (1, 0)), ((5, 2), (5, 2)), ()],
)  # fmt: skip
def test_any_history_is_a_picture(line: Series) -> None:
    picture = svg.curves("m\0\x1b", {"\ud800 & <b>": line}).decode()
    assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.search(r'[ "M L](nan|inf)', picture)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-3, 3, [-3, -2, -1, 0, 1, 2, 3]), (0, 59, [0, 10, 20, 30, 40, 50])],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert [round(tick, 9) for tick in svg.ticks(low, high)] == ticks


@pytest.fixture
def browser(run: Run, tmp_path: Path) -> Callable[[str], str]:
    """The document of a page after its script ran, in a real browser."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on PATH: the page cannot be run")

    def document(page: str) -> str:
        file = tmp_path / "run.html"
        file.write_text(page, encoding="utf-8")
        options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}")
        return run(program, *options, "--dump-dom", file.as_uri(), cwd=tmp_path, timeout=60).stdout

    return document


def section(document: str, name: str) -> str:
    return document[document.index(f'id="{name}"') :].partition("</svg>")[0]


def test_the_page_draws_itself_in_a_browser(
    three: Repo, tmp_path: Path, browser: Callable[[str], str]
) -> None:
    make(three, page=tmp_path / "p.html")
    drawn = browser((tmp_path / "p.html").read_text(encoding="utf-8"))
    curves, scatter, parallel = (section(drawn, name) for name in ("curves", "scatter", "parallel"))
    assert (curves.count('class="curve"'), scatter.count('class="dot"'), parallel.count('class="curve"')) == (
        3,
        3,
        3,
    )
    # the gap: a second piece of the line
    paths = re.findall(r'class="curve" d="([^"]*)"', curves)
    assert sorted(path.count("M") for path in paths) == [1, 2, 2]
    assert ("NaN" in drawn, "<img" in drawn.replace("&lt;", "")) == (False, False)
    cells = {unescape(cell) for cell in re.findall(r"<td[^>]*>([^<]*)</td>", drawn)}
    assert {"a", "b", "<i>&c", HOSTILE} <= cells


_HANDS = """<script>
const $ = (id) => document.getElementById(id);
const change = (id, value) => { $(id).value = value; $(id).dispatchEvent(new Event("change")); };
document.querySelectorAll("#legend button")[0].click();
change("metric", "val/acc"); change("x", "params.opt"); change("last", "metrics.loss");
$("log").click();
document.querySelectorAll("#table th button")[3].click();
</script>"""


@pytest.mark.slow
def test_the_choices_of_the_page_work(three: Repo, tmp_path: Path, browser: Callable[[str], str]) -> None:
    make(three, page=tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    # the page's own policy would let no other script run
    open_ = re.sub(r"<meta http-equiv=[^>]*>", "", page).replace("</body>", _HANDS + "</body>")
    drawn = browser(open_)
    curves, scatter = section(drawn, "curves"), section(drawn, "scatter")
    assert (re.findall(r'<button[^>]*aria-pressed="(true|false)"', drawn), curves.count('class="curve"')) == (
        ["false", "true", "true"], 2,
    )  # fmt: skip
    assert 'aria-label="val/acc over steps"' in curves
    assert 'aria-label="metrics.loss against params.opt"' in scatter
    assert 'aria-sort="ascending"' in drawn
    blocked = browser(page.replace("</body>", _HANDS + "</body>"))
    assert re.findall(r'<button[^>]*aria-pressed="(true|false)"', blocked) == ["true", "true", "true"]


def test_the_command_prints_what_it_wrote(three: Repo, mlops: Run, tmp_path: Path) -> None:
    file = tmp_path / "out" / "p.html"
    said = mlops("exp", "plots", "a", "-o", file, "--svg", tmp_path / "s", cwd=three.root).stdout
    assert said.splitlines() == [str(file), str(tmp_path / "s/loss.svg"), str(tmp_path / "s/val_acc.svg")]
    data = json.loads(mlops("exp", "plots", "--json", cwd=three.root).stdout)
    assert (data["kind"], data["data"]["page"]) == ("plots", str(three.private / "plots.html"))
    missing = mlops("exp", "plots", "nope", cwd=three.root, status=2).stderr
    assert "no experiment `nope`" in missing
