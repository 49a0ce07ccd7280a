"""From a question to the messages that are sent. Used by the pipeline, the tests and serving alike."""

from pathlib import Path

from project import TOP

FOLDER = TOP / "prompts"


def messages(prompt: str, text: str, question: str) -> list[dict[str, str]]:
    """What the endpoint gets: the prompt as the system's, text and question as the user's."""
    return [
        {"role": "system", "content": instructions(prompt)},
        {
            "role": "user",
            "content": f"Text: {' '.join(text.split())}\n\nQuestion: {' '.join(question.split())}",
        },
    ]


def instructions(prompt: str) -> str:
    """The text of `prompts/<prompt>.md`.

    Raises:
        ValueError: there is no such prompt.
    """
    if prompt not in names():
        raise ValueError(f"no prompt `{prompt}`: there are {', '.join(names())}")
    return Path(FOLDER, f"{prompt}.md").read_text(encoding="utf-8").strip()


def names() -> list[str]:
    """Of all prompts."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))
