"""The door to the screen. It loads Textual while the first rows are already being read.

What must be refused (no office, no such operator, no permission) is refused here, before the terminal is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bo.core.kernel.errors import NotAllowed, UsageError
from bo.core.kernel.text import language
from bo.tui.browse import Browser
from bo.tui.keys import GO_KEYS
from bo.tui.lane import Lane
from bo.tui.source import Desk, Library, ScreenOptions, Standing

if TYPE_CHECKING:
    from bo.core.kernel.workspace import Workspace


def run(
    folder: Path,
    *,
    operator: str = "",
    filter_text: str = "",
    noun: str = "",
    theme: str = "",
    ascii_only: bool = False,
    lang: str = "",
) -> None:
    """Run the screen on the office of a folder until it is left. It begins with records of `noun`, or else with the
    first that the operator may read and that there is something of.

    Raises:
        Configuration: there is no office, or no such operator.
        UsageError: there are no such records.
        NotAllowed: the operator may not read these records.
    """
    import gc

    gc.disable()  # until the first paint; see `run_screen`

    from bo.core.office import open_office
    from bo.tui.office import OfficeDesk, OfficeLibrary

    workspace = open_office(folder, operator=operator)
    who = workspace.who()
    noun = noun or _first_place(workspace)
    if noun not in ("leads", "conflicts", *workspace.registry.nouns):
        workspace.close()
        raise UsageError("there are no records called {noun}", hint="bo --help lists them.", noun=noun)
    if not who.may(f"{noun}.read"):
        workspace.close()
        raise NotAllowed("{actor} may not {permission}", actor=who.name, permission=f"{noun}.read")
    name = folder.resolve().name
    plain = ascii_only or not _speaks_unicode()
    screen_file = _screen_file()
    _speak(lang, screen_file)
    environment = {"BO_WORKSPACE": str(folder.resolve()), "BO_OPERATOR": who.id, "BO_LANG": language()}
    run_screen(
        lambda: OfficeLibrary(workspace),
        lambda: OfficeDesk(open_office(folder, operator=operator), name),
        Standing(name, who.name),
        ScreenOptions(theme, plain, _keys_file(folder), screen_file, filter_text, noun=noun, environment=environment),
    )


def _first_place(workspace: Workspace) -> str:
    """Leads, or where there are none yet orders; else the first that the operator may read."""
    reader = workspace.reader()
    places = [place for place in dict.fromkeys(("leads", "orders", *GO_KEYS)) if reader.actor.may(f"{place}.read")]
    filled = (place for place in places if place in ("leads", "orders") and reader.page(place, "", limit=1).rows)
    return next(filled, places[0] if places else "leads")


def run_screen(
    open_library: Callable[[], Library],
    open_desk: Callable[[], Desk],
    standing: Standing,
    options: ScreenOptions | None = None,
) -> None:
    """Run the screen until it is left. `open_library` and `open_desk` are called once, each in its own thread."""
    import gc

    # What is imported lives to the end: walking it again and again costs a tenth of the start.
    gc.disable()
    options = options or ScreenOptions()
    lane, browser = reading(open_library, options.noun)
    browser.open(options.filter_text, options.sort)

    from bo.tui.screen import BoApp

    app = BoApp(browser, lane, open_desk, standing, options)
    app.run()
    if app._exception is not None:
        raise app._exception
    if app.return_code:
        raise SystemExit(app.return_code)


def reading(open_library: Callable[[], Library], noun: str = "leads") -> tuple[Lane[Library], Browser]:
    """The reading thread, and what browses through it."""
    lane: Lane[Library] = Lane("bo-reading", open_library, _interrupt)
    return lane, Browser(lane, noun)


def _interrupt(library: Library) -> None:
    library.interrupt()


def _speaks_unicode() -> bool:
    import locale
    import os

    in_browser = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")
    return in_browser or "utf" in locale.getencoding().lower()


def _speak(lang: str, screen_file: str) -> None:
    """The language that was asked for, or else the one chosen on the screen before."""
    import os

    from bo.core.kernel.text import use_language
    from bo.tui.remembered import Remembered

    remembered = Remembered(screen_file).get("language")
    if remembered and not lang and not os.environ.get("BO_LANG"):
        use_language(remembered)


def _screen_file() -> str:
    from platformdirs import user_config_dir

    return str(Path(user_config_dir("bo", appauthor=False)) / "screen.toml")


def _keys_file(folder: Path) -> str:
    """The workspace's own keys, or else the user's."""
    from platformdirs import user_config_dir

    own = folder / "keys.toml"
    return str(own if own.is_file() else Path(user_config_dir("bo", appauthor=False)) / "keys.toml")
