"""Settings and where they come from: a flag, `BO_*`, `bo.toml` in the workspace, the user's own file, or a default,
in that order.

The user's file is `bo/bo.toml` in the place where the system keeps settings (`~/.config` on Linux). What cannot be
read is a Configuration error: a setting that is silently ignored would be worse.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bo.core.kernel.errors import Configuration, UsageError

DATABASE_NAME: Final = "office.db"
FILE_NAME: Final = "bo.toml"


class Setting:
    """One setting. `variable` is its name in the environment."""

    __slots__ = ("default", "help", "in_files", "name", "variable")

    def __init__(self, name: str, variable: str, default: str, help_text: str, *, in_files: bool = True) -> None:
        self.name = name
        self.variable = variable
        self.default = default
        self.help = help_text
        self.in_files = in_files  # false where reading a file for it would cost every start


SETTINGS: Final = (
    Setting("workspace", "BO_WORKSPACE", "", "folder of the office to work in"),
    Setting("operator", "BO_OPERATOR", "", "who is at the keyboard"),
    Setting("lang", "BO_LANG", "", "language of texts: en or zh_CN"),
    Setting("color", "BO_COLOR", "auto", "colour: auto, always or never", in_files=False),
    Setting("pager", "BO_PAGER", "", "program that shows long lists page by page; off when empty", in_files=False),
    Setting("busy_ms", "BO_BUSY_MS", "10000", "how long to wait for another writer, in milliseconds", in_files=False),
    Setting(
        "keep_statements",
        "BO_KEEP_STATEMENTS",
        "1",
        "0: do not keep compiled statements in the workspace",
        in_files=False,
    ),
)


class Found:
    """A setting's value and where it comes from."""

    __slots__ = ("place", "value")

    def __init__(self, value: str, place: str) -> None:
        self.value = value
        self.place = place


def setting(name: str) -> Setting:
    """The setting of that name. Raises UsageError with the list."""
    wanted = name.lower().replace("-", "_")
    for item in SETTINGS:
        if wanted in (item.name, item.variable.lower()):
            return item
    raise UsageError(
        "there is no setting {name}",
        hint="Settings: {names}",
        name=name,
        names=", ".join(item.name for item in SETTINGS),
    )


def explain(name: str, flag: str, workspace: Path | None) -> list[Found]:
    """Every place that says something about a setting, the one that counts first."""
    item = setting(name)
    found = [Found(flag, "flag")] if flag else []
    if os.environ.get(item.variable):
        found.append(Found(os.environ[item.variable], item.variable))
    if item.in_files and workspace is not None and item.name != "workspace":
        found += _from_file(workspace / FILE_NAME, item.name)
    if item.in_files:
        found += _from_file(user_file(), item.name)
    return [*found, Found(item.default, "default")]


def workspace_folder(flag: str) -> Path:
    """The folder of the workspace to work in. Raises Configuration where nothing names one."""
    text = flag or os.environ.get("BO_WORKSPACE", "")
    if text:
        return Path(text).expanduser()
    here = Path.cwd()
    if (here / DATABASE_NAME).is_file():
        return here
    named = _from_file(user_file(), "workspace")
    if named:
        return Path(named[0].value).expanduser()
    raise Configuration(
        "no workspace is chosen", hint="Say --workspace DIR, set BO_WORKSPACE, or make one: bo init DIR"
    )


def user_file() -> Path:
    """The user's own settings file."""
    from platformdirs import user_config_dir

    return Path(user_config_dir("bo", appauthor=False)) / FILE_NAME


def read_file(path: Path) -> dict[str, str]:
    """The settings in a file; none where there is no file. Raises Configuration for a file that cannot be read."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Configuration(
            "{file} cannot be read: {reason}", hint="Mend it or delete it.", file=str(path), reason=str(error)
        ) from None
    plain = _plain(text)
    if plain is not None:
        return plain
    import tomllib

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Configuration(
            "{file} cannot be read: {reason}", hint="Mend it or delete it.", file=str(path), reason=str(error)
        ) from None
    return {name: str(value) for name, value in values.items() if isinstance(value, (str, int, bool))}


def _plain(text: str) -> dict[str, str] | None:
    """The settings where every line is `name = "value"` or a remark, which is how bo writes them; None for anything
    that takes a TOML parser.

    Every command reads this file, and loading the parser costs a quarter of a start of Python.
    """
    values = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        name, sign, value = (part.strip() for part in line.partition("="))
        inner = value[1:-1]
        if (
            not (sign and name.isidentifier() and len(value) > 1 and value[0] == value[-1] == '"')
            or '"' in inner
            or "\\" in inner
            or name in values
        ):
            return None
        values[name] = inner
    return values


def _from_file(path: Path, name: str) -> list[Found]:
    value = read_file(path).get(name, "")
    return [Found(value, str(path))] if value else []
