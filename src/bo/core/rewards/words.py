"""The arithmetic of a reward line in the reader's language, made from the numbers that are frozen on the line."""

from __future__ import annotations

from bo.core.kernel.amounts import money
from bo.core.kernel.text import _
from bo.core.rewards.frozen import thaw
from bo.core.rewards.records import RewardLine
from bo.core.rewards.rules import Computation, compute


def computed_again(line: RewardLine) -> Computation:
    """What the frozen terms and inputs of a reward come to. Raises Damaged where they cannot be read."""
    return compute(*thaw(line.inputs, event=str(line.event), currency=line.currency))


def words_of(line: RewardLine) -> list[str]:
    """How the amount of a line came about, a text for each step."""
    if line.kind == "adjustment":
        return [_("by hand")]
    if line.kind == "clawback":
        return [_clawback(line)]
    return [_(step.words, **step.facts) for step in computed_again(line).arithmetic]


def _clawback(line: RewardLine) -> str:
    original, refunded, whole, taken = (
        money(int(line.inputs.get(name) or 0), line.currency) for name in ("original", "refunded", "of", "taken_before")
    )
    facts = {"original": original, "refunded": refunded, "whole": whole}
    if line.inputs.get("taken_before"):
        return _("{original} x {refunded} / {whole} refunded, {taken} of it taken back before", **facts, taken=taken)
    return _("{original} x {refunded} / {whole} refunded", **facts)
