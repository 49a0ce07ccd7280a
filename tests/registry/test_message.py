"""A tag's message: for people first, for programs whole."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.registry import message
from git_mlops.registry.message import MARK, Message


def test_a_message_has_title_words_trailers_and_facts() -> None:
    said = Message("model: m v1.0.0", "two\n\nparagraphs", (("Mlops-Run", "abc"),), {"a": [1]})
    text = message.render(said)
    assert text == (
        "model: m v1.0.0\n\ntwo\n\nparagraphs\n\nMlops-Run: abc\n\n"
        f'{MARK}\n{{\n "version": 1,\n "a": [\n  1\n ]\n}}\n'
    )
    assert message.parse(text) == said._replace(facts={"version": 1, "a": [1]})


def test_a_signature_behind_it_is_no_part_of_it() -> None:
    text = message.render(Message("t", facts={"a": 1}))
    for kind in ("SSH SIGNATURE", "PGP SIGNATURE"):
        signed = f"{text}-----BEGIN {kind}-----\nAAAA\n-----END {kind}-----\n"
        assert message.parse(signed) == message.parse(text)


def test_a_tag_that_is_not_ours_has_words_and_no_facts() -> None:
    assert message.parse("Registering\n\nby hand\n") == Message("Registering", "by hand")
    assert message.parse(f"t\n\n{MARK}\nnot json\n").facts == {}
    assert message.parse(f"t\n\n{MARK}\n[1]\n").facts == {}


def test_keys_of_later_versions_are_kept() -> None:
    text = f"t\n\n{MARK}\n{json.dumps({'version': 2, 'new': {'x': 1}})}\n"
    assert message.parse(text).facts == {"version": 2, "new": {"x": 1}}


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=3))
@settings(max_examples=100)
def test_whatever_the_user_writes_the_facts_come_back(text: str, facts: dict[str, str]) -> None:
    wanted = {key: value for key, value in facts.items() if key != "version"}
    for words in (text, f"{MARK}\n{text}", f"-----BEGIN SSH SIGNATURE-----\n{text}"):
        rendered = message.render(Message("t", words, (("Mlops-Run", "k"),), wanted))
        content = rendered.encode("utf-8", "backslashreplace").decode()
        found = message.parse(content)
        assert (found.title, found.trailers) == ("t", (("Mlops-Run", "k"),))
        assert found.facts == {"version": 1, **wanted}
