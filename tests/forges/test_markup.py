"""Somebody else's Markdown can do nothing, and ours fits every forge."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.forges.markup import closed, cut, disarmed, inert, phrase, size, without_commands, without_html
from git_mlops.reports.markdown import escape

G = "\u200b"

ATTACKS = {
    "a link": ("[click](https://evil.example)", f"[click]{G}(https:{G}//evil.example)"),
    "an image": ("![x](//evil.example/p.png)", f"![x]{G}(//evil.example/p.png)"),
    "a reference": ("[a][b]\n\n[b]: //evil.example", f"[a]{G}[b]\n\n[b]{G}: //evil.example"),
    "a shortcut": ("[b]\n\n[b]: <//evil.example>", f"[b]\n\n[b]{G}: <{G}//evil.example>"),
    "a footnote": ("x[^1]\n\n[^1]: note", f"x[^{G}1]\n\n[^{G}1]{G}: note"),
    "a bare URL": ("https://evil.example", f"https:{G}//evil.example"),
    "a bare www": ("WWW.evil.example", f"WWW{G}.evil.example"),
    "a URL in disguise": (r"https:\//e https:/\/e _www\.e_", rf"https:{G}\//e https:{G}/\/e _www{G}\.e_"),
    "an entity that is not one": (r"\&lt;", rf"\{G}&#60;"),
    "an autolink": ("<https://evil.example>", f"<{G}https:{G}//evil.example>"),
    "an email": ("<a@evil.example> b@evil.example", f"<{G}a@{G}evil.example> b@{G}evil.example"),
    "a mention": ("@ada @org/team", f"@{G}ada @{G}org/team"),
    "a mention in disguise": ("&#64;ada &#x40;ada &commat;ada", f"@{G}ada @{G}ada @{G}ada"),
    "a mention in two disguises": ("&amp;#64;ada", f"&#38;#{G}64;ada"),
    "a mention in halves": ("&&#35;64;ada &#&#54;4;ada", f"&{G}#{G}64;ada &{G}#{G}64;ada"),
    "a character we keep for ourselves": ("\ue000#64;ada", f"#{G}64;ada"),
    "an issue": ("fixes #12 and org/repo#3, GH-4", f"fixes #{G}12 and org/repo#{G}3, GH{G}-4"),
    "a merge request": ("!12 %4 ~bug $5 &6", f"!{G}12 %{G}4 ~{G}bug ${G}5 &{G}6"),
    "HTML": ('<img src="//evil.example/p">', f'<{G}img src="//evil.example/p">'),
    "a script": ("<script>alert(1)</script>", f"<{G}script>alert(1)<{G}/script>"),
    "HTML in disguise": ("&lt;img src=x&gt;", "&#60;img src=x&#62;"),
    "an attribute": ("<details onclick=x><br/>", f"<{G}details onclick=x><{G}br/>"),
    "a comment": ("<!-- git-mlops:report:x -->", f"<{G}!-- git-mlops:report:x -->"),
    "a quick action": ("/merge\n > /approve", f"{G}/merge\n > {G}/approve"),
    "a diagram": ("```mermaid\nclick A href\n```", f"```{G}mermaid\nclick A href\n```"),
    "a diagram behind a backtick": ("```x`mermaid\n``` `mermaid", f"```{G}x`mermaid\n``` `mermaid"),
    "a diagram in disguise": ("```mermai&#100;\nx\n```", f"```{G}mermaid\nx\n```"),
    "a map": ("~~~geojson\n{}\n~~~", f"~{G}~{G}~{G}geojson\n{{}}\n~{G}~{G}~{G}"),
    "an open code block": ("````\nx\n```\ny", "````\nx\n```\ny\n````"),
    "an open fold": ("<details>\n<details>", "<details>\n<details>\n\n</details>\n\n</details>"),
    "a terminal's colours": ("\x1b[31mred\x1b[0m \x1b]0;title\x07\x9b1m", "red 1m"),
    "a direction": ("a\u202egnp.exe\u2066", "agnp.exe"),
    "tags nobody sees": ("a\U000e0041\ufeff\u200bb\x00", "ab"),
    "a lone surrogate": ("a\udc80b", "ab"),
    "a wiki link": ("[[page]]", f"[{G}[page]]"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_it_does_nothing(name: str) -> None:
    given_, expected = ATTACKS[name]
    assert inert(given_) == expected


def test_what_a_report_is_made_of_stays() -> None:
    report = (
        "### ❌ fail: auc 0.91 → 0.85\n\n| metric | old | new |\n|---|---|---:|\n| `auc` | 0.91 | 0.85 |\n\n"
        "<details><summary>all</summary>\n\n- one<br><sub>hint: two</sub>\n\n</details>\n\n```json\n{}\n```\n"
        "50 % of **8** rows, ⚠️ *2* > 1, `a_b`\n"
    )
    assert inert(report) == report


def test_our_own_escapes_are_shown_as_they_were_meant() -> None:
    assert inert(escape("a*b|c <i>")) == "a&#42;b&#124;c &#60;i&#62;"
    assert inert(escape("@ada #1")) == f"@{G}ada #{G}1"


_ACTIVE = re.compile(r"[@~$^](?!\u200b)|\](?=[(\[:])|:(?=/)|<(?!/?(?:details|summary|sub|br)>)(?!\u200b)")


@given(st.text(alphabet=st.sampled_from("a1 \n@#&;<>[]()!:/`~$%^|\\x64\u200b\u202e\r\tm"), max_size=60))
@settings(max_examples=100, deadline=None)
def test_nothing_active_is_left_of_any_text(words: str) -> None:
    made = inert(words)
    assert not _ACTIVE.search(made)
    assert inert(made.replace(G, "")) == inert(inert(made))


def test_ten_megabytes_are_made_inert_in_time() -> None:
    for part in (
        "[" * 999,
        "<a ",
        "`" * 999,
        "``` ",
        "   \t",
        "& ",
        "www.",
        "\x1b]",
        "/a\n",
        "](",
        "<summary>",
        "<p ",
        "<!--",
    ):
        assert size(without_html(inert(part * (200_000 // len(part))))) < 2_000_000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("x\n```\ny", "x\n```\ny\n```"),
        ("x\n```\ny\n```", "x\n```\ny\n```"),
        ("~~~~\n```\n~~~", "~~~~\n```\n~~~\n~~~~"),
        ("<details><summary>s</summary>", "<details><summary>s</summary>\n\n</details>"),
        ("```\n<details>\n```", "```\n<details>\n```"),
        ("</details></details>", "</details></details>"),
        ("> ```\n> x", "> ```\n> x\n```"),
        ("```x`y", "```x`y"),
    ],
)
def test_what_is_open_is_closed(words: str, expected: str) -> None:
    assert closed(words) == expected


def test_folds_without_end_are_text() -> None:
    assert "\n</details>" not in closed("<details>" * 11)


def test_what_closes_a_cut_text_fits_too() -> None:
    assert size(cut("### fail\n" + "`" * 30_000 + "\nx" * 30_000, 32_000, "See the log.")) <= 32_000


@given(st.text(alphabet="a🔥\n`", max_size=3000), st.integers(600, 1500))
@settings(max_examples=60, deadline=None)
def test_a_cut_text_fits(words: str, most: int) -> None:
    assert size(cut(words, most, "See the log.")) <= most


def test_a_cut_text_says_how_much_is_gone() -> None:
    made = cut("one\n" + "x" * 1000 + "\n", 900, "See the log.")
    assert made == "one\n\n… 1,002 more characters do not fit into this forge's comments. See the log.\n"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<details><summary>all</summary>\n\nx\n\n</details>", "**all**\n\n\nx\n\n"),
        ("a<br><sub>hint: b</sub>", "a · hint: b"),
        ("x <!-- note --> y", "x  y"),
        (escape("a*b_c|d [x]"), "a\\*b\\_c\\|d \\[x\\]"),
        (escape("@ada https://e"), f"@{G}ada https:{G}//e"),
        ("1 < 2 > 0", "1 < 2 > 0"),
    ],
)
def test_html_becomes_words(html: str, words: str) -> None:
    assert without_html(html) == words


def test_names_in_our_own_text_call_nobody() -> None:
    assert disarmed(escape("@ada a@b.example #1 https://e ~x $y")) == (
        f"@{G}ada a@{G}b.example #{G}1 https:{G}//e ~{G}x ${G}y"
    )


def test_no_line_is_an_order() -> None:
    assert without_commands("/merge\ntext /x\n//x\n/data") == f"{G}/merge\ntext /x\n//x\n{G}/data"


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_a_phrase_stays_as_it_is(words: str) -> None:
    line = phrase(words)
    assert phrase(line) == line
    assert not set("<>[]()*_`#@|\\~&\n") & set(line)
    assert len(line) <= 120
