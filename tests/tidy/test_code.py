"""The house rules hold in every file, and each of them sees what it is there to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import LONGEST
from tests.tidy import rules
from tests.tidy.code import Module, modules
from tests.tidy.rules import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    assert [wrong for module in modules() for wrong in rule(module)] == []


def test_the_tests_that_begin_first_are_there(project: Path) -> None:
    assert [name for name in LONGEST if not (project / "tests" / name).is_file()] == []


COMMANDS = "src/bo/core/leads/commands.py"
BREACHES: tuple[tuple[Rule, str, str], ...] = (
    (rules.has_docstring, "src/bo/a.py", "x = 1\n"),
    (rules.has_future_annotations, "src/bo/a.py", "def f() -> None: ...\n"),
    (rules.has_future_annotations, COMMANDS, "from __future__ import annotations\n"),
    (rules.is_short, "src/bo/a.py", "\n" * 601),
    (rules.is_short, "src/bo/a.py", "def f():\n" + "    x = 1\n" * 70),
    (rules.has_a_telling_name, "src/bo/core/utils.py", ""),
    (rules.has_a_telling_name, "src/bo/tui/screen_helpers.py", ""),
    (rules.is_silent, "src/bo/cli/main.py", "print(1)\n"),
    (rules.is_silent, "src/bo/cli/main.py", "import sys\nsys.stdout.write('x')\n"),
    (rules.starts_light, "src/bo/cli/main.py", "import sqlalchemy.orm\n"),
    (rules.starts_light, "src/bo/cli/main.py", "try:\n    from textual.app import App\nexcept ImportError: ...\n"),
    (rules.runs_everywhere, "src/bo/cli/main.py", "import fcntl\n"),
    (rules.counts_money_whole, "src/bo/core/leads/rules.py", "x = float('1.5')\n"),
    (rules.is_replayable, COMMANDS, "from datetime import datetime\nx = datetime.now()\n"),
    (rules.is_replayable, "src/bo/core/leads/rules.py", "def f():\n    import random\n"),
    (rules.is_replayable, COMMANDS, "text = open('x').read()\n"),
    (rules.keeps_the_decorator_budget, COMMANDS, "@command(needs='a.b', audit=True)\ndef f(tx): 'Do.'\n"),
    (rules.keeps_the_decorator_budget, COMMANDS, "@command(needs='a.b')\ndef f(tx): ...\n"),
)


@pytest.mark.parametrize(("rule", "path", "text"), BREACHES)
def test_a_breach_is_seen_once(rule: Rule, path: str, text: str) -> None:
    assert len(list(rule(Module(path, text)))) == 1


HARMLESS: tuple[tuple[Rule, str, str], ...] = (
    (rules.has_future_annotations, COMMANDS, "def f(tx) -> None: ...\n"),
    (rules.has_future_annotations, "src/bo/core/leads/__init__.py", '"""Leads."""\n'),
    (rules.is_silent, "src/bo/cli/main.py", "import sys\nif sys.stdout.isatty(): ...\n"),
    (rules.is_silent, "src/bo/cli/output.py", "print(1)\n"),
    (rules.starts_light, "src/bo/cli/main.py", "def f():\n    import sqlalchemy\n"),
    (rules.starts_light, "src/bo/cli/main.py", "if TYPE_CHECKING:\n    import sqlalchemy\n"),
    (rules.is_replayable, COMMANDS, "def f(tx):\n    return tx.now\n"),
    (rules.is_replayable, "src/bo/core/kernel/ids.py", "import time\n"),
)


@pytest.mark.parametrize(("rule", "path", "text"), HARMLESS)
def test_what_is_allowed_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module(path, text))) == []
