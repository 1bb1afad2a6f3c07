"""Typing at the bottom: the live filter and the `:` line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bo.core.kernel.errors import BoError
from bo.core.kernel.text import _
from bo.tui.typed import row_number

if TYPE_CHECKING:
    from bo.tui.prompt import Prompt, Told
    from bo.tui.screen import BoApp

TYPING_S = 0.03
PAUSE_S = 0.09
OFFERS_SHOWN = 12


class TypingLine:
    """Opens the prompt and acts on what is typed: a filter at once, a command when it is entered."""

    def __init__(self, app: BoApp) -> None:
        self._app = app
        self._prompt: Prompt | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._changed_at = 0.0
        self._wanted: tuple[str, str] | None = None

    @property
    def is_ready(self) -> bool:
        return self._prompt is not None

    @property
    def is_open(self) -> bool:
        return self._prompt is not None and self._prompt.display

    async def prepare(self) -> None:
        """Have the prompt ready and out of sight, so that opening it takes no time in which a key could go astray."""
        from bo.tui.prompt import Prompt

        prompt = Prompt(self._app.looks, self._told, self._app.keyboard.pressed)
        prompt.display = False
        await self._app.screen_stack[0].mount(prompt, after=self._app.message)
        self._prompt = prompt
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.open(*wanted)
            self._app.release_keys()

    def open(self, label: str, text: str) -> None:
        """Take the keyboard for a filter (`/`) or a command (`:`)."""
        prompt = self._prompt
        if prompt is None:
            # It is on its way. What is typed behind must wait for it, or it would act on records.
            self._wanted = (label, text)
            self._app.hold_keys()
            return
        # What was said before is answered; behind the line it would stand there for ever.
        self._app.say("")
        self._app.message.display = False
        if label == "/":
            self._app.browser.begin_typing()
        prompt.open(label, text, self._complete_filter if label == "/" else self._app.actions.complete)

    def _told(self, told: Told) -> None:
        """Something happened in the prompt."""
        match told.what:
            case "changed":
                self._changed(told.label, told.text)
            case "accepted":
                self._close()
                if told.label == "/":
                    self._app.browser.accept_typing(told.text.strip())
                else:
                    self._enter(told.text)
            case "given_up":
                self._close()
                if told.label == "/":
                    self._app.browser.give_up_typing()
            case "offered":
                words = "  ".join(offer.rpartition(" ")[2] for offer in told.offers[:OFFERS_SHOWN])
                self._app.foot.put([(f" {words}", "dim")])

    def _changed(self, label: str, text: str) -> None:
        """A key after a pause asks at once; keys that follow fast ask 30 ms after the last, as one question."""
        if label != "/":
            return
        self._cancel_timer()
        loop = asyncio.get_running_loop()
        paused = loop.time() - self._changed_at > PAUSE_S
        self._changed_at = loop.time()
        if paused:
            self._app.browser.typed(text)
        else:
            self._timer = loop.call_later(TYPING_S, self._app.browser.typed, text)

    def _enter(self, text: str) -> None:
        app = self._app
        text = text.strip()
        number = row_number(text)
        if not text:
            return
        if number is not None:
            app.table.move_to(number - 1)
            return
        word, _space, rest = text.partition(" ")
        found = app.actions.worded(word)
        # A word that several commands share means the one that the record allows now.
        possible = [action for action in found if action.enabled()] or found
        if not found:
            app.say(_("There is no command {word}; Tab shows what there is", word=word), "bad")
        elif len({action.word for action in possible}) > 1:
            app.say(_("{word} could be {words}", word=word, words=", ".join(action.word for action in possible)), "bad")
        else:
            try:
                app.do(possible[0], rest.strip())
            except BoError as error:
                app.trouble(error)

    def _complete_filter(self, text: str) -> list[str]:
        lead, space, last = text.rpartition(" ")
        offers = [f"{key}:" for key in self._app.column_keys()] + [f"sort:{key}" for key in self._app.column_keys()]
        return [lead + space + offer for offer in offers if offer.startswith(last) and offer != last]

    def _close(self) -> None:
        self._cancel_timer()
        if self._prompt is not None:
            self._prompt.display = False
        self._app.message.display = True
        self._app.screen.set_focus(self._app.table)
        self._app.settle_soon()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
