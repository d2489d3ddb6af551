"""Make text of unknown origin harmless on a terminal."""

from __future__ import annotations

from typing import TextIO

_KEPT = frozenset("\n\t")


def _replacements() -> dict[int, str]:
    shown = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in _KEPT}
    shown[0x7F] = "\u2421"
    # C1 controls are commands on terminals that read eight bits: U+009B alone starts a control sequence. Bidirectional
    # controls reorder what is on the screen, so that it reads differently from what is copied.
    for code in (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)):
        shown[code] = f"⟨U+{code:04X}⟩"
    # A stdout with the error handler "surrogateescape" would write lone surrogates as raw bytes.
    shown.update(dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))
    return shown


_REPLACEMENTS = _replacements()


def neutralise(text: str) -> str:
    r"""Show every control character as a visible symbol, and nothing as a command to the terminal.

    Newlines and tabs stay. ESC becomes `␛` and the other C0 controls and DEL their symbols in the block U+2400; C1
    controls and bidirectional controls become `⟨U+009B⟩`; lone surrogates become U+FFFD. Each character is replaced
    by itself, so it does not matter where a text was cut: a control sequence loses its ESC in whichever piece it is.

    Args:
        text: Any text.

    Returns:
        Text that a terminal only prints.
    """
    return text.translate(_REPLACEMENTS)


def write_encodable(file: TextIO, text: str) -> None:
    """Write a text; what the file's encoding cannot express becomes a question mark instead of an error."""
    try:
        file.write(text)
    except UnicodeEncodeError as error:
        file.write(text.encode(error.encoding, "replace").decode(error.encoding))
