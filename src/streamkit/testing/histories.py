"""For authors of a store of resumable streams: what every reader of one stream must have seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from streamkit.stores import LogEntry


def assert_one_history(readings: Iterable[Sequence[LogEntry]], *, ended: bool = True) -> Sequence[LogEntry]:
    """Check that readers saw parts of one history.

    1. A reading has each entry once and in order, without a gap: seq grows by one within one epoch. Only an ending in a
       dead producer's place stands at the next epoch, seq 0.
    2. Entries of one id are equal in all readings.
    3. One entry has the ending, it is the last, and no reading has anything behind it.

    Args:
        readings: What each reader got, from the first entry or from any other on; what it got after coming back is
            joined to what it had.
        ended: Whether every reading must have come to the ending.

    Returns:
        The longest reading.

    Raises:
        AssertionError: It was not so.
    """
    known: dict[str, LogEntry] = {}
    longest: Sequence[LogEntry] = ()
    for entries in readings:
        for entry, following in pairwise(entries):
            assert entry.end is None, f"{following.id} comes after the ending {entry.id}"  # noqa: S101 - the purpose
            contiguous = (following.epoch, following.seq) == (entry.epoch, entry.seq + 1)
            in_place = following.end == "lost" and (following.epoch, following.seq) == (entry.epoch + 1, 0)
            assert contiguous or in_place, f"{following.id} follows {entry.id}"  # noqa: S101 - the purpose
        for entry in entries:
            assert known.setdefault(entry.id, entry) == entry, f"two entries have the id {entry.id}"  # noqa: S101 - the purpose
        assert not ended or (entries and entries[-1].end), "a reading has no ending"  # noqa: S101 - the purpose
        longest = max(longest, entries, key=len)
    endings = [entry.id for entry in known.values() if entry.end]
    assert len(endings) <= 1, f"there are several endings: {endings}"  # noqa: S101 - the purpose
    return longest
