//! The `redflash` command.

fn main() {}
