//! Everything that is logged in this process, by us and by libraries, on every thread.
//!
//! Adapters hand work to tasks and threads of their own, so nothing less than the subscriber of the whole process hears all
//! of it. There is one, it stays, and whoever listens hears the lines of every test that runs beside: look for texts that
//! no other test has.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use switchboard_channel::may_be_logged;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// One event, or a span's fields when it begins and when it gets more of them.
#[derive(Debug)]
pub struct LogLine {
    /// `ERROR` to `TRACE`.
    pub level: &'static str,
    /// The module that logged it, or what it named instead.
    pub target: String,
    /// What it says, `message` among them, as a line of text would have it.
    pub fields: Vec<(String, String)>,
    is_grave: bool,
}

type Listener = Arc<dyn Fn(&LogLine) + Send + Sync>;

static LISTENERS: RwLock<Vec<(u64, Listener)>> = RwLock::new(Vec::new());

/// Hears lines until it is dropped.
#[must_use = "it hears nothing any more once it is dropped"]
pub struct Listening(u64);

/// Calls `hear` for each line from now on, of every level. It must not log.
///
/// # Panics
/// When somebody else has become the process's subscriber already.
pub fn listen(hear: impl Fn(&LogLine) + Send + Sync + 'static) -> Listening {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    static LAST: AtomicU64 = AtomicU64::new(0);
    let installed =
        INSTALLED.get_or_init(|| tracing_subscriber::registry().with(Tap).try_init().map_err(|error| error.to_string()));
    if let Err(error) = installed {
        panic!("nothing that is logged can be heard, because something else hears it: {error}");
    }
    let id = LAST.fetch_add(1, Ordering::Relaxed);
    LISTENERS.write().unwrap_or_else(PoisonError::into_inner).push((id, Arc::new(hear)));
    Listening(id)
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.write().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| *id != self.0);
    }
}

impl LogLine {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether the host would write it down, if its filter let everything through.
    #[must_use]
    pub fn may_be_written(&self) -> bool {
        may_be_logged(&self.target, self.is_grave)
    }

    fn of(metadata: &Metadata<'_>, fields: Fields) -> Self {
        let Fields(mut fields) = fields;
        // What comes by way of the `log` crate names its own target.
        let target = fields.iter().find(|(name, _)| name == "log.target").map(|(_, target)| target.clone());
        fields.retain(|(name, _)| !name.starts_with("log."));
        let target = target.unwrap_or_else(|| metadata.target().to_owned());
        Self { level: metadata.level().as_str(), target, fields, is_grave: *metadata.level() <= Level::WARN }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}:", self.level, self.target)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

/// The process's subscriber.
struct Tap;

impl Tap {
    fn tell(metadata: &Metadata<'_>, read: impl FnOnce(&mut Fields)) {
        let listeners: Vec<Listener> = {
            let listeners = LISTENERS.read().unwrap_or_else(PoisonError::into_inner);
            listeners.iter().map(|(_, listener)| Arc::clone(listener)).collect()
        };
        if listeners.is_empty() {
            return;
        }
        let mut fields = Fields::default();
        read(&mut fields);
        let line = LogLine::of(metadata, fields);
        listeners.iter().for_each(|listener| listener(&line));
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Tap {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        Self::tell(attributes.metadata(), |fields| attributes.record(fields));
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(metadata) = context.metadata(span) {
            Self::tell(metadata, |fields| values.record(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        Self::tell(event.metadata(), |fields| event.record(fields));
    }
}

#[derive(Default)]
struct Fields(Vec<(String, String)>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name().to_owned(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Writing to a string fails only where the value itself cannot be shown; what came so far counts.
        let _ = write!(text, "{value:?}");
        self.0.push((field.name().to_owned(), text));
    }
}
