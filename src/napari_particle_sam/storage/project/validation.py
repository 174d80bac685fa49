"""What pydantic found wrong, as part of one sentence."""

from __future__ import annotations

from pydantic import ValidationError


def problem_of(error: ValidationError) -> str:
    """Return the first problem as words that follow "has" or "holds"."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    text = first["msg"].removeprefix("Value error, ").rstrip(".").replace("\n", " ")
    text = text[:1].lower() + text[1:]
    return f"a wrong '{place}' ({text})" if place else f"a mistake ({text})"
