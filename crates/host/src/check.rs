//! `switchboard check`: every fault of the configuration, of the stored directory and of a directory file, rules that can
//! never assign (ROUTING 7.7), and the test cases of a directory file (13.3).

use crate::config::Config;
use crate::control::{Job, perform, socket_path};
use crate::directory_file;
use crate::rule_tests::RuleTests;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use switchboard_core::{never, validate};
use switchboard_engine::directory::{MergeOptions, merge_text};
use switchboard_model::{Directory, Fault};

/// What a check of the database has found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// Faults of the stored directory, alone and beside the configuration.
    pub stored: Vec<Fault>,
    /// Faults that a directory file has, or would bring about.
    pub file: Vec<Fault>,
    /// How many test cases of the file were run.
    pub cases: usize,
}

/// Checks configuration, stored directory and, if named, a directory file as it would change the stored one.
pub async fn check(config: &Path, directory: Option<&Path>) -> Result<(), String> {
    let (faults, cases) = match Config::load(config) {
        Ok(config) => everything(&config, directory).await?,
        Err(found) => {
            let file = directory.map(|file| file_faults(file, None).shown(file)).unwrap_or_default();
            (found.iter().map(ToString::to_string).chain(file).collect(), 0)
        }
    };
    if faults.is_empty() {
        let config = config.display();
        match cases {
            0 => println!("{config}: no faults"),
            1 => println!("{config}: no faults; 1 test case holds"),
            _ => println!("{config}: no faults; {cases} test cases hold"),
        }
        return Ok(());
    }
    Err(format!("{} {}\n{}", faults.len(), if faults.len() == 1 { "fault" } else { "faults" }, faults.join("\n")))
}

/// Faults of what is stored, and of a directory file that is to be merged into it, as JSON of [`Found`].
pub async fn stored_faults(
    directory: Arc<Directory>,
    channels: BTreeMap<String, String>,
    file: Option<String>,
) -> Result<String, String> {
    // Deciding test cases takes a while, and the host has other work.
    let looking = tokio::task::spawn_blocking(move || {
        let mut found = file.map(|text| text_faults(&directory, &text).0).unwrap_or_default();
        found.stored = [rule_faults(&directory), slug_faults(&directory, &channels)].concat();
        found
    });
    let found = looking.await.map_err(|error| format!("the check failed: {error}"))?;
    serde_json::to_string(&found).map_err(|error| format!("the faults cannot be written: {error}"))
}

/// Channels that stand in the configuration or in the directory only, or with different kinds.
pub fn slug_faults(directory: &Directory, channels: &BTreeMap<String, String>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (slug, kind) in channels {
        match directory.channel_by_slug(slug) {
            None => faults.push(Fault::unknown(
                format!("channels.{slug}"),
                "channel in the directory",
                slug,
                directory.channels.iter().map(|channel| channel.slug.as_str()),
            )),
            Some(entry) if entry.kind.as_str() != kind => faults.push(Fault::new(
                format!("channels.{slug}.kind"),
                format!("is `{kind}` in the configuration and `{}` in the directory", entry.kind),
            )),
            Some(_) => {}
        }
    }
    for entry in directory.channels.iter().filter(|entry| !channels.contains_key(&entry.slug)) {
        let message = format!("stands in the directory, but the configuration has no `[channels.{}]`", entry.slug);
        faults.push(Fault::new(format!("channels.{}", entry.slug), message));
    }
    faults
}

