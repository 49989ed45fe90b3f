//! What every handler has at hand.

use crate::events::Streams;
use crate::limits::Limits;
use crate::options::ApiOptions;
use crate::origin::origin_of;
use crate::problem::{Problem, ProblemCode};
use serde_json::Value;
use std::sync::Arc;
use switchboard_engine::{Engine, EngineError, EngineErrorKind};

/// What every handler has at hand; cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    /// The use cases.
    pub(crate) engine: Engine,
    /// What the host decided.
    pub(crate) options: Arc<ApiOptions>,
    /// Rate limits.
    pub(crate) limits: Arc<Limits>,
    /// Open live streams.
    pub(crate) streams: Arc<Streams>,
    /// Scheme, host and port of the public address.
    pub(crate) public_origin: Option<Arc<str>>,
}

impl Api {
    /// The state for a host's engine and options.
    pub(crate) fn new(engine: Engine, options: ApiOptions) -> Self {
        let public_origin = options.public_url.as_deref().and_then(origin_of).map(Arc::from);
        let limits = Arc::new(Limits::new(&options.rates));
        let streams = Arc::new(Streams::new(options.rates.streams_per_caller));
        Self { engine, options: Arc::new(options), limits, streams, public_origin }
    }

    /// Whether people reach the desk over https.
    pub(crate) fn is_https(&self) -> bool {
        self.public_origin.as_deref().is_some_and(|origin| origin.starts_with("https://"))
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let EngineError { kind, message, current, faults } = error;
        let code = match kind {
            EngineErrorKind::Unauthenticated => ProblemCode::Unauthenticated,
            EngineErrorKind::Forbidden => ProblemCode::Forbidden,
            EngineErrorKind::NotFound => ProblemCode::NotFound,
            EngineErrorKind::Conflict => ProblemCode::Conflict,
            EngineErrorKind::NewMessages => ProblemCode::NewMessages,
            EngineErrorKind::Invalid => return Self::invalid(message, faults),
            EngineErrorKind::Unavailable | EngineErrorKind::Unknown => {
                return Self::new(ProblemCode::Unavailable, message).retry_after_s(5);
            }
            EngineErrorKind::Busy => return Self::new(ProblemCode::Unavailable, message).retry_after_s(1),
            EngineErrorKind::Internal => {
                tracing::error!(error = %message, "a use case failed");
                return Self::internal();
            }
        };
        let current = current.and_then(|row| serde_json::to_value(row).ok()).filter(Value::is_object);
        Self::new(code, message).with_current(current)
    }
}

#[cfg(test)]
mod tests {
    use crate::problem::Problem;
    use switchboard_engine::{EngineError, EngineErrorKind};
    use switchboard_model::Fault;

    #[test]
    fn each_kind_of_failure_has_its_status() {
        for (kind, status) in [
            (EngineErrorKind::Unauthenticated, 401),
            (EngineErrorKind::Forbidden, 403),
            (EngineErrorKind::NotFound, 404),
            (EngineErrorKind::Conflict, 409),
            (EngineErrorKind::NewMessages, 409),
            (EngineErrorKind::Invalid, 422),
            (EngineErrorKind::Internal, 500),
            (EngineErrorKind::Unavailable, 503),
            (EngineErrorKind::Busy, 503),
            (EngineErrorKind::Unknown, 503),
        ] {
            assert_eq!(Problem::from(EngineError::new(kind, "why")).status(), status, "{kind:?}");
        }
    }

    #[test]
    fn every_fault_is_passed_on_and_inner_words_are_not() {
        let faults = vec![Fault::new("rule.cases[0]", "one"), Fault::new("rule.cases[1]", "two")];
        assert_eq!(Problem::from(EngineError::faulty(faults.clone())).document().errors, faults);
        let inner = Problem::from(EngineError::new(EngineErrorKind::Internal, "table item has no column x"));
        assert!(!inner.document().detail.contains("column"));
    }
}
