"""Keys: one registry, no clash, remapping, input methods, help and palette."""

from __future__ import annotations

from pathlib import Path

import pytest

from bo.core.kernel.text import use_language
from bo.tui.keys import Bound, clashes, from_input_method, key_name, read_keys_file, remap
from bo.tui.source import ScreenOptions
from tests.tui.stage import LARGE, Stage, play


@pytest.mark.parametrize(
    ("key", "character", "name"),
    [
        ("j", "j", "j"),
        ("G", "G", "G"),
        ("ctrl+d", "\x04", "ctrl+d"),
        ("space", " ", "space"),
        ("fullwidth_colon", "：", ":"),
        ("ideographic_comma", "、", "/"),
        ("fullwidth_question_mark", "？", "?"),
        ("x", "ｊ", "j"),
        ("ideographic_full_stop", "。", "."),
        ("enter", "\r", "enter"),
    ],
)
def test_a_key_press_has_one_name_whatever_width_it_came_in(key: str, character: str, name: str) -> None:
    assert key_name(key, character) == name


def test_characters_of_an_input_method_are_told_from_keys() -> None:
    assert from_input_method("中")
    assert from_input_method("한")
    assert not any(from_input_method(name) for name in ("j", "é", ":", "enter", "ß"))


def test_commands_may_share_a_key_only_where_no_state_allows_both() -> None:
    review, store = frozenset({"pending_review"}), frozenset({"assigned"})
    accept, take = Bound("accept", ("d",), review, by_state=True), Bound("take", ("d",), store, by_state=True)
    assert clashes([accept, take]) == []
    assert clashes([accept, Bound("other", ("d",), review | store, by_state=True)]) == [("d", "accept", "other")]
    assert clashes([accept, Bound("down", ("d",))]) == [("d", "accept", "down")]


def test_a_key_that_begins_a_sequence_clashes_with_it() -> None:
    assert clashes([Bound("first", ("gg",)), Bound("go", ("g",))]) == [("g", "first", "go")]
    assert clashes([Bound("first", ("gg",)), Bound("history", ("gh",))]) == []


def test_a_remap_is_applied_and_what_clashes_keeps_its_key_and_is_reported() -> None:
    bound = [Bound("down", ("j",)), Bound("up", ("k",)), Bound("mark", ("space",))]
    assert remap(bound, {"down": ("k",), "up": ("j",)}).keys["down"] == ("k",)
    clash = remap(bound, {"down": ("k",)})
    assert clash.keys == {"down": ("j",), "up": ("k",), "mark": ("space",)}
    assert clash.problems == ["k means up already; down does not get it"]
    assert remap(bound, {"mark": ("ctrl+s",)}).problems == ["ctrl+s is kept for the terminal; mark keeps its key"]
    assert remap(bound, {"fly": ("z",)}).problems == ["There is no action fly to give a key to"]


def test_a_keys_file_that_is_broken_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "keys.toml"
    broken.write_text("[keys\n")
    keys, problems = read_keys_file(str(broken))
    assert keys == {}
    assert len(problems) == 1
    assert read_keys_file(str(tmp_path / "none.toml")) == ({}, [])
    broken.write_text('[keys]\ndown = 3\nup = ["K", "i"]\n')
    assert read_keys_file(str(broken)) == ({"up": ("K", "i")}, ["The keys of down are not a text or a list of texts"])


def test_no_default_key_clashes_with_another(office: Path) -> None:
    async def story(stage: Stage) -> None:
        assert stage.app.actions.clashes() == []
        assert stage.app.actions.problems == []

    play(office, story)


