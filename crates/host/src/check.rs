//! `switchboard check`: every fault of the configuration, of the stored directory and of a directory file.

use crate::config::Config;
use crate::control::{Job, perform, socket_path};
use crate::directory_file;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use switchboard_core::validate;
use switchboard_engine::Engine;
use switchboard_engine::directory::{MergeOptions, merge_text};
use switchboard_model::{Directory, Fault};

/// What a check of the database has found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    /// Faults of the stored directory, alone and beside the configuration.
    pub stored: Vec<Fault>,
    /// Faults that a directory file has, or would bring about.
    pub file: Vec<Fault>,
}

/// Checks configuration, stored directory and, if named, a directory file as it would change the stored one.
pub async fn check(config: &Path, directory: Option<&Path>) -> Result<(), String> {
    let loaded = Config::load(config);
    let mut faults: Vec<String> = Vec::new();
    if let Err(found) = &loaded {
        faults.extend(found.iter().map(ToString::to_string));
    }
    let config_file = config;
    match &loaded {
        Ok(config) => faults.extend(everything(config, directory).await?),
        Err(_) => faults.extend(directory.map(|file| shown(file, &file_faults(file))).unwrap_or_default()),
    }
    if faults.is_empty() {
        println!("{}: no faults", config_file.display());
        return Ok(());
    }
    Err(format!("{} {}\n{}", faults.len(), if faults.len() == 1 { "fault" } else { "faults" }, faults.join("\n")))
}

/// Faults of what is stored, and of a directory file that is to be merged into it (ROUTING 7.7).
pub fn stored_faults(engine: &Engine, channels: &BTreeMap<String, String>, file: Option<&str>) -> Result<String, String> {
    let directory = engine.directory();
    let found = Found {
        stored: [validate(&directory), slug_faults(&directory, channels)].concat(),
        file: file.map(|text| text_faults(&directory, text)).unwrap_or_default(),
    };
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

async fn everything(config: &Config, directory: Option<&Path>) -> Result<Vec<String>, String> {
    let channels: BTreeMap<String, String> =
        config.channels.iter().map(|(slug, channel)| (slug.clone(), channel.kind.to_string())).collect();
    if !has_database(config) {
        let first = config.first_directory.as_deref();
        let first_faults = first.map(|file| shown(file, &first_faults(file, &channels))).unwrap_or_default();
        let file_faults = directory.map(|file| shown(file, &file_faults(file))).unwrap_or_default();
        return Ok([file_faults, first_faults].concat());
    }
    let mut faults = Vec::new();
    let mut text = None;
    match directory.map(directory_file::load) {
        Some(Ok(loaded)) => {
            faults.extend(loaded.faults);
            text = Some(loaded.text);
        }
        Some(Err(fault)) => faults.push(fault),
        None => {}
    }
    let answer = perform(config, Job::Check { channels, file: text }).await?;
    let found: Found = serde_json::from_str(&answer).map_err(|error| format!("the answer cannot be read: {error}"))?;
    faults.extend(found.file);
    let file = directory.map(|file| shown(file, &faults)).unwrap_or_default();
    Ok(file.into_iter().chain(found.stored.iter().map(|fault| format!("stored directory: {fault}"))).collect())
}

/// Faults of a file that an empty database would begin with.
fn first_faults(file: &Path, channels: &BTreeMap<String, String>) -> Vec<Fault> {
    let loaded = match directory_file::load(file) {
        Ok(loaded) => loaded,
        Err(fault) => return vec![fault],
    };
    let merged = merge_text(&Directory::default(), &loaded.text, MergeOptions::default());
    let slugs = merged.map(|directory| slug_faults(&directory, channels)).unwrap_or_default();
    [loaded.faults, text_faults(&Directory::default(), &loaded.text), slugs].concat()
}

/// Faults of a file that stands alone.
fn file_faults(file: &Path) -> Vec<Fault> {
    match directory_file::load(file) {
        Ok(loaded) => [loaded.faults, text_faults(&Directory::default(), &loaded.text)].concat(),
        Err(fault) => vec![fault],
    }
}

/// Faults of a directory file's text on top of a directory.
fn text_faults(current: &Directory, text: &str) -> Vec<Fault> {
    match merge_text(current, text, MergeOptions::default()) {
        Ok(directory) => validate(&directory),
        Err(faults) => faults,
    }
}

fn shown(file: &Path, faults: &[Fault]) -> Vec<String> {
    let file = file.display().to_string();
    faults.iter().map(|fault| fault.clone().in_file(&file).to_string()).collect()
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
        let found = everything(&Config::load(config).unwrap(), Some(file)).await.unwrap();
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
    async fn faults_of_configuration_and_directory_file_are_all_named() {
        let (folder, config) = folder("frist_directory = \"x\"\n");
        let file = folder.path().join("edit.toml");
        std::fs::write(&file, "[[user]]\n").unwrap();
        let message = check(&config, Some(&file)).await.unwrap_err();
        assert!(message.contains("frist_directory") && message.contains("`user`"), "{message}");
    }
}
