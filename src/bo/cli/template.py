"""Templates of rows: text with the names of fields in braces. A template runs nothing and reaches nothing else."""

from __future__ import annotations

from bo.core.kernel.errors import UsageError


def parts(template: str) -> list[tuple[str, bool]]:
    r"""A template as texts and field names: `{number}\t{name}`, with `{{` for a brace. Raises UsageError for one that
    is not closed.
    """
    if not template:
        raise UsageError("a template is missing", hint="Give one: --template '{{id}} {{state}}'", example="")
    text = template.replace("\\t", "\t").replace("\\n", "\n")
    made: list[tuple[str, bool]] = []
    while text:
        before, brace, after = text.partition("{")
        if before:
            made.append((before.replace("}}", "}"), False))
        if not brace:
            break
        if after.startswith("{"):
            made.append(("{", False))
            text = after[1:]
            continue
        name, closed, text = after.partition("}")
        if not closed:
            raise UsageError(
                "the template has a brace that is not closed", hint="Write {{{{ for a brace.", template=template
            )
        made.append((name.strip().replace("-", "_"), True))
    return made


def names(template: str) -> list[str]:
    """The fields that a template shows."""
    return list(dict.fromkeys(part for part, is_name in parts(template) if is_name))
