//! `switchboard simulate` as its users meet it: a draft beside the directory in force (ROUTING 13.3).

use serde_json::Value;
use switchboard_tests::{Ended, Site};

const TRAFFIC: &str = r#"
days = 3
[channels.support]
per_hour = [0, 0, 0, 0, 0, 0, 0, 4, 10, 12, 12, 10, 8, 10, 10, 8, 4, 2, 0, 0, 0, 0, 0, 0]
service = { kind = "log_normal", mean_s = 1500, cv = 1.0 }
"#;

/// The directory in force as a file of its own, changed.
async fn draft(site: &Site, name: &str, change: impl Fn(&str) -> String) -> String {
    let exported = site.command(&["export"]).await;
    assert!(exported.status.success(), "{exported:?}");
    let file = site.folder().join(name);
    std::fs::write(&file, change(&exported.stdout)).expect("the folder of the test can be written");
    file.display().to_string()
}

async fn simulated(site: &Site, arguments: &[&str]) -> Ended {
    site.command(&[&["simulate"], arguments].concat()).await
}

#[tokio::test]
async fn r13_3_a_draft_is_simulated_beside_the_directory_in_force_and_the_same_one_makes_no_difference() {
    let site = Site::sqlite().await;
    let _host = site.start().await;
    let traffic = site.folder().join("traffic.toml");
    std::fs::write(&traffic, TRAFFIC).expect("the folder of the test can be written");
    let traffic = traffic.display().to_string();
    let page = site.folder().join("report.html").display().to_string();
    let same = draft(&site, "same.toml", str::to_owned).await;
    let ended = simulated(&site, &[&same, "--traffic", &traffic, "--seeds", "3", "--json", "-", "--html", &page]).await;
    assert!(ended.status.success(), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).expect("the report is JSON");
    let people = |variant: &str| report.pointer(&format!("/{variant}/people")).cloned();
    assert!(people("today").is_some_and(|people| people.as_array().is_some_and(|people| !people.is_empty())), "{report}");
    assert_eq!(people("today"), people("draft"), "the same directory under the same traffic");
    let html = std::fs::read_to_string(&page).expect("the page was written");
    assert!(html.contains("<svg") && !html.contains("<script src"), "a page with plots that stands alone");
    let table = simulated(&site, &[&same, "--traffic", &traffic, "--seeds", "2"]).await;
    assert!(table.stdout.contains("today") && table.stdout.contains("draft"), "{table:?}");
    let exported = site.command(&["export"]).await.stdout;
    assert_eq!(exported, std::fs::read_to_string(site.folder().join("same.toml")).expect("the draft"), "nothing was stored");
}

#[tokio::test]
async fn r13_3_too_little_history_and_a_faulty_draft_are_refused_in_so_many_words() {
    let site = Site::sqlite().await;
    let _host = site.start().await;
    let same = draft(&site, "same.toml", str::to_owned).await;
    let ended = simulated(&site, &[&same]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("too few") && ended.stderr.contains("take a longer stretch of history"), "{ended:?}");
    let faulty = draft(&site, "faulty.toml", |text| {
        text.replacen("users_and_teams", "users_and_teamz", 1) + "\n[[teams]]\nslug = \"Not A Slug\"\n"
    })
    .await;
    let ended = simulated(&site, &[&faulty]).await;
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("faulty.toml") && ended.stderr.contains("users_and_teamz"), "{ended:?}");
    assert!(ended.stderr.contains("Not A Slug"), "every fault at once: {ended:?}");
}
