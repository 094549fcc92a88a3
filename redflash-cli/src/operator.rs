//! The person at this machine, as the audit log names them.

use std::fs;

use redflash_core::Actor;

/// The file that lists accounts with their numbers.
const ACCOUNTS: &str = "/etc/passwd";

/// The account of the person at this machine: the one that called `sudo`, or else that of the process.
pub(crate) fn operator() -> Actor {
    let variable = |name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(|value| value.to_string_lossy().into_owned())
    };
    let number = rustix::process::getuid().as_raw();
    let listed = || account(&fs::read_to_string(ACCOUNTS).ok()?, number);
    let name = variable("SUDO_USER")
        .or_else(listed)
        // Accounts of a directory service are not in the list.
        .or_else(|| variable("USER"))
        .or_else(|| variable("LOGNAME"));
    Actor::Operator(name.unwrap_or_else(|| format!("uid-{number}")))
}

/// The name of an account, by the list of them.
fn account(list: &str, number: u32) -> Option<String> {
    let number = number.to_string();
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(&*number)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let list = "root:x:0:0:root:/root:/bin/bash\n\n:x:7::\nbroken\nolga:x:1000:0:O:/:/bin/sh\n";
        assert_eq!(account(list, 0).as_deref(), Some("root"));
        assert_eq!(account(list, 1000).as_deref(), Some("olga"));
        assert_eq!(account(list, 7), None);
        assert_eq!(account(list, 100), None);
    }
}
