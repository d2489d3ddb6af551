"""What must be shown, read off the whole text at once: slow, and with nothing of the code under test."""

from __future__ import annotations

import re
from itertools import pairwise


def matches(text, patterns, words=()):
    """Return (start, end, label) of everything to mask, in order of its beginning; fixed strings come first."""
    found = []
    for start in range(len(text)):
        lengths = [len(word) for word in words if text.startswith(word, start)]
        if lengths:
            found.append((start, start + max(lengths), "secret"))
        for pattern in patterns:
            match = re.compile(pattern.regex).match(text, start)
            length = len(match[0]) if match else 0
            if length and pattern.check:
                length = pattern.check(match[0])
            if not length:
                continue
            end = start + length
            if pattern.until is not None:
                closing = re.compile(pattern.until).search(text, end)
                end = closing.end() if closing else len(text)
            found.append((start, end, pattern.label))
    return found


def redacted(text, patterns, words=(), *, mask="label"):
    """Return the text with the union of all matches masked."""
    spans = []
    for start, end, label in matches(text, patterns, words):
        if spans and start < spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end, label])
    bounds = [(0, 0, ""), *spans, (len(text), len(text), "")]
    shown = text[: bounds[1][0]]
    for (start, end, label), (following, _, _) in pairwise(bounds[1:]):
        shown += (f"[{label}]" if mask == "label" else mask * (end - start)) + text[end:following]
    return shown
