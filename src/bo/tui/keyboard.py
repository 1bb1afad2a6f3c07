"""Keys on their way: to the table, to a prompt, to a form; held while something opens, never lost and never doubled.

A key that is held down too long opens a form and would then type itself into it: repeats of it are dropped for a while.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events
from textual.message_pump import MessagePump

from bo.core.kernel.text import _
from bo.tui.actions import Action, key_label, not_now
from bo.tui.keys import from_input_method, key_name
from bo.tui.looks import Span
from bo.tui.words import state_words

if TYPE_CHECKING:
    from bo.tui.screen import BoApp

HELD_KEY_S = 1.0
DIGEST_S_MAX = 0.3

HandOn = Callable[[events.Event], Awaitable[None]]


class Keyboard:
    """Takes every key of the screen. `hand_on` gives one to what has the focus."""

    def __init__(self, app: BoApp, hand_on: HandOn) -> None:
        self._app = app
        self._hand_on = hand_on
        self._held_key = ""
        self._held_until = 0.0
        self._last_key = ""
        self._waits = False
        self._typed_ahead: deque[events.Key] = deque()

    async def take(self, event: events.Key) -> None:
        """Deal with a key, or keep it until what it waits for is there."""
        if self._waits or self._typed_ahead:
            self._typed_ahead.append(event)
        else:
            await self._deal(event)

    def hold(self) -> None:
        """Something is opening, or a form has been sent: keys wait for what they are meant for."""
        self._waits = True

    def release(self, *, drop: bool = False) -> None:
        """What keys waited for is there. Those typed behind a form that came back with a complaint are dropped."""
        self._waits = False
        if drop:
            self._typed_ahead.clear()
        self._app.call_later(self._catch_up)

    def hold_back_repeats(self) -> None:
        """Ignore the key that was pressed last until another one comes, at most a second."""
        self._held_key = self._last_key
        self._held_until = asyncio.get_running_loop().time() + HELD_KEY_S

    def pressed(self, event: events.Key) -> bool:
        """Do what a key means at the table; returns whether it means anything there."""
        app, name = self._app, key_name(event.key, event.character)
        begun = app.actions.pending
        self._last_key = event.key
        if name == "escape":
            self._escape()
        elif from_input_method(name):
            app.say("输入法未关闭 / IME is on", "warn")
        elif (found := app.actions.press(name)) is None:
            listed = [(f"{key} {action.title}", "text") for key, action in app.actions.continuations()]
            spans: list[Span] = [(f" {app.actions.pending}… ", "key")]
            app.message.put([*spans, *((f"{text}  ", "dim") for text, _tone in listed)])
        elif found:
            if begun:
                app.say("")
            self._do_one_of(found)
        elif event.is_printable:
            app.say(_("{key} means nothing here; ? shows the keys", key=key_label(name)), "dim")
        else:
            return False
        return True

    def _do_one_of(self, found: list[Action]) -> None:
        app = self._app
        possible = [action for action in found if action.enabled() or action.says_why]
        if possible:
            app.do(possible[0])
        elif found[0].command is not None:
            app.say(not_now(found[0], state_words(app.states_here())), "warn")
        else:
            app.say(_("Not now: {title}", title=found[0].title), "dim")

    def _escape(self) -> None:
        app = self._app
        begun = app.actions.give_up() or app.marking.drop_range() or app.reading.close()
        if begun or not (app.has_desk and app.triage.stop()):
            app.say("")

    async def _deal(self, event: events.Key) -> None:
        # Keys for the table are dealt with here and not in the table's own queue: when one opens a prompt or a form,
        # the next one, however fast it was typed, already goes there.
        app = self._app
        at_table = len(app.screen_stack) == 1 and not app.typing.is_open
        if self._held_down(event) or (at_table and self.pressed(event)):
            return
        # A key climbs from its field to the screen, one queue after the other.
        path = app.focused.ancestors_with_self if app.focused is not None else [app.screen]
        takers = [pump for pump in path if pump is not app]
        await self._hand_on(event)
        await _digested(takers)

    async def _catch_up(self) -> None:
        # One at a time: between two keys the screen has to see to what the first one set off.
        if self._typed_ahead and not self._waits:
            await self._deal(self._typed_ahead.popleft())
            self._app.call_later(self._catch_up)

    def _held_down(self, event: events.Key) -> bool:
        """A key held down too long opens a form and then types itself into it."""
        held = event.key == self._held_key and asyncio.get_running_loop().time() < self._held_until
        if not held:
            self._held_key = ""
        return held


async def _digested(takers: Sequence[MessagePump]) -> None:
    """Wait until a key has been dealt with by what it went to, so that fast typing stays in order across fields.

    Textual hands a key on and looks at the next one before the first has moved the focus.
    """
    for taker in takers:
        done = asyncio.Event()
        if taker.call_later(done.set):
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(done.wait(), DIGEST_S_MAX)
