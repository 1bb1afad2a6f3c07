"""What TAB offers, and the scripts that ask for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bo.cli.completion import offered
from tests.cli.running import Desk, command, environment


def words(*typed: str) -> list[str]:
    """What is offered for the last word."""
    return list(offered(typed[:-1], typed[-1]))


def test_the_first_word_is_a_noun_or_a_command_of_the_office() -> None:
    found = words("")

    assert {"leads", "stores", "init", "undo", "op"} <= set(found)
    assert set(words("le")) == {"ledger", "ledger-balances", "leads"}


def test_then_come_the_verbs_of_the_noun() -> None:
    assert {"list", "show", "accept", "assign"} <= set(words("leads", ""))
    assert words("lead", "assi") == ["assign", "assign-by-rule"]
    assert words("op", "") == ["log", "show"]


def test_options_and_their_values() -> None:
    assert "--dry-run" in words("leads", "accept", "--d")
    assert words("leads", "list", "-o", "js") == ["json", "jsonl"]
    assert words("leads", "list", "--output=js") == ["--output=json", "--output=jsonl"]
    assert words("leads", "list", "--fields", "name,cit") == ["name,city"]
    assert words("-o", "json", "leads", "li") == ["list"]


def test_filters_are_completed_by_field_and_value() -> None:
    assert "state:" in words("leads", "list", "st")
    assert words("leads", "list", "state:pend") == ["state:pending_review"]
    assert words("leads", "list", "-state:valid,inv") == ["-state:valid,invalid"]
    assert words("leads", "accept", "--where", "state:pend") == ["state:pending_review"]
    assert words("leads", "list", "sort:-creat") == ["sort:-created_at"]


def test_records_are_completed_from_the_workspace(desk: Desk) -> None:
    desk.well("stores", "add", "--code", "HZ-1", "--name", "West Lake", "-q")
    desk.well("leads", "report", "--name", "王芳", "--phone", "13800138000", "-q")
    (lead,) = desk.well("leads", "list", "-o", "ids").out.split()

    assert words("stores", "show", "HZ") == ["HZ-1"]
    assert words("leads", "assign", "x", "--store", "") == ["HZ-1"]
    assert words("leads", "accept", "") == [lead[-6:]]
    assert words("roles", "list", "--as", "") == ["ann"]


def test_nothing_is_offered_rather_than_an_error(desk: Desk, tmp_path: Path) -> None:
    desk.monkeypatch.setenv("BO_WORKSPACE", str(tmp_path))

    assert desk.well("__complete", "bash", "3", "bo", "stores", "show", "").out == ""
    assert desk.well("__complete", "bash").out == ""
    assert desk.well("__complete", "bash", "2", "bo", "nothing", "").out == ""


def test_each_shell_gets_its_own_form(desk: Desk) -> None:
    line = ("bo", "leads", "list", "state:pend")

    assert desk.well("__complete", "bash", "3", *line).out == "pending_review\n"
    assert desk.well("__complete", "zsh", "3", *line).out == "state\\:pending_review\n"
    assert desk.well("__complete", "fish", "1", "bo", "lea").out.startswith("leads\t")


def test_scripts_are_printed_and_installed(desk: Desk, tmp_path: Path) -> None:
    desk.monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert "complete -o default -F _bo_complete bo" in desk.well("completion", "show", "bash").out
    desk.well("completion", "install", "bash", "-q")

    installed = tmp_path / "bash-completion/completions/bo"
    assert installed.read_text("utf-8") == desk.well("completion", "show", "bash").out
    assert desk.bo("completion", "show", "tcsh").code == 2


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes(desk: Desk, tmp_path: Path) -> None:
    program = tmp_path / "bo"
    program.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in command()) + ' "$@"\n')
    program.chmod(0o755)
    script = desk.well("completion", "show", "bash").out
    ask = 'COMP_WORDS=(bo leads li); COMP_CWORD=2; _bo_complete 2>/dev/null; echo "${COMPREPLY[@]}"'

    ran = subprocess.run(
        ["bash", "-c", f'PATH="{tmp_path}:$PATH"\n{script}\n{ask}'],
        capture_output=True, encoding="utf-8", env=environment(), check=True,
    )  # fmt: skip

    assert ran.stdout == "list\n"
