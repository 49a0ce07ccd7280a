"""B7: a registry of 5,000 tags beside 20,000 that do not concern it; GTO beside it with 1,500 tags."""

from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.measure import Place, Row, faster, interleaved, repository, slower

TAGS, OTHERS, THEIRS = 5000, 20_000, 1500
_MODELS, _SECONDS = 50, 0.3
_COMMANDS = {
    "list": ("list", "--json"),
    "show": ("show", "model-7"),
    "show of a stage": ("show", "model-7#prod", "--json"),
    "history": ("history", "model-7", "--json"),
}


def bench(base: Path) -> list[Row]:
    """Whole processes; the limit is absolute."""
    full = _registry(base / "full", TAGS, OTHERS)
    small = _registry(base / "small", 100, 0)
    works = {name: _work(full, words) for name, words in _COMMANDS.items()}
    works["python"] = lambda: full.timed("python", "-c", "pass")
    works["small"] = _work(small, _COMMANDS["show of a stage"])
    seconds = interleaved(works, 7)
    allowed = ("allowed", _SECONDS)
    rows = [
        slower("B7", f"model {name}, {TAGS} tags", seconds[name], *allowed, limit="<= 1")
        for name in _COMMANDS
    ]
    # what the machine's mood was: 0.02 s where it is quiet
    rows.append(
        slower("B7", f"model list, {TAGS} tags", seconds["list"], "python -c pass", seconds["python"])
    )
    stage = seconds["show of a stage"]
    rows.append(
        slower("B7", f"the same of a stage, {OTHERS} other tags", stage, "100 tags", seconds["small"])
    )
    theirs = _registry(base / "theirs", THEIRS, 0)
    pair = interleaved({"ours": _work(theirs, _COMMANDS["list"]), "gto": lambda: _gto(theirs)}, 1)
    rows.append(faster("B7", f"model list, {THEIRS} tags", pair["ours"], "gto show --json", pair["gto"]))
    return rows


def _work(place: Place, words: tuple[str, ...]) -> Callable[[], float]:
    return lambda: place.timed("git", "mlops", "model", *words)


def _gto(place: Place) -> float:
    return place.timed("gto", "show", "--json")


def _registry(base: Path, tags: int, others: int) -> Place:
    place = repository(base, "r")
    place.run("git", "fast-import", "--quiet", stdin="".join(_stream(tags, others)).encode())
    place.run("git", "pack-refs", "--all")
    return place


def _stream(tags: int, others: int) -> Iterator[str]:
    """For each model a version, which gets two stages, again and again, each of a commit of its own."""
    time = 1_600_000_000
    counts = dict.fromkeys(range(_MODELS), 0)
    for mark in range(1, tags // 3 + 1):
        model, version = mark % _MODELS, mark // _MODELS
        yield f"commit refs/heads/models\nmark :{mark}\ncommitter Ada <ada@example.com> {time} +0000\n"
        yield _data(f"model {model} {version}\n")
        for said in (f"@v1.{version}.0", "#staging#", "#prod#"):
            time += 1
            counts[model] += said.startswith("#")
            name = f"model-{model}{said}{counts[model] if said.startswith('#') else ''}"
            yield f"tag {name}\nfrom :{mark}\ntagger Ada <ada@example.com> {time} +0000\n"
            yield _data(
                'model\n\nMlops-Run: 1\n\n--- mlops v1 ---\n{"version": 1, "metrics": {"auc": 0.9}}\n'
            )
    for number in range(others):
        yield f"tag release-{number}\nfrom :1\ntagger Ada <ada@example.com> {time} +0000\n{_data('x')}"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"
