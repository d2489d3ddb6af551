"""The chaos run: every fault, in both drivers, with every sink, many times; see `__main__.py`."""
