"""Words for people: translation, and text made safe to show.

English message ids are the source; catalogues live in `bo/locale`. gettext is loaded only when a language other than
English is asked for.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bo.core.kernel.errors import fill

if TYPE_CHECKING:
    from gettext import NullTranslations

LANGUAGES = ("en", "zh_CN")
LOCALE_DIR = Path(__file__).parents[2] / "locale"

WORDS = frozenset(("name", "state", "wanted"))  # facts of messages that hold words of ours: records and states

_language = ""
_spoken: ContextVar[str] = ContextVar("_spoken", default="")


def use_language(name: str) -> None:
    """Choose the language of every text from now on: `en`, `zh_CN`, or a POSIX locale name such as `zh_CN.UTF-8`."""
    global _language
    _language = match_language(name)


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """The language of the texts in a block, whatever the one in use is: for what is written to somebody else."""
    before = _spoken.set(match_language(name))
    try:
        yield
    finally:
        _spoken.reset(before)


def language() -> str:
    """The language in use; decided at first use from `BO_LANG`, `LC_ALL`, `LC_MESSAGES` and `LANG`."""
    if spoken := _spoken.get():
        return spoken
    if not _language:
        wanted = next(
            (os.environ[name] for name in ("BO_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "en"
        )
        use_language(wanted)
    return _language


def match_language(name: str) -> str:
    return "zh_CN" if name.lower().replace("-", "_").startswith("zh") else "en"


def _(message: str, /, **facts: object) -> str:
    """The text in the user's language, with its facts filled in."""
    chosen = language()
    if chosen != "en" and message:
        message = _catalogue(chosen).gettext(message)
        facts = {key: _word(chosen, fact) if key in WORDS else fact for key, fact in facts.items()}
    return fill(message, facts)


def _word(chosen: str, fact: object) -> object:
    """A fact that is a word of ours (a lead, pending_review / valid) in the user's language; anything else as it is."""
    if not isinstance(fact, str) or not fact.isascii():
        return fact
    said = []
    for part in fact.split(" / "):
        plain = part.replace("_", " ")
        word = _catalogue(chosen).gettext(plain) if plain else ""
        said.append(word if word != plain else part)
    return " / ".join(said)


def in_every_language(message: str) -> list[str]:
    """A text and its translations, in small letters: what people may type for it, whichever language they see."""
    return [message.lower(), *(_catalogue(name).gettext(message).lower() for name in LANGUAGES if name != "en")]


@cache
def _catalogue(name: str) -> NullTranslations:
    import gettext

    return gettext.translation("bo", LOCALE_DIR, [name], fallback=True)


_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Text as it may be shown: control, bidi and zero-width characters become visible marks, so data never drives a
    terminal."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(lambda match: "␤" if match[0] == "\n" else "␀" if match[0] == "\0" else "·", text)


def width(text: str) -> int:
    """Cells that the text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(character) for character in text)


def _cell_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
