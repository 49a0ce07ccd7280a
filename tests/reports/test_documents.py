"""A report as a document: in a comment, on a page, in a terminal; over hostile text, and over too much."""

from html.parser import HTMLParser

from git_mlops.reports import document_html, document_markdown, document_text
from git_mlops.reports.document import Cell, Document, Picture, Section, Table, numeric, without_empty

ROWS: list[list[str | Cell]] = [["auc", Cell("0.9", number=True), Cell("too low", "fail")]]
DOCUMENT = Document(
    "main...HEAD", "fail", "`auc` is 0.7, below the floor 0.8",
    (
        Section(
            "Metrics",
            (Table(("metric", "base", "gate"), ROWS),),
            ("this change: metrics files",),
            (Picture("loss", b"<svg/>", "▁▂▃ 1 → 3"),),
        ),
        Section("Details", (Table(("fact", "value"), [["commit", "c0ffee"]]),), folded=True),
    ),
)  # fmt: skip
EVIL = (
    "<script>alert(1)</script> ![x](http://e.example/a.png) @team\x1b[31m ]]>|\n# head\n\ud800 </details>"
    " ``<script>` `<b>``"
)


def hostile() -> Document:
    cells: list[list[str | Cell]] = [[EVIL, Cell(EVIL, "fail"), Cell(EVIL, number=True)]]
    table = Table((EVIL, "b", "c"), cells, EVIL)
    return Document(
        EVIL,
        "fail",
        EVIL,
        (Section(EVIL, (table,), (EVIL,), (Picture(EVIL, b"<svg/>", EVIL),), folded=True),),
    )


class Page(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""
        if tag == "img":
            assert (found["src"] or "").startswith("data:image/svg+xml;base64,")


def test_markdown_is_as_documented() -> None:
    assert document_markdown.render(DOCUMENT) == (
        "## ❌ fail: main...HEAD\n\n**`auc` is 0.7, below the floor 0.8**\n"
        "\n### Metrics\n\n| metric | base | gate |\n| --- | ---: | --- |\n| auc | 0.9 | ❌ too low |\n"
        "\n- this change: metrics files\n\n- loss: `▁▂▃ 1 → 3`\n"
        "\n<details><summary>Details</summary>\n"
        "\n| fact | value |\n| --- | --- |\n| commit | c0ffee |\n\n</details>\n"
    )


def test_text_is_aligned() -> None:
    assert document_text.render(DOCUMENT) == (
        "fail: main...HEAD\n`auc` is 0.7, below the floor 0.8\n\n"
        "Metrics\n  metric  base  gate\n  auc      0.9  FAIL too low\n"
        "  this change: metrics files\n  loss  ▁▂▃ 1 → 3\n\n"
        "Details\n  fact    value\n  commit  c0ffee\n"
    )


def test_text_goes_on_below_where_a_cell_has_no_room_and_a_table_may_have_no_header() -> None:
    long = "rows are too few: " + "ten " * 30 + "(hint: `git mlops monitor run`)"
    text = document_text.render(
        Document("t", "none", "v", (Section("Found", (Table(("what", "rule"), [[long, "drift"]]),)),))
    )
    below = text.splitlines()[4:]
    assert [line.split("  ")[-1].strip() for line in below][:1] == ["rule"]
    assert below[1].endswith("drift")
    assert " ".join(" ".join(line.removesuffix("drift").split()) for line in below[1:]) == long
    bare = Document("t", "none", "v", (Section("Why", (Table(("", ""), [["cause", "drift"]]),)),))
    assert document_text.render(bare) == "t\nv\n\nWhy\n  cause  drift\n"
    words = Document("t", "none", "v", (Section("W", (Table(("a",), [["word " * 500]]),)),))
    assert (len(document_text.render(words).splitlines()), "…" in document_text.render(words)) == (11, True)


def test_a_page_has_everything_and_loads_nothing() -> None:
    text = document_html.render(DOCUMENT)
    page = Page(text)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert page.policy.startswith("default-src 'none'; style-src 'sha256-")
    for said in ("<code>auc</code> is 0.7", "too low", "commit", 'class="verdict fail"'):
        assert said in text


def test_hostile_text_stays_text_in_a_comment() -> None:
    text = document_markdown.render(hostile())
    outside = "".join(part for n, part in enumerate(text.split("`")) if n % 2 == 0)
    for bad in ("<script", "![", "](", "@team", "http://", "\x1b", "\n# head", "\ud800"):
        assert bad not in outside
    assert outside.count("</details>") == 1
    assert not any("\n" in row for row in text.split("\n"))


def test_hostile_text_stays_text_on_a_page_and_in_a_terminal() -> None:
    page = Page(document_html.render(hostile()))
    assert "script" not in page.tags
    assert page.tags.count("details") == 1
    shown = document_text.render(hostile())
    assert "\x1b" not in shown.replace("\n", "")
    assert "\n# head" not in shown


def test_a_comment_is_under_its_limit_and_keeps_what_matters_most() -> None:
    rows = [[f"metric {n}", "x" * 300] for n in range(1000)]
    many = Table(("a", "b"), rows)
    big = Document(
        "t", "fail", "v" * 5000,
        (Section("First", (many,)), Section("Second", (many,)), Section("Last", (many,), folded=True)),
    )  # fmt: skip
    text = document_markdown.render(big)
    assert len(text) <= document_markdown.LIMIT
    assert "metric 0" in text
    assert "… and " in text
    assert text.rstrip().endswith("_Not all of it fits here: `git mlops report` prints all of it._")
    assert "<details>" not in text


def test_columns_that_say_nothing_are_left_out_and_numbers_stand_right() -> None:
    table = Table(("a", "empty", "n"), [["x", "", Cell("1", number=True)], ["y", "", ""]])
    kept = without_empty(table)
    assert (kept.header, numeric(kept)) == (("a", "n"), [False, True])
