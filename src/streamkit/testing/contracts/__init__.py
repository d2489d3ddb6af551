"""The laws of each kind of part, held to in one line: `assert_transform_contract(MyTransform())`.

Inputs are made by hypothesis, and a broken law is told with the smallest input that shows it. A contract tries the same
inputs each time, so that a test that passed goes on passing.
"""

from streamkit.testing.contracts._laws import LawBroken
from streamkit.testing.contracts.format import assert_format_contract
from streamkit.testing.contracts.sink import assert_sink_contract
from streamkit.testing.contracts.source import assert_source_contract
from streamkit.testing.contracts.store import assert_store_contract
from streamkit.testing.contracts.transform import assert_transform_contract

__all__ = [
    "LawBroken",
    "assert_format_contract",
    "assert_sink_contract",
    "assert_source_contract",
    "assert_store_contract",
    "assert_transform_contract",
]
