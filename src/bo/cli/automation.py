"""`bo automation run`: what rules have still to do, and those of the clock, for cron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo.cli import diagnostics, exit_codes, output
from bo.cli.office import opened
from bo.cli.output import Column
from bo.core.kernel.errors import Refused

if TYPE_CHECKING:
    from bo.cli.asked import Asked

COLUMNS: Final = (Column("applied", "whole"), Column("unchanged", "whole"), Column("refused", "whole"))


class NotHere(Refused):
    """Rules run at the central store, and this is a device of one."""

    code = "not_here"


def run(asked: Asked) -> int:
    """Do all that is to be done, and write how many calls came to what. Raises NotHere on a device."""
    from bo.core.automation.following import Runner

    with opened(asked) as workspace:
        workspace.reader().require("automation_rules.run")
        if not workspace.authority:
            raise NotHere("rules run at the central store, not on a device", hint="bo sync takes in what they did.")
        runner = Runner(workspace)
        runner.follow()
        done = runner.look_at_clock()
        output.record(asked, COLUMNS, [done.applied, done.unchanged, done.refused])
        if done.refused:
            diagnostics.note(asked, "bo automation-rules runs --outcome refused shows why")
    return exit_codes.OK
