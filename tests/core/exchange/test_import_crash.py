"""Imports that are cut off, in processes of their own: nothing is left half, and running again completes it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bo.core.exchange.pipeline import BATCH_ROWS, import_file
from bo.core.exchange.report import ImportOptions
from bo.core.kernel.workspace import Workspace
from bo.core.office import open_office

SOURCE = Path(__file__).parents[3] / "src"
ROWS = 6 * BATCH_ROWS
WAIT_S = 240.0
PROGRAM = """
import sys
from pathlib import Path
from bo.core.exchange.pipeline import import_file
from bo.core.exchange.report import ImportOptions
from bo.core.office import open_office

office, path, rejects = sys.argv[1:]
report = import_file(
    open_office(Path(office)), "leads", path, ImportOptions(rejects=rejects or None),
    progress=lambda rows, share: print(rows, share, flush=True),
)
print(report.counts(), flush=True)
"""


@pytest.fixture
def leads_file(tmp_path: Path) -> Path:
    path = tmp_path / "leads.csv"
    lines = [f"A{place},n{place},1{380_0000_0000 + place}\n" for place in range(ROWS)]
    lines[ROWS // 2] = "bad,bad,bad\n"
    path.write_text("编号,姓名,手机\n" + "".join(lines), "utf-8")
    return path


def start(folder: Path, path: Path, rejects: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PROGRAM, str(folder), str(path), rejects]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONIOENCODING": "utf-8", "BO_BUSY_MS": "60000"}
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)


def kill_when(process: subprocess.Popen[str], ready: Callable[[str], bool]) -> None:
    """Kill the process as soon as it says what is waited for; fail if it never does."""
    assert process.stdout is not None
    with process.stdout:
        assert any(ready(line) for line in process.stdout), "the import was over too soon"
        process.kill()
        assert process.wait(WAIT_S) != 0


def state_of(folder: Path) -> tuple[int, int]:
    """How many leads there are, and how many operations the journal proves to hold."""
    with open_office(folder) as office:
        return office.reader().count("leads"), office.verify()


def mended(path: Path) -> Path:
    path.write_text(path.read_text("utf-8").replace("bad,bad,bad", "mended,mended,"), "utf-8")
    return path


def test_an_import_that_is_killed_while_it_writes_leaves_nothing(office_folder: Path, leads_file: Path) -> None:
    # Given
    before = state_of(office_folder)
    process = start(office_folder, mended(leads_file), "")
    # When it is killed in the transaction, half way through writing
    kill_when(process, lambda line: float(line.split()[1]) > 0.6)
    # Then
    assert state_of(office_folder) == before
    with open_office(office_folder) as office:
        assert import_file(office, "leads", leads_file).counts()["created"] == ROWS
        assert import_file(office, "leads", leads_file).counts()["unchanged"] == ROWS


def test_an_import_with_rejects_that_is_killed_leaves_whole_batches_and_is_completed(
    office_folder: Path, leads_file: Path, tmp_path: Path
) -> None:
    # Given
    rejects = tmp_path / "rejects.csv"
    process = start(office_folder, leads_file, str(rejects))
    # When
    kill_when(process, lambda line: int(line.split()[0]) >= 2 * BATCH_ROWS)
    # Then
    kept, _operations = state_of(office_folder)
    assert kept >= 2 * BATCH_ROWS
    assert kept in {count - (count > ROWS // 2) for count in range(0, ROWS + 1, BATCH_ROWS)}
    assert not rejects.exists()
    with open_office(office_folder) as office:
        report = import_file(office, "leads", leads_file, ImportOptions(rejects=rejects))
        assert report.counts() == {
            "read": ROWS, "created": ROWS - 1 - kept, "updated": 0, "unchanged": kept, "duplicate": 0, "rejected": 1
        }  # fmt: skip
        assert "bad,bad,bad" in rejects.read_text()


def test_two_imports_of_one_file_at_once_make_its_records_once(office_folder: Path, leads_file: Path) -> None:
    # When
    path = mended(leads_file)
    together = [start(office_folder, path, "") for _ in range(2)]
    said = [process.communicate(timeout=WAIT_S)[0].splitlines()[-1] for process in together]
    # Then
    assert [process.returncode for process in together] == [0, 0]
    assert sorted(f"'created': {ROWS}" in line for line in said) == [False, True]
    assert state_of(office_folder)[0] == ROWS


def test_an_error_in_the_middle_of_writing_leaves_nothing(office: Workspace, leads_file: Path) -> None:
    # Given
    before = (office.reader().count("leads"), office.verify())

    def fail(rows: int, share: float | None) -> None:
        if share is not None and share > 0.6:
            raise KeyboardInterrupt

    # When
    with pytest.raises(KeyboardInterrupt):
        import_file(office, "leads", mended(leads_file), progress=fail)
    # Then
    assert (office.reader().count("leads"), office.verify()) == before
