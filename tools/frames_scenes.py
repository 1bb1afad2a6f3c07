"""What is recorded: the scenes of `tools.frames`, and the page that lists them. Whoever adds a screen adds a scene."""

from __future__ import annotations

from msgspec import Struct

from bo.tui.actions import key_label
from bo.tui.keys import GO_KEYS

SMALL, MIDDLE, LARGE = (80, 24), (120, 30), (200, 50)
HEAD = """# Frames of the screen

A made-up office, recorded by `python -m tools.frames`, which writes this page too; tests compare some frames with
what is drawn. How the screen is used: [the screen](../screen.md).

| frame | size | keys | what is on it |
|---|---|---|---|
"""


class Scene(Struct, frozen=True):
    """What is pressed, and what is shown then. A step is a key; `=words` waits until they stand on the screen; `'text`
    is typed."""

    name: str
    title: str
    shows: str = ""
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = SMALL
    noun: str = "leads"
    language: str = "en"
    device: bool = False
    options: tuple[str, ...] = ()  # --ascii


APPROVED = ("1", "d", "=Who is paid")
MONEY = "settlements"
SCENES = (
    Scene("leads", "Leads to review", "State in a glyph and a word, what is due in words, the tabs are views.", ("1",)),
    Scene("leads-zh", "The same in Chinese", "Every column keeps its place.", ("1",), language="zh_CN"),
    Scene("leads-wide", "At 200 columns",
          "Places and views stand at the left, the record under the cursor at the right.", ("1",), LARGE),
    Scene("leads-wide-zh", "At 200 columns, in Chinese", "", ("1",), LARGE, language="zh_CN"),
    Scene("leads-ascii", "In plain letters", "For terminals without more.", ("1",), options=("ascii",)),
    Scene("preview", "Preview", "The record below the rows, where there is no room beside them.", ("1", "p")),
    Scene("detail", "A lead", "All of it, with its history.", ("1", "enter")),
    Scene("history", "History", "Who did what, when, and what it changed.", ("1", "G", "g", "h")),
    Scene("accepted", "One lead accepted",
          "The row stays where it is and dims, the cursor is on the next one, and `u` takes it back.",
          ("1", "d", "=undoes")),
    Scene("marks", "Marks", "The same keys then act on all that are marked.", ("1", "space", "space", "space")),
    Scene("reject", "A decision that wants a reason", "", ("1", "b")),
    Scene("reject-zh", "The same in Chinese", "", ("1", "b"), language="zh_CN"),
    Scene("assign", "Assign", "The stores with their load, the one that the rule would pick first, and why.",
          ("4", "a"), MIDDLE),
    Scene("duplicates", "Who may be the same", "Two leads field by field, and a key for each decision.",
          ("3", "D", "=points"), (120, 36)),
    Scene("report", "A form", "Stars are what has to be filled in.", ("c",)),
    Scene("confirm", "Many at once", "`*` marks all that match; Enter leaves all as it is.", ("1", "*", "d", "=do it")),
    Scene("help", "Help", "From the same list of actions as the footer, the palette and the command line.", ("?",)),
    Scene("palette", "Palette", "Everything that can be done now, by name.", ("ctrl+p", "'assi")),
    Scene("palette-zh", "The same in Chinese", "", ("ctrl+p", "'分配"), language="zh_CN"),
    Scene("views", "Views", "Shipped ones and one's own, by digit or name.", ("g", "v")),
    Scene("filter", "Filter", "The rows follow while it is typed.", ("/", "'city:上海")),
    Scene("command", "Command line", "With completion.", (":", "'orders sta")),
    Scene("dashboard", "Dashboard", "Enter on what waits goes to its rows.", ("g", "d", "=as of"), LARGE),
    Scene("dashboard-small", "Dashboard at 80x24", "", ("g", "d", "=as of")),
    Scene("jobs", "Jobs", "Imports, exports, sync; `x` stops one.", ("g", "j")),
    Scene("orders", "Orders", "", ("0",), noun="orders"),
    Scene("orders-wide", "Orders at 200 columns", "", ("0",), LARGE, noun="orders"),
    Scene("order", "An order", "Lines, money, customer, history.", ("0", "enter"), (120, 36), noun="orders"),
    Scene("refund", "A refund", "What is wrong with it is said while the form is open.", ("0", "G", "R"),
          noun="orders"),
    Scene("exceptions", "Exceptions", "Orders that need a person, a view for each cause.", ("1",), MIDDLE,
          noun="exceptions"),
    Scene("rewards", "Rewards", "What each event earned for whom.", ("0",), noun="rewards"),
    Scene("why", "Why this amount",
          "The words of a reward, its way from the lead to the bank, what it was computed from.",
          ("0", "G", "k", "enter", "=From the lead"), (100, 36), noun="rewards"),
    Scene("settlements", "Settlements", "", ("0",), noun=MONEY),
    Scene("run-preview", "Before a settlement is made", "Who would be paid, and who is held and why.",
          ("c", "'2026-W47", "ctrl+s", "=Would be made"), noun=MONEY),
    Scene("settlement", "A settlement", "Its payees, and the lines of the one under the cursor with their arithmetic.",
          ("1", "enter", "=ORDER/1"), MIDDLE, noun=MONEY),
    Scene("settlement-zh", "A settlement in Chinese, at 80x24", "", ("1", "enter", "=ORDER/1"), noun=MONEY,
          language="zh_CN"),
    Scene("approve", "Approval", "All that is approved; the hash that is sent is that of what stands here.", APPROVED,
          (100, 36), noun=MONEY),
    Scene("payouts", "Payouts", "", ("0",), noun="payouts"),
    Scene("bank-lines", "Bank lines", "", ("0",), noun="bank_lines"),
    Scene("reconcile", "Reconciliation",
          "What waits at the left, what the line under the cursor may be for at the right, the proof in the head.",
          ("1", "enter", "=same amount", "j", "j", "j", "=off by"), MIDDLE, noun="bank_lines"),
    Scene("reconcile-zh", "Reconciliation in Chinese, at 80x24", "", ("1", "enter", "=金额相同"), noun="bank_lines",
          language="zh_CN"),
    Scene("reconciled", "What was matched", "With what, by which rule; `U` takes it back.",
          ("1", "enter", "=same amount", "v", "=by id"), MIDDLE, noun="bank_lines"),
    Scene("reconcile-help", "Keys of a screen of its own", "", ("1", "enter", "=same amount", "?"),
          noun="bank_lines"),
    Scene("stores", "Stores", "", ("0",), noun="stores"),
    Scene("settings", "Settings", "", ("g", "z")),
    Scene("import", "Import: which file", "", ("I",)),
    Scene("import-mapping", "Import: which column is what", "What is known by its heading is filled in.",
          ("I", "enter", "enter")),
    Scene("conflicts", "Conflicts", "On a device: what the central store refused, beside what is there now.", (),
          MIDDLE, noun="conflicts", device=True),
)  # fmt: skip


def index() -> str:
    """The page that lists the frames."""
    return HEAD + "".join(
        f"| [{scene.title}]({scene.name}.txt) | {scene.size[0]}x{scene.size[1]} | {pressed(scene)} | {scene.shows} |\n"
        for scene in SCENES
    )


def pressed(scene: Scene) -> str:
    """The keys that lead to a frame, as one reads them; the options of `bo tui` where it takes any."""
    options = [f"--{option}" for option in scene.options]
    if scene.language != "en":
        options.append(f"--lang {scene.language}")
    going = [] if scene.noun == "leads" else [GO_KEYS[scene.noun]]
    keys = [step.removeprefix("'") for step in scene.keys if len(step) == 1 or step[0] != "="]
    return " ".join(f"`{shown}`" for shown in (*options, *going, *map(key_label, keys)))
