//! What reaches the log. Our own lines follow `log.filter`; libraries may warn, and those that handle what strangers
//! send stay silent, whatever the filter says (`switchboard_channel::may_be_logged`): message texts and addresses are never
//! logged, and nobody outside can fill the log (DESIGN 3.11).

use crate::config::Log;
use std::io::IsTerminal;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard error.
///
/// # Errors
/// One line when the filter cannot be read.
pub fn start(log: &Log) -> Result<(), String> {
    let colours = std::io::stderr().is_terminal();
    subscriber(log, std::io::stderr, colours)?.try_init().map_err(|error| format!("logging cannot be started: {error}"))
}

fn subscriber<W>(log: &Log, writer: W, colours: bool) -> Result<impl Subscriber + Send + Sync + use<W>, String>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| format!("log.filter: {error}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(colours);
    let lines = if log.json { lines.json().boxed() } else { lines.boxed() };
    Ok(tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(may_be_logged)))
}

/// Held against every line besides the filter, so that no directive of it, however exact, lets more through.
fn may_be_logged(line: &Metadata<'_>) -> bool {
    switchboard_channel::may_be_logged(line.target(), *line.level() <= Level::WARN)
}

#[cfg(test)]
mod tests {
    use super::subscriber;
    use crate::config::Log;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, json: bool) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = Log { filter: filter.to_owned(), json };
        tracing::subscriber::with_default(subscriber(&log, move || writer.clone(), false).unwrap(), || {
            tracing::debug!(target: "switchboard_engine::intake", "ours, in detail");
            tracing::info!(target: "switchboard", "ours");
            tracing::warn!(target: "html5ever::tree_builder", "foster parenting");
            tracing::debug!(target: "html5ever::tokenizer", "processing a letter");
            tracing::error!(target: "lettre::transport::smtp::client", "RCPT TO");
            tracing::debug!(target: "sqlx::query", "INSERT");
            tracing::info!(target: "hyper::proto::h1", "a header");
            tracing::warn!(target: "sqlx::pool::acquire", "a slow connection");
            tracing::warn!(target: "switchboardish", "a warning");
            tracing::info!(target: "switchboardish", "no warning");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn no_filter_makes_libraries_print_what_strangers_sent() {
        for filter in ["trace", "html5ever=trace,html5ever::tree_builder=trace,lettre=trace,sqlx=trace,hyper::proto=trace,info"] {
            let text = logged(filter, false);
            for line in ["foster parenting", "processing a letter", "RCPT TO", "INSERT", "a header", "no warning"] {
                assert!(!text.contains(line), "`{filter}` lets through: {text}");
            }
            for line in ["INFO switchboard: ours", "WARN sqlx::pool::acquire: a slow connection", "a warning"] {
                assert!(text.contains(line), "`{filter}` holds back `{line}`: {text}");
            }
        }
    }

    #[test]
    fn our_own_lines_follow_the_filter() {
        assert!(logged("debug", false).contains("DEBUG switchboard_engine::intake: ours, in detail"));
        assert!(!logged("info", false).contains("in detail"));
        assert_eq!(logged("off", false), "");
        assert!(logged("info", true).lines().all(|line| line.starts_with('{') && line.ends_with('}')));
    }
}
