//! Who may call which route: one table, denied by default. Must not: check credentials.

use axum::http::Method;

use crate::store::Scope;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it gives nothing away.
    Open,
    /// A person: the command line or a browser that was logged in.
    Person,
    /// The command line.
    Admin,
    /// The command line's feed: no browser.
    Cli,
    /// The dashboard's feed: a browser, from our own page.
    Feed,
    /// A wrapper: no browser.
    Wrapper,
}

/// Every route with a handler of its own.
pub const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/healthz", Access::Open),
    ("GET", "/login", Access::Open),
    ("POST", "/v1/login-links", Access::Admin),
    ("GET", "/v1/me", Access::Person),
    ("GET", "/v1/status", Access::Person),
    ("POST", "/v1/stop", Access::Admin),
    ("GET", "/v1/openapi.json", Access::Person),
    ("GET", "/v1/sessions", Access::Person),
    ("GET", "/v1/sessions/{session}", Access::Person),
    ("GET", "/v1/sessions/{session}/events", Access::Person),
    ("GET", "/v1/sessions/{session}/states", Access::Person),
    ("POST", "/v1/sessions/{session}/answer", Access::Person),
    ("GET", "/v1/sessions/{session}/contexts", Access::Person),
    ("GET", "/v1/sessions/{session}/recording", Access::Person),
    ("GET", "/v1/prompts", Access::Person),
    ("POST", "/v1/prompts", Access::Person),
    ("GET", "/v1/prompts/{prompt}", Access::Person),
    ("PATCH", "/v1/prompts/{prompt}", Access::Person),
    ("POST", "/v1/prompts/cancel", Access::Person),
    ("POST", "/v1/prompts/retry", Access::Person),
    ("POST", "/v1/prompts/clear", Access::Person),
    ("POST", "/v1/prompts/seen", Access::Person),
    ("POST", "/v1/prompts/{prompt}/cancel", Access::Person),
    ("POST", "/v1/prompts/{prompt}/retry", Access::Person),
    ("POST", "/v1/prompts/{prompt}/reassign", Access::Person),
    ("GET", "/v1/plan", Access::Person),
    ("POST", "/v1/plan", Access::Person),
    ("POST", "/v1/routing", Access::Person),
    ("POST", "/v1/sessions/{session}/routing", Access::Person),
    ("GET", "/v1/attempts", Access::Person),
    ("GET", "/v1/attempts/{attempt}", Access::Person),
    ("GET", "/v1/approvals", Access::Person),
    ("GET", "/v1/approvals/{approval}", Access::Person),
    ("POST", "/v1/approvals/{approval}/answer", Access::Person),
    ("GET", "/v1/policies", Access::Person),
    ("PUT", "/v1/policies", Access::Admin),
    ("GET", "/v1/policies/examples", Access::Person),
    ("POST", "/v1/policies/test", Access::Person),
    ("GET", "/v1/search", Access::Person),
    ("GET", "/v1/events", Access::Person),
    ("GET", "/v1/insight", Access::Person),
    ("GET", "/v1/audit", Access::Person),
    ("GET", "/v1/alerts", Access::Person),
    ("GET", "/v1/sinks", Access::Person),
    ("PUT", "/v1/sinks/{sink}", Access::Person),
    ("DELETE", "/v1/sinks/{sink}", Access::Person),
    ("POST", "/v1/sinks/{sink}/test", Access::Person),
    ("GET", "/v1/templates", Access::Person),
    ("PUT", "/v1/templates/{template}", Access::Person),
    ("DELETE", "/v1/templates/{template}", Access::Person),
    ("GET", "/v1/wrapper", Access::Wrapper),
    ("GET", "/v1/cli", Access::Cli),
    ("GET", "/v1/feed", Access::Feed),
];

impl Access {
    /// What a request to a route of the router asks for; `None` for the files of the dashboard's page.
    ///
    /// Invariant: under `/v1/`, what is not in the table is for the command line only.
    pub fn of(method: &Method, route: Option<&str>, path: &str) -> Option<Self> {
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        let listed = ROUTES.iter().find(|(m, p, _)| *m == method && Some(*p) == route).map(|(.., a)| *a);
        let api = path == "/v1" || path.starts_with("/v1/");
        listed.or((api || route.is_some()).then_some(Access::Admin))
    }

    /// Whether a scope is enough. Invariant: a wrapper's token opens nothing but [`Access::Wrapper`].
    pub fn allows(self, scope: Scope) -> bool {
        match self {
            Access::Open => true,
            Access::Person => matches!(scope, Scope::Admin | Scope::Browser),
            Access::Admin | Access::Cli => scope == Scope::Admin,
            Access::Feed => matches!(scope, Scope::Admin | Scope::Browser),
            Access::Wrapper => scope == Scope::Wrapper,
        }
    }

    /// Whether requests that come from a browser are refused, whatever credential they carry.
    pub fn is_machine(self) -> bool {
        matches!(self, Access::Cli | Access::Wrapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a20_a_wrappers_token_opens_its_own_endpoint_and_nothing_else() {
        for (method, path, access) in ROUTES {
            let open = *access == Access::Open || *path == "/v1/wrapper";
            assert_eq!(access.allows(Scope::Wrapper), open, "{method} {path}");
        }
        let browser: Vec<_> =
            ROUTES.iter().filter(|(.., a)| !a.allows(Scope::Browser)).map(|(_, p, _)| *p).collect();
        assert_eq!(browser, ["/v1/login-links", "/v1/stop", "/v1/policies", "/v1/wrapper", "/v1/cli"]);
    }

    #[test]
    fn a20_what_is_not_in_the_table_is_denied() {
        assert_eq!(Access::of(&Method::GET, None, "/v1/unheard"), Some(Access::Admin));
        assert_eq!(Access::of(&Method::DELETE, Some("/v1/prompts"), "/v1/prompts"), Some(Access::Admin));
        assert_eq!(Access::of(&Method::GET, None, "/index.html"), None);
    }
}
