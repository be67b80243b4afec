//! Runs built by hand, whole and with evidence taken away.
