//! The log targets of RedFlash.

/// Returns true if a log event with this target comes from a crate of RedFlash.
///
/// A layer that raises an alert for each error of a program must exclude these: a failed alert logs
/// an error too, which would raise the next one.
pub fn is_own_log_target(target: &str) -> bool {
    let name = target.split("::").next().unwrap_or(target);
    name == "redflash" || name.starts_with("redflash_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_targets_are_those_of_redflash_crates() {
        for own in [
            module_path!(),
            "redflash_store",
            "redflash_http::alert",
            "redflash",
        ] {
            assert!(is_own_log_target(own), "{own}");
        }
        for other in ["billing", "my_redflash_client::send", "redflashes", ""] {
            assert!(!is_own_log_target(other), "{other}");
        }
    }
}
