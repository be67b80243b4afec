//! Recomputes the key agreement of `frames` and both security codes from what was signalled.
