//! Reads key files: one secret per line, each with an owner; a line that cannot be used is an error with its number.
