"""Personal data by its looks: what is one, and what only looks like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.tables.kinds import KINDS, iban, luhn, of_text

REAL = {
    "email": ["ada@example.org", "write to <ada.lovelace+x@mail.example.co.uk>, please"],
    "phone": ["+32 470 12 34 56", "+14155552671", "call +44 (20) 7946-0958", "0032 470 12 34 56"],
    "card": ["4111111111111111", "5500 0055 5555 5559", "3782 822463 10005", "6011-1111-1111-1117"],
    "iban": ["BE68 5390 0754 7034", "DE89370400440532013000", "to GB29 NWBK 6016 1331 9268 19"],
    "AWS keys": ["AKIAIOSFODNN7EXAMPLE", "key=AKIAIOSFODNN7EXAMPLE;"],
    "GitHub tokens": ["ghp_" + "a1B2" * 9, "github_pat_" + "a1_B2" * 10],
    "private keys": ["-----BEGIN RSA PRIVATE KEY-----", "x\n-----BEGIN PRIVATE KEY-----\ny"],
    "JSON web tokens": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"],
    "Hugging Face tokens": ["hf_" + "aB" * 17],
}
HARMLESS = [
    "", "a", "icon@2x.png", "pkg@1.2.3", "@ada", "git@github.com:ada/x.git", "1,5@2", "a@b", "model@v1.0.0",
    "4111111111111112", "411111111111111", "0.4111111111111111", "41111111111111110000", "4000000000000000.5",
    "20240101123456", "1700000000", "1700000000000", "9780306406157", "490154203237518", "0000000000000000",
    "+1.0", "+123456", "+50.85033960", "2024-01-01T00:00:00+0530", "2024-01-01 00:00:00+00:00", "12-34-56",
    "+1 / -3", "5550000001", "192.168.100.200", "1-800", "00000000000", "1e+12345678",
    "DE00370400440532013000", "AB12 3456 XY", "BE68", "550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e", "sk-learn", "hf_model", "ghp_short", "AKIA", "eyJ.eyJ.x",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REAL.items() for text in texts])
def test_what_is_one_is_found(kind: str, text: str) -> None:
    assert KINDS[kind].exact(text)
    assert of_text(text) == kind


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert of_text(text) is None


@settings(max_examples=100)
@given(st.text(alphabet="0123456789", min_size=2, max_size=20))
def test_luhn_tells_every_single_wrong_digit(digits: str) -> None:
    right = [f"{digits}{last}" for last in range(10) if luhn(f"{digits}{last}")]
    assert len(right) == 1
    wrong = f"{right[0][:-2]}{(int(right[0][-2]) + 1) % 10}{right[0][-1]}"
    assert not luhn(wrong)


@settings(max_examples=100)
@given(st.integers(4, 15), st.sampled_from("123456789"))
def test_an_iban_with_one_other_digit_is_none(at: int, other: str) -> None:
    good = "BE68539007547034"
    assert iban(f"{good[:at]}{other}{good[at + 1 :]}") == (good[at] == other)