/// Every fault in words, and how many test cases were run.
async fn everything(config: &Config, directory: Option<&Path>) -> Result<(Vec<String>, usize), String> {
    let channels: BTreeMap<String, String> =
        config.channels.iter().map(|(slug, channel)| (slug.clone(), channel.kind.to_string())).collect();
    if !has_database(config) {
        // An empty database would begin with the first directory.
        let first = config.first_directory.as_deref();
        let named = directory.filter(|named| first.is_none_or(|first| !is_same_file(named, first)));
        let named = named.map(|file| (file, file_faults(file, None)));
        let first = first.map(|file| (file, file_faults(file, Some(&channels))));
        let found: Vec<(&Path, Found)> = named.into_iter().chain(first).collect();
        let faults = found.iter().flat_map(|(file, found)| found.shown(file)).collect();
        return Ok((faults, found.iter().map(|(_, found)| found.cases).sum()));
    }
    let loaded = directory.map(directory_file::load);
    let text = loaded.as_ref().and_then(|loaded| Some(loaded.as_ref().ok()?.text.clone()));
    let answer = perform(config, Job::Check { channels, file: text }).await?;
    let mut found: Found = serde_json::from_str(&answer).map_err(|error| format!("the answer cannot be read: {error}"))?;
    let at_hand = loaded.map(|loaded| loaded.map_or_else(|fault| vec![fault], |loaded| loaded.faults)).unwrap_or_default();
    found.file.splice(0..0, at_hand);
    let file = directory.map(|file| found.shown(file)).unwrap_or_default();
    let stored = found.stored.iter().map(|fault| format!("stored directory: {fault}"));
    Ok((file.into_iter().chain(stored).collect(), found.cases))
}

/// Faults of a file that stands alone, and of what it says about the channels of the configuration where these are named.
fn file_faults(file: &Path, channels: Option<&BTreeMap<String, String>>) -> Found {
    let loaded = match directory_file::load(file) {
        Ok(loaded) => loaded,
        Err(fault) => return Found { file: vec![fault], ..Found::default() },
    };
    let (mut found, merged) = text_faults(&Directory::default(), &loaded.text);
    found.file.splice(0..0, loaded.faults);
    if let (Some(directory), Some(channels)) = (merged, channels) {
        found.file.extend(slug_faults(&directory, channels));
    }
    found
}

/// Faults of a directory file's text on top of a directory, and the directory that it makes of it. Its test cases are run
/// where there is one.
fn text_faults(current: &Directory, text: &str) -> (Found, Option<Directory>) {
    let tests = RuleTests::read(text);
    let merged = merge_text(current, text, MergeOptions::default());
    let (mut file, cases) = match &merged {
        Ok(directory) => ([rule_faults(directory), tests.run(directory)].concat(), tests.len()),
        Err(faults) => (faults.clone(), 0),
    };
    file.extend_from_slice(tests.faults());
    (Found { file, cases, ..Found::default() }, merged.ok())
}

/// What is wrong with a directory, and what in it can never assign.
fn rule_faults(directory: &Directory) -> Vec<Fault> {
    let faults = validate(directory);
    // Rules that are wrong in themselves say nothing about whom they reach.
    if faults.is_empty() { never(directory) } else { faults }
}

