//! The routes below `/api/v1`, by what they are about. Handlers are thin: take out, ask the engine, show.

mod account;
mod channels;
mod decisions;
mod directory;
mod items;
mod live;
mod moving;
mod people;
mod presence;
mod thread;
mod tokens;

use crate::problem::{Problem, ProblemCode};
use crate::state::Api;
use serde::{Deserialize, Deserializer};
use switchboard_model::ItemKind;
use utoipa_axum::router::OpenApiRouter;

/// Every route with its documentation, relative to `/api/v1`.
pub(crate) fn all() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .merge(account::routes())
        .merge(tokens::routes())
        .nest("/items", item_routes())
        .nest("/conversations", item_routes())
        .nest("/tickets", item_routes())
        .merge(thread::message_routes())
        .merge(decisions::explanation_routes())
        .merge(people::routes())
        .merge(channels::routes())
        .merge(directory::routes())
        .merge(live::routes())
}

/// The routes that items, conversations and tickets share.
fn item_routes() -> OpenApiRouter<Api> {
    items::routes().merge(moving::routes()).merge(thread::routes()).merge(presence::routes()).merge(decisions::routes())
}

/// Rows of a page when the request does not say.
const DEFAULT_LIMIT: u32 = 50;
/// Most rows of a page.
const MAX_LIMIT: u32 = 200;

/// The number of rows asked for, within its bounds.
fn rows(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        None => Ok(DEFAULT_LIMIT),
        Some(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::invalid_value("limit", format!("is 1 to {MAX_LIMIT}"))),
    }
}

/// There is nothing of that kind under that id.
fn no_such(kind: ItemKind) -> Problem {
    Problem::new(ProblemCode::NotFound, format!("There is no such {kind}, or you may not open it."))
}

/// A field that must be there and may be null. Without it, leaving a field out would silently mean null.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn pages_have_between_one_and_two_hundred_rows() {
        assert_eq!(rows(None).expect("the default"), 50);
        assert_eq!(rows(Some(200)).expect("the most"), 200);
        assert_eq!(rows(Some(0)).expect_err("none").status(), 422);
        assert_eq!(rows(Some(201)).expect_err("too many").status(), 422);
    }
}
