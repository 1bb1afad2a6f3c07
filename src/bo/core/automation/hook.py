"""What a workspace calls after each commit. It is all that an office without rules ever loads of this module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bo.core.kernel.errors import BoError

if TYPE_CHECKING:
    from bo.core.automation.following import Followed, Runner
    from bo.core.kernel.workspace import Transaction, Workspace

NOUN: Final = "automation_rules"


class Follower:
    """Runs what rules make of a commit, right after it. What it cannot do now, the next commit or `bo automation run`
    does: the journal knows what is still to be done."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self._idle_at = -1  # the version of the office at which it had no rules
        self._runner: Runner | None = None

    @property
    def done(self) -> Followed | None:
        """What rules did since the workspace was opened; None where there was nothing to look at."""
        return self._runner.done if self._runner is not None else None

    def __call__(self, done: Transaction) -> None:
        try:
            if not self.ws.authority or self._is_idle(done):
                return
        except BoError:  # what was committed stands, though nothing can be read now: the next commit asks again
            return
        if self._runner is None:
            from bo.core.automation.following import Runner

            self._runner = Runner(self.ws)
        self._runner.follow_quietly()

    def _is_idle(self, done: Transaction) -> bool:
        """Whether no rule is switched on; asked again only where somebody else has written, or a rule was touched."""
        known = self._idle_at == done.before and NOUN not in done.touched
        if known or not self.ws.database.session.rows("automation:any", _any_rule):
            self._idle_at = done.head.version
            return True
        return False


def _any_rule() -> Any:
    import sqlalchemy as sa

    from bo.core.automation.records import AutomationRule
    from bo.core.kernel.record import info_of
    from bo.core.kernel.tables import table

    made = table(info_of(AutomationRule))
    return sa.select(made.c.n).where(made.c.active.is_(sa.true())).limit(1)
