//! The room `audit`.
