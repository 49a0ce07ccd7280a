"""Commit messages of experiments: written and read back, also those of strangers."""

from hypothesis import given
from hypothesis import strategies as st

from git_mlops.experiments import message
from git_mlops.experiments.message import Message

KEY = "ab" * 32


@given(
    st.text(max_size=30).map(message.clean).filter(lambda t: "\n" not in t and t != ""),
    st.text(max_size=200).map(message.clean),
    st.sampled_from([KEY, None]),
    st.sampled_from(message.STATUSES),
    st.booleans(),
)
def test_a_message_comes_back(
    title: str, text: str, key: str | None, status: message.Status, older: bool
) -> None:
    said = Message(title, text, key, status, 1, older)
    assert message.parse_message(message.format_message(said)) == said


def test_the_whole_text_is_as_documented() -> None:
    said = Message(
        message.title("quiet-otter", {"acc": 0.93123456, "loss": 0.21, "note": "x"}), "why", KEY, "failed"
    )
    assert message.format_message(said) == (
        "exp: quiet-otter  acc=0.93123 loss=0.21\n\nwhy\n\n"
        f"Mlops-Run: {KEY}\nMlops-Status: failed\nMlops-Version: 1\n"
    )


def test_a_message_of_dvc_has_no_trailers() -> None:
    assert message.parse_message("dvc: commit experiment 1f\n") == Message("dvc: commit experiment 1f")


def test_trailers_in_the_middle_are_the_users_text() -> None:
    text = "t\n\nMlops-Status: failed\n\nlast words\n"
    assert message.parse_message(text) == Message("t", "Mlops-Status: failed\n\nlast words")


def test_a_user_cannot_forge_the_status() -> None:
    said = Message("t", "Mlops-Status: finished\nMlops-Run: forged", KEY, "failed", 1)
    assert message.parse_message(message.format_message(said)) == said


_PIECES = st.sampled_from(
    ["t", "\n", "\n\n", "two words", f"Mlops-Run: {KEY}\n", "Mlops-Run: zz\n", "Mlops-Status: failed\n",
     "Mlops-Status: running\n", "Mlops-Version: 1\n", "Mlops-Data: changed\n", "\r", "\u2028", " "]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=9).map("".join))
def test_a_message_as_we_write_it_is_read_as_any_other(content: str) -> None:
    whole = f"title\n\n{content}Mlops-Status: failed\nMlops-Version: 1\n"
    for one in (content, whole):
        assert message.parse_message(one) == message.parse_message(
            "\n" + one
        )  # the second takes the long way
