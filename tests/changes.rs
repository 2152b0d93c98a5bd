//! `set`, `unset` and `decrypt --extract` as people type them.
