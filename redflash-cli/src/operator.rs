//! The operator of the local machine, for the audit log.

use std::fs;

use redflash_core::model::Actor;

/// The file that lists accounts.
const ACCOUNTS: &str = "/etc/passwd";

/// Returns the account that called `sudo`, or else that of the process.
pub(crate) fn operator() -> Actor {
    let variable = |name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(|value| value.to_string_lossy().into_owned())
    };
    let uid = rustix::process::getuid().as_raw();
    let listed = || account(&fs::read_to_string(ACCOUNTS).ok()?, uid);
    let name = variable("SUDO_USER")
        .or_else(listed)
        // Accounts of a directory service are not in the file.
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"));
    Actor::Operator(name.unwrap_or_else(|| format!("uid-{uid}")))
}

/// Finds the name of an account in a passwd file.
fn account(list: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(&*uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_account_by_uid() {
        let list = "root:x:0:0:root:/root:/bin/bash\n\n:x:7::\nbroken\nolga:x:1000:0:O:/:/bin/sh\n";
        assert_eq!(account(list, 0).as_deref(), Some("root"));
        assert_eq!(account(list, 1000).as_deref(), Some("olga"));
        assert_eq!(account(list, 7), None);
        assert_eq!(account(list, 100), None);
    }
}
