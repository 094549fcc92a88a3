//! Programs that show how RedFlash is used as a library; see the files beside this package's manifest.
