//! Precedence of settings, log levels, and creation of the database.

use redflash_tests::{Config, Postgres, Site};
use tokio::net::TcpListener;

/// Runs a command in a directory without a configuration.
fn bare(site: &Site, line: &str) -> redflash_tests::Cli {
    site.shell(line).variable("REDFLASH_CONFIG", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn prefers_option_over_variable_over_file() {
    let site = Site::new(&Config::new());
    let path = |name: &str| site.path().join(name);
    for name in ["file", "variable", "option"] {
        let add = format!("redflash --database sqlite:{name}.db contact add {name} --name {name}");
        bare(&site, &add).run().await.succeeded();
        let text = format!("\u{feff}sqlite:{name}.db\r\n");
        std::fs::write(path(&format!("{name}.url")), text).unwrap();
    }
    std::fs::write(path("redflash.toml"), "database_file = \"file.url\"\n").unwrap();
    let file = ("REDFLASH_DATABASE_FILE", "variable.url");
    let direct = ("REDFLASH_DATABASE", "sqlite:variable.db");
    let empty = [("REDFLASH_DATABASE", ""), ("REDFLASH_DATABASE_FILE", "")];
    for (variables, option, wanted) in [
        (&[][..], "", "file"),
        (&empty[..], "", "file"),
        (&[file][..], "", "variable"),
        (&[direct][..], "", "variable"),
        (&[file][..], "--database sqlite:option.db", "option"),
        (
            &[direct, file][..],
            "--database sqlite:option.db",
            "refused",
        ),
        (&[direct, file][..], "", "refused"),
    ] {
        let mut command = site.shell(&format!("redflash {option} contact list --json"));
        for (name, value) in variables {
            command = command.variable(name, value);
        }
        let output = command.run().await;
        if wanted == "refused" {
            let stderr = output.exited(2).stderr;
            assert!(
                stderr.contains("REDFLASH_DATABASE and REDFLASH_DATABASE_FILE"),
                "{stderr}"
            );
        } else {
            assert_eq!(
                output.succeeded().json()[0]["slug"],
                wanted,
                "{variables:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hides_environment_values_in_help() {
    let site = Site::new(&Config::new());
    let url = "postgres://redflash:canary@db.example.org/redflash";
    let help = site
        .shell("redflash --help")
        .variable("REDFLASH_DATABASE", url);
    let help = help.run().await.succeeded();
    assert!(help.stdout.contains("REDFLASH_DATABASE"), "{}", help.stdout);
    assert!(!help.stdout.contains("canary"), "{}", help.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_invalid_log_level_and_names_its_source() {
    let site = Site::new(&Config::new());
    for (line, variable, value, source) in [
        ("redflash serve --log inf", "UNUSED", "", "--log: "),
        (
            "redflash serve",
            "REDFLASH_LOG",
            "verbose",
            "REDFLASH_LOG: ",
        ),
        (
            "redflash serve",
            "REDFLASH_LOG__LEVEL",
            "3",
            "REDFLASH_LOG__LEVEL: log.level: ",
        ),
        ("redflash serve --log ''", "UNUSED", "", "--log: "),
    ] {
        let refused = site
            .shell(line)
            .variable(variable, value)
            .run()
            .await
            .exited(2);
        assert!(refused.stderr.contains(source), "{}", refused.stderr);
        assert!(
            refused.stderr.contains("is not a level"),
            "{}",
            refused.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepts_valid_log_levels() {
    for level in ["", "info,hyper=warn", "INFO"] {
        let site = Site::new(&Config::new()).with_variable("REDFLASH_LOG", level);
        let server = site.serve().await;
        assert!(server.log().contains("listening on http://"), "{level:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_create_database_when_reading() {
    let site = Site::new(&Config::new());
    for line in [
        "contact list",
        "contact show ann",
        "contact edit ann --name Ann",
        "contact remove ann",
        "contact off ann",
        "endpoint list",
        "endpoint add ann email ann@example.org",
        "group list",
        "event list",
        "key list",
        "user list",
        "send contact ann hi",
        "send contact ann hi --wait",
        "fire disk",
        "explain contact ann",
        "log",
        "inbound",
        "audit list",
        "resend 0123456789abcdef0123456789abcdef",
        "gateway list",
        "export -",
        "prune --older-than 1d",
    ] {
        let refused = site.cli(line.split(' ')).run().await.exited(4);
        assert!(
            refused.stderr.contains("no database at "),
            "{line}: {}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains("redflash migrate"),
            "{line}: {}",
            refused.stderr
        );
        assert!(!site.database().exists(), "{line}");
    }
    site.cli(["doctor"]).run().await.exited(1);
    assert!(!site.database().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_database_when_adding_and_prints_its_path() {
    for line in [
        "contact add ann --name Ann",
        "group add ops --name Ops",
        "event add disk --name Disk --message full",
        "key add app",
        "user add dan --no-password",
        "migrate",
    ] {
        let site = Site::new(&Config::new());
        let made = site.cli(line.split(' ')).run().await.succeeded();
        let wanted = format!("created the database {}", site.database().display());
        assert!(made.stderr.contains(&wanted), "{line}: {}", made.stderr);
        let again = site.cli(["contact", "list"]).run().await.succeeded();
        assert_eq!(again.stderr, "", "{line}");
    }
    let site = Site::new(&Config::new());
    let server = site.serve().await;
    assert!(
        server.log().contains("created the database"),
        "{}",
        server.log()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_open_store_if_port_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let site = Site::new(&Config::new());
    for line in [
        format!("redflash serve --listen {address}"),
        format!("REDFLASH_SERVER__METRICS_LISTEN={address} redflash serve"),
    ] {
        let refused = site.shell(&line).run().await.exited(1);
        assert!(refused.stderr.contains(&address), "{}", refused.stderr);
        assert!(!site.database().exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejects_unsupported_database_urls() {
    let site = Site::new(&Config::new());
    let add = "redflash --database sqlite://b.db contact add ann --name Ann";
    site.shell(add).run().await.succeeded();
    assert!(site.path().join("b.db").exists());
    for url in [
        "sqlite::memory:",
        "file:b.db?mode=ro",
        "mysql://root:canary@c/d",
    ] {
        let line = format!("redflash --database '{url}' contact add ann --name Ann");
        let refused = site.shell(&line).run().await.exited(2);
        assert!(
            refused.stderr.contains("--database: database: "),
            "{}",
            refused.stderr
        );
        assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
    }
    let line = "redflash --database sqlite:nowhere/b.db contact add ann --name Ann";
    let refused = site.shell(line).run().await.exited(1);
    let directory = site.path().join("nowhere").display().to_string();
    assert!(
        refused
            .stderr
            .contains(&format!("no directory {directory}")),
        "{}",
        refused.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn creates_postgres_tables_only_when_adding() {
    let cluster = Postgres::start().await;
    let site = Site::on(&Config::new(), cluster.database().await);
    let refused = site.cli(["contact", "list"]).run().await.exited(4);
    assert!(
        refused.stderr.contains("no tables of RedFlash"),
        "{}",
        refused.stderr
    );
    site.run(["contact", "add", "ann", "--name", "Ann"]).await;
    site.run(["contact", "list"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_unreachable_postgres_server() {
    let url = "postgres://redflash:canary@127.0.0.1:1/alerts";
    let site = Site::on(&Config::new(), url);
    let refused = site.cli(["contact", "list"]).run().await.exited(75);
    assert!(
        refused.stderr.contains("127.0.0.1:1/alerts"),
        "{}",
        refused.stderr
    );
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
}
