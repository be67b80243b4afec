//! Runs the primitives against published vectors before any verdict.
