//! Takes a lock, whatever happened to its last holder.
//!
//! Invariant: every change made under a lock of this room is complete before anything in it can panic, so a poisoned
//! lock still guards a usable state.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
