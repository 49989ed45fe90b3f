//! The demo as it is shipped: its configuration is without faults, every key can be overridden, and it works.

use crate::support::{SOON, decided, owner, write_in};
use std::path::Path;
use std::process::Command;
use switchboard_tests::{Site, eventually, on_both};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/switchboard.toml");

on_both! {
    async fn the_demo_as_shipped_takes_mail_and_forms_with_ports_and_database_set_by_the_environment(site) {
        let port = site.mail.port();
        let overrides = [
            String::from("SWITCHBOARD__SERVER__LISTEN=127.0.0.1:0"),
            format!("SWITCHBOARD__DATABASE__URL={}", site.database.url()),
            String::from("SWITCHBOARD__LOG__FORMAT=json"),
            String::from("SWITCHBOARD__CHANNELS__SUPPORT__RECEIVER__LISTEN=127.0.0.1:0"),
            String::from("SWITCHBOARD__CHANNELS__SALES__RECEIVER__LISTEN=127.0.0.1:0"),
            format!("SWITCHBOARD__CHANNELS__SUPPORT__SMTP__PORT={port}"),
            format!("SWITCHBOARD__CHANNELS__SALES__SMTP__PORT={port}"),
        ];
        let wrapper: Vec<&str> = std::iter::once("env").chain(overrides.iter().map(String::as_str)).collect();
        let host = site.start_on(Path::new(CONFIG), &wrapper).await;
        let liv = host.sign_in("liv@example.test").await;
        write_in(&host, "maja@customer.test", "Where is my parcel?").await;
        assert!(owner(&decided(&liv, "Where is my parcel?").await).is_some(), "people without working hours are always there");
        let answer = host.stranger().submit("kari@customer.test", "order", "Hello").await;
        assert_eq!(answer.status, 202, "{answer:?}");
        eventually("the ticket is owned", SOON, async || {
            let rows = liv.rows("tickets?view=open").await;
            if rows.iter().any(|row| owner(row).is_some()) { Ok(()) } else { Err(format!("{rows:?}")) }
        })
        .await;
        assert_eq!(host.stranger().get("/healthz").await.status, 200);
        assert!(host.stop().await.status.success());
    }
}

#[tokio::test]
async fn the_shipped_configuration_and_directory_have_no_faults() {
    let site = Site::sqlite().await;
    let config = Path::new(CONFIG);
    let directory = config.with_file_name("directory.toml");
    // Beside the database of nobody: the check must not look into one that happens to lie here.
    let copy = site.folder().join("switchboard.toml");
    std::fs::copy(config, &copy).expect("the configuration can be copied");
    for file in ["directory.toml", "norway.ics"] {
        std::fs::copy(config.with_file_name(file), site.folder().join(file)).expect("the directory can be copied");
    }
    let program = switchboard_tests::program();
    let checked = Command::new(program)
        .arg("check")
        .arg("--config")
        .arg(&copy)
        .arg("--directory")
        .arg(&directory)
        .current_dir(site.folder())
        .output();
    let checked = checked.expect("the program can be started");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned() + &String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.contains("no faults"), "{said}");
}
