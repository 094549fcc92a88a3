//! Whole-system tests over the real binary.
