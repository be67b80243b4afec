//! The room `scenario`.
