//! A store that keeps everything in memory: the reference for store authors.
