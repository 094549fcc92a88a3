//! Programs that show how RedFlash is used as a library; see the files beside this package's manifest.

/// The guide for programs that embed RedFlash, to compile its code.
#[cfg(doctest)]
#[doc = include_str!("../../redflash-core/src/guide.md")]
mod guide {}
