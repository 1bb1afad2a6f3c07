"""Texts in the user's language, and the words of ours among their facts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bo.core.kernel import text
from bo.core.kernel.text import _, use_language, visible


@pytest.fixture
def chinese() -> Iterator[None]:
    use_language("zh_CN")
    yield
    use_language("en")


@pytest.mark.usefixtures("chinese")
def test_records_and_states_inside_a_message_are_said_in_its_language() -> None:
    said = _("{name} {id}: not possible while it is {state}", name="lead", id="7f3k", state="pending_review")
    assert said == "线索 7f3k：处于“待审核”时不能这样做"
    assert _("It must be {wanted}.", wanted="valid / pending_review") == "必须是 有效 / 待审核。"


@pytest.mark.usefixtures("chinese")
def test_facts_of_users_stay_as_they_are() -> None:
    assert "my_file.csv" in _("{name} cannot be written: {reason}", name="my_file.csv", reason="no room")


def test_english_says_what_is_typed() -> None:
    assert _("It must be {wanted}.", wanted="pending_review") == "It must be pending_review."


def test_what_could_drive_a_terminal_is_shown_as_a_mark() -> None:
    assert [visible(item) for item in ("a\x1b[31mb", "a\u202eb", "a\u2028b", "a\nb", "中文")] == [
        "a·[31mb", "a·b", "a·b", "a␤b", "中文",
    ]  # fmt: skip
    assert text.width("中文a") == 5
