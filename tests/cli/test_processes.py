"""What only a process shows: exit codes, pipes, signals, the environment, two at once, and what a start imports."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bo.cli import output
from bo.cli.main import Invocation
from tests.cli.running import ROLES, command, environment, process

posix = pytest.mark.skipif(os.name == "nt", reason="signals and /dev are POSIX")


class Terminal(io.StringIO):
    """Somebody at the keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def env(office: Path) -> dict[str, str]:
    return {"BO_WORKSPACE": str(office)}


def test_a_bare_bo_without_a_terminal_is_help_and_exit_2(env: dict[str, str]) -> None:
    ran = process(env=env)

    assert ran.returncode == 2
    assert ran.stdout.startswith("Usage: bo ")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [([], []), (["--lang", "en"], ["lang"]), (["-w", "office", "--color=never"], ["workspace", "color"])],
)
def test_options_alone_open_the_screen_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, options: list[str], told: list[str]
) -> None:
    opened: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(Invocation, "run", lambda self, leaf, _asked: opened.append((leaf.command, [*self.before])))

    assert Invocation().perform(options) == 0
    assert opened == [("tui", told)]


def test_options_alone_without_a_terminal_are_help_and_exit_2(env: dict[str, str]) -> None:
    ran = process("--lang", "zh_CN", env=env)

    assert (ran.returncode, ran.stdout) == (2, process("--lang", "zh_CN", "--help", env=env).stdout)


def test_help_and_version_are_data(env: dict[str, str]) -> None:
    assert process("--help").returncode == 0
    assert process("--version").stdout.startswith("bo ")
    ran = process("leads", "accept", "--help")
    assert ran.returncode == 0
    assert ran.stderr == ""
    assert "--dry-run" in ran.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("lead", "lst"), 2, "bo: there is no command bo lead lst. Near it: list."),
        (("nothing",), 2, "bo: there is no command bo nothing."),
        (("roles", "list", "--colour"), 2, "bo: roles.list: no such option: --colour"),
        (("roles", "list", "-o", "xml"), 2, "bo: roles.list: there is no output format xml."),
        (("roles", "show", "nobody"), 66, "bo: roles.show: there is no role nobody."),
        (("roles", "add"), 2, "bo: roles.add: roles.add needs code."),
        (("roles", "add", "--code", "admin"), 76, "bo: roles.add: there already is a role with code admin"),
        (("leads", "import", "missing.csv"), 65, "bo: leads.import: "),
        (("roles", "list", "--as", "nobody"), 78, "bo: roles.list: there is no operator nobody"),
        (("roles", "list", "--workspace", "nowhere"), 78, "bo: roles.list: there is no office in nowhere."),
    ],
)
def test_each_failure_has_its_code_and_one_line(
    env: dict[str, str], words: tuple[str, ...], code: int, said: str
) -> None:
    ran = process(*words, env=env)

    assert (ran.returncode, ran.stdout) == (code, "")
    assert ran.stderr.startswith(said)
    assert ran.stderr.count("\n") == 1


def test_without_a_workspace_it_says_how_to_choose_one(tmp_path: Path) -> None:
    ran = process("roles", "list", env={"BO_WORKSPACE": ""}, cwd=tmp_path)

    assert ran.returncode == 78
    assert "bo init DIR" in ran.stderr


def test_an_office_in_the_present_folder_is_found(office: Path) -> None:
    assert process("roles", "count", env={"BO_WORKSPACE": ""}, cwd=office).stdout == f"{ROLES}\n"


def test_a_reader_that_leaves_is_no_error(env: dict[str, str]) -> None:
    for words in (("roles", "list"), ("--help",), ("roles", "list", "-o", "json")):
        with subprocess.Popen(
            command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(env)
        ) as writer:
            assert writer.stdout is not None
            assert writer.stderr is not None
            writer.stdout.close()
            said = writer.stderr.read()
            writer.wait(240)
        assert (writer.returncode, said) == (141, b"")


