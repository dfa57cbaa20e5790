"""Writing for many visitors at once: processes that write, shares by visitor, a line."""