impl Found {
    /// The faults of the file in words.
    fn shown(&self, file: &Path) -> Vec<String> {
        let file = file.display().to_string();
        self.file.iter().map(|fault| fault.clone().in_file(&file).to_string()).collect()
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Whether there is a database to look into; looking must not make one.
fn has_database(config: &Config) -> bool {
    match socket_path(config) {
        Some(socket) => socket.with_extension("").exists(),
        None => config.database.url.expose_secret().starts_with("postgres"),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, everything};
    use crate::config::Config;
    use crate::control::{Job, perform};
    use std::path::{Path, PathBuf};

    const STORED: &str = "[[teams]]\nslug = \"support\"\n[[users]]\nemail = \"ann@desk.test\"\nrole = \"admin\"\n";

    fn folder(config: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("switchboard.toml");
        let url = format!("sqlite:{}", folder.path().join("desk.db").display());
        std::fs::write(&file, format!("{config}\n[database]\nurl = \"{url}\"\n")).unwrap();
        (folder, file)
    }

    async fn found(config: &Path, file: &Path) -> Vec<String> {
        let shown = format!("{}: ", file.display());
        let (found, _) = everything(&Config::load(config).unwrap(), Some(file)).await.unwrap();
        found.into_iter().map(|line| line.replace(&shown, "")).collect()
    }

    #[tokio::test]
    async fn a_directory_file_is_checked_as_it_would_change_what_is_stored() {
        let (folder, config) = folder("");
        let file = folder.path().join("edit.toml");
        std::fs::write(&file, "[[users]]\nemail = \"bo@desk.test\"\nteam = \"support\"\nholidays = [\"norway\"]\n").unwrap();
        let alone = found(&config, &file).await;
        assert_eq!(alone.len(), 2, "without a database the file stands alone, so the team is unknown too: {alone:?}");
        assert!(!folder.path().join("desk.db").exists(), "looking makes no database");
        let job = Job::Apply { text: STORED.to_owned(), dry_run: false, prune: false };
        perform(&Config::load(&config).unwrap(), job).await.unwrap();
        assert_eq!(found(&config, &file).await, ["users[0].holidays[0]: unknown holiday calendar `norway`; there is none yet"]);
        let calendar = "[[holidays]]\nslug = \"norway\"\nical = \"no.ics\"\n";
        std::fs::write(&file, format!("{calendar}[[users]]\nemail = \"bo@desk.test\"\nteam = \"sales\"\n")).unwrap();
        let both = found(&config, &file).await;
        assert!(both.len() == 2 && both[0].starts_with("holidays[0].ical") && both[1].starts_with("users[0].team"), "{both:?}");
    }

    #[tokio::test]
    async fn r7_7_and_r13_3_rules_that_can_never_assign_and_cases_that_fail_are_named() {
        let (folder, config) = folder("");
        let file = folder.path().join("edit.toml");
        let job = Job::Apply { text: STORED.to_owned(), dry_run: false, prune: false };
        perform(&Config::load(&config).unwrap(), job).await.unwrap();
        let rule = |capacity: u32, expect: &str| {
            format!(
                "[[users]]\nemail = \"bo@desk.test\"\nteam = \"support\"\nseat = \"service\"\ncapacity = {{ total = {capacity} }}\n\
                 [[workspaces]]\nslug = \"mail\"\nkind = \"inbox\"\n[[channels]]\nslug = \"mail\"\nkind = \"email\"\nworkspace = \"mail\"\n\
                 [[channels.rule.cases]]\ntarget = {{ users_and_teams = [\"team:support\"] }}\n\
                 [[tests]]\nname = \"a mail\"\nchannel = \"mail\"\nexpect = {expect}\n"
            )
        };
        std::fs::write(&file, rule(0, "{ unassigned = \"nobody_eligible\" }")).unwrap();
        let never = found(&config, &file).await;
        assert!(never.len() == 1 && never[0].starts_with("channels.mail.rule.cases[0]"), "{never:?}");
        std::fs::write(&file, rule(1, "{ waits = true }")).unwrap();
        let failed = found(&config, &file).await;
        assert!(failed.len() == 1 && failed[0].starts_with("tests[0]: test \"a mail\" failed"), "{failed:?}");
        std::fs::write(&file, rule(1, "{ owner = \"bo@desk.test\" }")).unwrap();
        let (faults, cases) = everything(&Config::load(&config).unwrap(), Some(&file)).await.unwrap();
        assert_eq!((faults, cases), (Vec::new(), 1));
    }

    #[tokio::test]
    async fn two_widgets_with_one_key_are_a_fault_that_names_both() {
        let chat = |slug: &str, key: &str| format!("[channels.{slug}]\nkind = \"chat\"\nkey = \"{key}\"\n");
        let (_folder, config) = folder(&(chat("shop", "same_key") + &chat("club", "same_key") + &chat("bar", "other_key")));
        let message = check(&config, None).await.unwrap_err();
        assert!(message.starts_with("1 fault\n") && !message.contains("bar"), "{message}");
        assert!(["channels.shop.key", "`same_key`", "`channels.club`"].iter().all(|word| message.contains(word)), "{message}");
    }

    #[tokio::test]
    async fn faults_of_configuration_and_directory_file_are_all_named() {
        let (folder, config) = folder("frist_directory = \"x\"\n");
        let file = folder.path().join("edit.toml");
        std::fs::write(&file, "[[user]]\n").unwrap();
        let message = check(&config, Some(&file)).await.unwrap_err();
        assert!(message.contains("frist_directory") && message.contains("`user`"), "{message}");
    }
}
