"""The only loops over sources: one file for sync, the same file again with `await`."""
