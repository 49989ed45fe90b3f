//! Who may do what: the only place where that is decided.
//!
//! [`Action::least_role`] says which role an action needs, and [`ROUTES`] which action each route is. A route that
//! is missing here is refused for everybody. What a person may open (ROUTING 2.2, 2.4, 3.3) is a matter of
//! workspaces and stays with the engine; a seat is never needed here (ROUTING 7.8).

use http::Method;
use switchboard_engine::Scope;
use switchboard_model::Role;

/// Something that needs permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Read items, messages, contacts, decisions, people, channels and rules.
    Read,
    /// Write replies and notes, and have failed ones sent again.
    Write,
    /// Change owner, team, status and priority of items, return, move and merge them, and set contact owners.
    Assign,
    /// Set one's own availability.
    OwnStatus,
    /// Set a colleague's availability (ROUTING 4.3).
    ColleagueStatus,
    /// Have an item routed again.
    Route,
    /// Edit routing rules (ROUTING 7.8).
    Rules,
    /// Read and apply the directory.
    Directory,
    /// Deactivate users (ROUTING 12.5).
    Deactivate,
    /// List, make and revoke tokens.
    Tokens,
    /// Read the audit log.
    Audit,
}

impl Action {
    /// Every action, by ascending role.
    pub(crate) const ALL: [Self; 11] = [
        Self::Read,
        Self::Write,
        Self::Assign,
        Self::OwnStatus,
        Self::ColleagueStatus,
        Self::Route,
        Self::Rules,
        Self::Directory,
        Self::Deactivate,
        Self::Tokens,
        Self::Audit,
    ];

    /// The lowest role that may do it; every higher role may as well.
    pub(crate) const fn least_role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Write | Self::Assign | Self::OwnStatus => Role::Agent,
            Self::ColleagueStatus | Self::Route | Self::Rules => Role::Lead,
            Self::Directory | Self::Deactivate | Self::Tokens | Self::Audit => Role::Admin,
        }
    }

    /// The word by which the desk knows it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Assign => "assign",
            Self::OwnStatus => "own_status",
            Self::ColleagueStatus => "colleague_status",
            Self::Route => "route",
            Self::Rules => "rules",
            Self::Directory => "directory",
            Self::Deactivate => "deactivate",
            Self::Tokens => "tokens",
            Self::Audit => "audit",
        }
    }

    /// Whether a role may do it.
    pub(crate) fn allowed_to(self, role: Role) -> bool {
        role >= self.least_role()
    }
}

/// What a route asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Public,
    /// A signed-in person of any role; a token stands for no person.
    Person,
    /// A person or a token that may do this.
    May(Action),
}

/// How large a body a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodySize {
    /// An ordinary request.
    Request,
    /// A message with its files.
    Message,
    /// A directory file.
    Directory,
}

/// One route.
#[derive(Clone, Debug)]
pub(crate) struct RouteEntry {
    /// Its method; a `GET` route also answers `HEAD`.
    pub(crate) method: Method,
    /// Its path as registered.
    pub(crate) path: &'static str,
    /// What it asks of the caller.
    pub(crate) access: Access,
    /// How large a body it takes.
    pub(crate) body: BodySize,
}

/// The role that a token stands for: that of its strongest scope, and none without any. A program that may write
/// stands in for whoever runs the floor, so it has the role of a lead, as the engine has it too.
pub(crate) fn role_of_scopes(scopes: &[Scope]) -> Option<Role> {
    scopes.iter().max().map(|scope| match scope {
        Scope::Read => Role::Viewer,
        Scope::Write => Role::Lead,
        Scope::Admin => Role::Admin,
    })
}

/// The path below `/api/v1` by which the table knows a registered path. Conversations and tickets have the
/// routes of items.
pub(crate) fn canonical(matched: &str) -> String {
    let path = matched.strip_prefix("/api/v1").unwrap_or(matched);
    let rest = path.strip_prefix("/conversations").or_else(|| path.strip_prefix("/tickets"));
    rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).map_or_else(|| path.to_owned(), |rest| format!("/items{rest}"))
}

/// The entry of a route; `HEAD` is looked up as `GET`.
pub(crate) fn route(method: &Method, matched: &str) -> Option<&'static RouteEntry> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let path = canonical(matched);
    ROUTES.iter().find(|entry| entry.path == path && entry.method == *method)
}

/// The methods of a path, as the `Allow` header lists them; empty when there is no such path.
pub(crate) fn methods_of(matched: &str) -> String {
    let path = canonical(matched);
    let methods: Vec<&str> = ROUTES.iter().filter(|entry| entry.path == path).map(|entry| entry.method.as_str()).collect();
    methods.join(", ")
}

