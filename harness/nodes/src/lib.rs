//! The room `nodes`.