def test_a_remapped_key_works_and_a_clash_is_told_on_the_screen(office: Path, tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('[keys]\ndown = "Z"\n"leads.accept" = "j"\nundo = "k"\n')

    async def story(stage: Stage) -> None:
        await stage.until_said("k means up already; undo does not get it")
        await stage.press("Z")
        assert stage.app.table.cursor == 1
        assert stage.app.actions.named("leads.accept").keys == ("j",)
        assert stage.app.actions.named("undo").keys == ("u",)

    play(office, story, options=ScreenOptions(keys_file=str(path)))


def test_an_input_method_left_on_is_noticed_and_its_punctuation_works(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("中")
        await stage.until_said("输入法未关闭 / IME is on")
        await stage.press("：")
        await stage.until(lambda: stage.app.typing.is_open)
        await stage.press("escape")
        await stage.press("？")
        await stage.until(lambda: len(stage.app.screen_stack) == 2)

    play(office, story)


def test_a_begun_sequence_shows_what_may_follow_and_escape_forgets_it(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("j", "g")
        await stage.until_said("h The record's history")
        await stage.press("escape", "g", "g")
        assert stage.app.table.cursor == 0

    play(office, story)


def test_help_lists_every_action_with_its_keys(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("?")
        await stage.until_said("q closes")
        from bo.tui.help import TextScreen

        screen = stage.app.screen
        assert isinstance(screen, TextScreen)
        text = screen.pane.text
        for action in stage.app.actions.all():
            assert action.title in text
        assert "pending review" in text

    play(office, story, size=LARGE)


def test_the_palette_finds_an_action_by_its_name_and_runs_it(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+p")
        await stage.until_said("What to do")
        stage.burst(*"last row", "enter")
        await stage.until(lambda: stage.app.table.cursor == 299)
        await stage.press("ctrl+p")
        await stage.until_said("What to do")
        await stage.type("zzz")
        await stage.until_said("nothing matches")
        await stage.press("escape")
        await stage.until(lambda: len(stage.app.screen_stack) == 1)

    play(office, story)


def test_the_menu_offers_what_the_record_allows_with_all_its_parameters(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type("/state:valid")
        await stage.press("enter")
        await stage.until(lambda: stage.app.browser.filter_text == "state:valid")
        await stage.press("m")
        await stage.until_said("Commands for this record")
        assert "Assign" in stage.text()
        assert "Reject" not in stage.table_lines()[7]
        await stage.press("a")
        await stage.until_said("Store")

    play(office, story)


def test_the_command_line_completes_and_explains_what_it_does_not_know(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type(":so")
        await stage.press("tab")
        await stage.until_said(": sort")
        await stage.type(" -va")
        await stage.press("tab", "enter")
        await stage.until(lambda: stage.app.browser.sort == "-value")
        await stage.type(":fly")
        await stage.press("enter")
        await stage.until_said("There is no command fly")
        await stage.press(":", "up", "enter")
        await stage.until_said("There is no command fly")

    play(office, story)


@pytest.mark.parametrize("theme", ["dark", "light", "colour-blind", "ansi", "plain"])
def test_every_theme_shows_state_and_mark_without_needing_colour(office: Path, theme: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("x")
        await stage.until(lambda: stage.table_lines()[1][0] == "▪")
        for strip in stage.app.screen._compositor.render_strips():
            for segment in strip:
                if theme == "plain" and segment.style is not None:
                    assert segment.style.color is None or segment.style.color.is_default
        state = stage.current().state
        assert stage.app.looks.state(state) in stage.table_lines()[1]
        await stage.type(":theme dark")
        await stage.press("enter")
        await stage.until(lambda: stage.app.looks.name == "dark")
        await stage.type(":theme pink")
        await stage.press("enter")
        await stage.until_said("Themes: dark, light")

    play(office, story, options=ScreenOptions(theme=theme))


def test_no_color_outweighs_a_theme_and_nothing_is_coloured(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def story(stage: Stage) -> None:
        assert stage.app.looks.name == "plain"
        await stage.press("?")
        await stage.until_said("q closes")
        for strip in stage.app.screen._compositor.render_strips():
            for segment in strip:
                style = segment.style
                assert style is None or style.color is None or style.color.is_default
                assert style is None or style.bgcolor is None or style.bgcolor.is_default

    play(office, story, options=ScreenOptions(theme="light"))


def test_ascii_draws_no_glyph_outside_ascii_but_the_data(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("x", "v", "j", "v", "?")
        await stage.until_said("q closes")
        assert stage.text().isascii()
        await stage.press("q", "b")
        await stage.settled()
        glyphs = {line[0] + line[1] for line in stage.table_lines()[1:-2]}
        assert all(glyph.isascii() for glyph in glyphs)

    play(office, story, options=ScreenOptions(ascii=True))


def test_the_language_changes_without_leaving(office: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.type(":lang zh_CN")
        await stage.press("enter")
        await stage.settled()
        assert stage.app.actions.named("down").keys == ("j", "down")
        use_language("en")

    play(office, story)