/// Every route below `/api/v1`.
pub(crate) static ROUTES: &[RouteEntry] = &[
    entry(Method::POST, "/session", Access::Public),
    entry(Method::DELETE, "/session", Access::Public),
    entry(Method::GET, "/sessions", Access::Person),
    entry(Method::DELETE, "/sessions/{id}", Access::Person),
    entry(Method::GET, "/me", Access::Person),
    entry(Method::PUT, "/me/password", Access::Person),
    entry(Method::PUT, "/me/language", Access::Person),
    entry(Method::PUT, "/me/undo-send", Access::Person),
    get("/items", Action::Read),
    get("/items/{id}", Action::Read),
    get("/items/{id}/messages", Action::Read),
    sized(post("/items/{id}/messages", Action::Write), BodySize::Message),
    get("/items/{id}/presence", Action::Read),
    put("/items/{id}/presence", Action::Read),
    post("/items/{id}/transcript", Action::Write),
    put("/items/{id}/owner", Action::Assign),
    get("/items/{id}/assignable", Action::Assign),
    post("/items/{id}/return", Action::Assign),
    post("/items/{id}/move", Action::Assign),
    post("/items/{id}/merge", Action::Assign),
    post("/items/{id}/route", Action::Route),
    put("/items/{id}/status", Action::Assign),
    put("/items/{id}/priority", Action::Assign),
    get("/items/{id}/decisions", Action::Read),
    get("/items/{id}/waiting", Action::Read),
    get("/items/{id}/why-not/{user}", Action::Read),
    get("/decisions/{id}/explanation", Action::Read),
    get("/messages/{id}/raw", Action::Read),
    post("/messages/{id}/retry", Action::Write),
    post("/messages/{id}/recall", Action::Write),
    get("/attachments/{id}", Action::Read),
    get("/search", Action::Read),
    get("/contacts/{id}", Action::Read),
    put("/contacts/{id}/owner", Action::Assign),
    get("/users", Action::Read),
    put("/users/{id}/availability", Action::OwnStatus),
    get("/users/{id}/statuses", Action::Read),
    post("/users/{id}/deactivate", Action::Deactivate),
    get("/teams", Action::Read),
    get("/workspaces", Action::Read),
    get("/channels", Action::Read),
    get("/channels/{slug}/rule", Action::Read),
    put("/channels/{slug}/rule", Action::Rules),
    get("/directory", Action::Directory),
    sized(put("/directory", Action::Directory), BodySize::Directory),
    get("/tokens", Action::Tokens),
    post("/tokens", Action::Tokens),
    delete("/tokens/{id}", Action::Tokens),
    get("/audit", Action::Audit),
    get("/events", Action::Read),
];

const fn entry(method: Method, path: &'static str, access: Access) -> RouteEntry {
    RouteEntry { method, path, access, body: BodySize::Request }
}

const fn get(path: &'static str, action: Action) -> RouteEntry {
    entry(Method::GET, path, Access::May(action))
}

const fn post(path: &'static str, action: Action) -> RouteEntry {
    entry(Method::POST, path, Access::May(action))
}

const fn put(path: &'static str, action: Action) -> RouteEntry {
    entry(Method::PUT, path, Access::May(action))
}

const fn delete(path: &'static str, action: Action) -> RouteEntry {
    entry(Method::DELETE, path, Access::May(action))
}

const fn sized(mut entry: RouteEntry, body: BodySize) -> RouteEntry {
    entry.body = body;
    entry
}

#[cfg(test)]
mod tests {
    use super::{Access, Action, ROUTES, canonical, methods_of, role_of_scopes, route};
    use http::Method;
    use switchboard_engine::Scope;
    use switchboard_model::Role;

    #[test]
    fn higher_roles_may_whatever_lower_ones_may() {
        for action in Action::ALL {
            let allowed: Vec<bool> = Role::ALL.iter().map(|role| action.allowed_to(*role)).collect();
            assert!(allowed.is_sorted(), "{action:?}: {allowed:?}");
            assert!(action.allowed_to(Role::Admin));
        }
    }

    #[test]
    fn r7_8_leads_edit_rules_and_agents_do_not() {
        assert!(Action::Rules.allowed_to(Role::Lead));
        assert!(!Action::Rules.allowed_to(Role::Agent));
    }

    #[test]
    fn viewers_only_read() {
        let allowed: Vec<Action> = Action::ALL.into_iter().filter(|action| action.allowed_to(Role::Viewer)).collect();
        assert_eq!(allowed, [Action::Read]);
    }

    #[test]
    fn a_token_stands_for_its_strongest_scope() {
        assert_eq!(role_of_scopes(&[Scope::Read, Scope::Write]), Some(Role::Lead));
        assert_eq!(role_of_scopes(&[Scope::Admin, Scope::Read]), Some(Role::Admin));
        assert_eq!(role_of_scopes(&[Scope::Read]), Some(Role::Viewer));
        assert_eq!(role_of_scopes(&[]), None);
    }

    #[test]
    fn conversations_and_tickets_are_looked_up_as_items() {
        assert_eq!(canonical("/api/v1/conversations/{id}/owner"), "/items/{id}/owner");
        assert_eq!(canonical("/api/v1/tickets"), "/items");
        assert_eq!(canonical("/api/v1/ticketsale"), "/ticketsale");
        let head = route(&Method::HEAD, "/api/v1/tickets/{id}").expect("the route of items");
        assert_eq!(head.access, Access::May(Action::Read));
        assert_eq!(methods_of("/api/v1/conversations/{id}/messages"), "GET, POST");
    }

    #[test]
    fn no_route_is_listed_twice() {
        for (index, entry) in ROUTES.iter().enumerate() {
            let same = |other: &&super::RouteEntry| other.path == entry.path && other.method == entry.method;
            assert_eq!(ROUTES.iter().position(|other| same(&other)), Some(index), "{} {}", entry.method, entry.path);
        }
    }
}