@posix
def test_output_that_has_no_room_is_told(env: dict[str, str]) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            command("roles", "list"), stdout=full, stderr=subprocess.PIPE, env=environment(env), check=False
        )

    assert ran.returncode == 75
    assert ran.stderr == b"bo: roles.list: there is no room where the output goes. Free some space.\n"


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_keeps_what_was_committed(env: dict[str, str], number: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        command("batch", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        text=True,
    ) as batch:
        assert batch.stdin is not None
        assert batch.stdout is not None
        batch.stdin.write('{"command": "roles.add", "args": {"code": "kept"}}\n')
        batch.stdin.flush()
        assert '"outcome":"applied"' in batch.stdout.readline()
        batch.send_signal(number)
        batch.wait(60)
        assert batch.stderr is not None
        assert "Traceback" not in batch.stderr.read()

    assert batch.returncode == code
    assert process("roles", "count", "code:kept", env=env).stdout == "1\n"


def test_another_writer_means_try_again(env: dict[str, str], office: Path) -> None:
    from bo.core.kernel.database import SqliteDatabase

    holder = SqliteDatabase(office / "office.db")
    with holder.writing():
        ran = process("roles", "add", "--code", "x", "-o", "json", env={**env, "BO_BUSY_MS": "100"})
        assert ran.returncode == 75
        assert '"retryable": true' in ran.stderr
        assert process("roles", "count", env=env).stdout == f"{ROLES}\n"
    holder.close()


def test_how_long_to_wait_for_another_writer_can_be_said(env: dict[str, str], office: Path) -> None:
    from bo.core.kernel.database import SqliteDatabase

    holder = SqliteDatabase(office / "office.db")
    with holder.writing():
        ran = process("roles", "add", "--code", "x", "--wait", "0.2s", env={**env, "BO_BUSY_MS": "3600000"})
        assert ran.returncode == 75
    holder.close()
    assert process("roles", "add", "--code", "x", "--wait", "soon", env=env).returncode == 2


def test_two_writers_at_once_both_arrive(env: dict[str, str]) -> None:
    writers = [
        subprocess.Popen(command("roles", "add", "--code", f"r{number}", "-q"), env=environment(env))
        for number in range(4)
    ]

    assert [writer.wait(240) for writer in writers] == [0, 0, 0, 0]
    assert process("roles", "count", env=env).stdout == f"{ROLES + 4}\n"


@pytest.mark.parametrize(
    ("more", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "BO_COLOR": "always"}, True),
    ],
)
def test_one_decision_about_colour(env: dict[str, str], more: dict[str, str], coloured: bool) -> None:
    ran = process("roles", "list", "-o", "table", env={**env, **more})

    assert ("\x1b[" in ran.stdout) is coloured


def test_the_flag_decides_about_colour_before_anything_else(env: dict[str, str]) -> None:
    words = ("roles", "list", "-o", "table", "--color")

    assert "\x1b[" in process(*words, "always", env={**env, "NO_COLOR": "1"}).stdout
    assert "\x1b[" not in process(*words, "never", env={**env, "FORCE_COLOR": "1"}).stdout
    assert process(*words, "maybe", env=env).returncode == 2


def test_options_may_stand_before_the_command(office: Path) -> None:
    ran = process("-w", str(office), "-o", "json", "roles", "list", "code:admin", "--fields", "code")

    assert ran.stdout == '[\n {"code":"admin"}\n]\n'


def test_texts_are_in_the_language_that_was_asked_for_and_codes_are_not(env: dict[str, str]) -> None:
    ran = process("roles", "show", "nobody", "-o", "json", env={**env, "LANG": "zh_CN.UTF-8"})

    assert ran.returncode == 66
    assert '"code": "not_found"' in ran.stderr


@posix
def test_a_command_killed_in_the_middle_leaves_all_or_nothing(env: dict[str, str]) -> None:
    with subprocess.Popen(
        command("batch", "-", "--chunk", "50"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(env),
        text=True,
    ) as batch:
        assert batch.stdin is not None
        assert batch.stdout is not None
        for number in range(120):
            batch.stdin.write(f'{{"command": "roles.add", "args": {{"code": "r{number:03}"}}}}\n')
        batch.stdin.flush()
        batch.stdout.readline()
        time.sleep(0.01)
        batch.kill()
        batch.wait(60)

    count = int(process("roles", "count", env=env).stdout) - ROLES
    assert count in (50, 100)
    assert process("doctor", env=env).returncode == 0


def loaded_by(*words: str, env: dict[str, str]) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bo", *words],
        capture_output=True, encoding="utf-8", env=environment(env), check=True,
    )  # fmt: skip
    return {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}


def test_help_loads_no_module_of_the_office(env: dict[str, str]) -> None:
    for words in (("--help",), ("leads", "--help"), ("leads", "report", "--help"), ("help", "exit-codes")):
        loaded = loaded_by(*words, env=env)
        strange = {name for name in loaded if name.startswith(("bo.core.leads", "bo.core.office", "bo.tui"))}
        assert strange == set(), words
        assert not loaded & {"msgspec", "sqlalchemy", "textual", "rich", "sqlcipher3"}, words


def test_tab_loads_not_even_the_parser(env: dict[str, str]) -> None:
    loaded = loaded_by("__complete", "bash", "2", "bo", "leads", "as", env=env)

    assert not loaded & {"typer", "msgspec", "bo.core.office", "bo.core.leads.records"}


def test_a_list_that_was_asked_before_loads_no_sqlalchemy(env: dict[str, str]) -> None:
    process("leads", "list", "state:valid", "--limit", "5", "-o", "json", env=env)

    loaded = loaded_by("leads", "list", "state:pending_review", "--limit", "20", "-o", "json", env=env)

    assert not {name.partition(".")[0] for name in loaded} & {"sqlalchemy", "textual", "rich", "phonenumbers"}
    assert "bo.core.leads.commands" not in loaded
