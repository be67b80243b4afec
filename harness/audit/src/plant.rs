//! Controls of sweep and search: a real key is planted in a copy of what each listener holds, once per encoding.
//!
//! Invariant: a plant goes through the same code as the listeners' own material, and a plant that is not found is told.
