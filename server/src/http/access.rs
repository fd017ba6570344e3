//! Who may call which route: one table, denied by default. Must not: check credentials.

use axum::http::Method;
use wire::admin::Role::{self, Admin, Approver, Assigner, Viewer};

use crate::auth::Principal;
use crate::store::Scope;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it gives nothing away.
    Open,
    /// Somebody who may do this. An agent only looks.
    May(Role),
    /// Somebody who may do this, and an agent within its bounds, which the control loop sees to.
    Within(Role),
    /// An agent, about its own work.
    Agent,
    /// An administrator, but no browser: a page must not be able to end the server or to let another browser in.
    Owner,
    /// A browser, about its own credential.
    Browser,
    /// The command line's feed: somebody who may look, and no browser.
    Cli,
    /// The dashboard's feed: somebody who may look, from our own page.
    Feed,
    /// A wrapper: no browser.
    Wrapper,
}

use Access::{May, Within};

/// Every route with a handler of its own.
pub const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/healthz", Access::Open),
    ("GET", "/login", Access::Open),
    ("POST", "/v1/login-links", Access::Owner),
    ("POST", "/v1/logout", Access::Browser),
    ("GET", "/v1/me", May(Viewer)),
    ("POST", "/v1/me/progress", Access::Agent),
    ("POST", "/v1/me/questions", Access::Agent),
    ("GET", "/v1/status", May(Viewer)),
    ("POST", "/v1/stop", Access::Owner),
    ("GET", "/v1/openapi.json", May(Viewer)),
    ("GET", "/metrics", May(Viewer)),
    ("GET", "/v1/sessions", May(Viewer)),
    ("GET", "/v1/sessions/{session}", May(Viewer)),
    ("GET", "/v1/sessions/{session}/events", May(Viewer)),
    ("GET", "/v1/sessions/{session}/states", May(Viewer)),
    ("POST", "/v1/sessions/{session}/answer", May(Approver)),
    ("GET", "/v1/sessions/{session}/contexts", May(Viewer)),
    ("GET", "/v1/sessions/{session}/recording", May(Viewer)),
    ("GET", "/v1/prompts", May(Viewer)),
    ("POST", "/v1/prompts", Within(Assigner)),
    ("GET", "/v1/prompts/{prompt}", May(Viewer)),
    ("PATCH", "/v1/prompts/{prompt}", May(Assigner)),
    ("POST", "/v1/prompts/cancel", May(Assigner)),
    ("POST", "/v1/prompts/retry", May(Assigner)),
    ("POST", "/v1/prompts/clear", May(Assigner)),
    ("POST", "/v1/prompts/seen", May(Assigner)),
    ("POST", "/v1/prompts/{prompt}/cancel", Within(Assigner)),
    ("POST", "/v1/prompts/{prompt}/retry", May(Assigner)),
    ("POST", "/v1/prompts/{prompt}/reassign", May(Assigner)),
    ("GET", "/v1/plan", May(Viewer)),
    ("POST", "/v1/plan", May(Viewer)),
    ("POST", "/v1/routing", May(Assigner)),
    ("POST", "/v1/sessions/{session}/routing", May(Assigner)),
    ("GET", "/v1/attempts", May(Viewer)),
    ("GET", "/v1/attempts/{attempt}", May(Viewer)),
    ("GET", "/v1/approvals", May(Viewer)),
    ("GET", "/v1/approvals/{approval}", May(Viewer)),
    ("POST", "/v1/approvals/{approval}/answer", May(Approver)),
    ("GET", "/v1/policies", May(Viewer)),
    ("PUT", "/v1/policies", May(Admin)),
    ("GET", "/v1/policies/examples", May(Viewer)),
    ("POST", "/v1/policies/test", May(Viewer)),
    ("GET", "/v1/search", May(Viewer)),
    // What is deleted for good no page may ask for.
    ("POST", "/v1/purge", Access::Owner),
    ("GET", "/v1/events", May(Viewer)),
    ("GET", "/v1/insight", May(Viewer)),
    ("GET", "/v1/audit", May(Viewer)),
    ("GET", "/v1/alerts", May(Viewer)),
    // Who has the address of a sink can write to it: it is told to those only who can change it.
    ("GET", "/v1/sinks", May(Admin)),
    ("PUT", "/v1/sinks/{sink}", May(Admin)),
    ("DELETE", "/v1/sinks/{sink}", May(Admin)),
    ("POST", "/v1/sinks/{sink}/test", May(Admin)),
    ("GET", "/v1/hosts", May(Viewer)),
    ("GET", "/v1/tokens", May(Admin)),
    ("POST", "/v1/tokens", May(Admin)),
    ("DELETE", "/v1/tokens/{token}", May(Admin)),
    // What a pool sets for its sessions may be a secret.
    ("GET", "/v1/pools", May(Admin)),
    ("PUT", "/v1/pools/{pool}", May(Admin)),
    ("DELETE", "/v1/pools/{pool}", May(Admin)),
    ("GET", "/v1/templates", May(Viewer)),
    ("PUT", "/v1/templates/{template}", May(Assigner)),
    ("DELETE", "/v1/templates/{template}", May(Assigner)),
    ("GET", "/v1/wrapper", Access::Wrapper),
    ("GET", "/v1/cli", Access::Cli),
    ("GET", "/v1/feed", Access::Feed),
];

impl Access {
    /// What a request to a route of the router asks for; `None` for the files of the dashboard's page.
    ///
    /// Invariant: under `/v1/`, what is not in the table is for [`Access::Owner`] only.
    pub fn of(method: &Method, route: Option<&str>, path: &str) -> Option<Self> {
        let method = if method == Method::HEAD { "GET" } else { method.as_str() };
        let listed = ROUTES.iter().find(|(m, p, _)| *m == method && Some(*p) == route).map(|(.., a)| *a);
        let api = path == "/v1" || path.starts_with("/v1/");
        listed.or((api || route.is_some()).then_some(Access::Owner))
    }

    /// Whether a caller may. Invariant: a wrapper's token opens nothing but [`Access::Wrapper`].
    pub fn allows(self, caller: &Principal) -> bool {
        match self {
            Access::Open => true,
            // Invariant: what an agent's credential opens is listed here, whatever roles it has.
            Access::May(role) => caller.may(role) && (role == Viewer || caller.bounds.is_none()),
            Access::Within(role) => caller.may(role),
            Access::Agent => caller.bounds.is_some() && caller.may(Viewer),
            Access::Owner => caller.scope != Scope::Browser && caller.bounds.is_none() && caller.may(Admin),
            Access::Browser => caller.scope == Scope::Browser,
            Access::Cli => caller.scope != Scope::Browser && caller.may(Viewer),
            Access::Feed => caller.may(Viewer),
            Access::Wrapper => caller.scope == Scope::Wrapper,
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
    use crate::store::StoredToken;
    use wire::UnixMillis;

    fn caller(scope: Scope, roles: Option<&[Role]>) -> Principal {
        let own = StoredToken::own([0; 32], scope, UnixMillis(0), None);
        let roles = roles.map_or(own.roles.clone(), <[Role]>::to_vec);
        Principal::of(&StoredToken { roles, ..own })
    }

    /// What a caller may call, as method and path.
    fn opened(caller: &Principal) -> Vec<String> {
        let open = |(.., access): &&(&str, &str, Access)| access.allows(caller) && *access != Access::Open;
        ROUTES.iter().filter(open).map(|(method, path, _)| format!("{method} {path}")).collect()
    }

    #[test]
    fn a20_a_wrappers_token_opens_its_own_endpoint_and_nothing_else() {
        assert_eq!(opened(&caller(Scope::Wrapper, None)), ["GET /v1/wrapper"]);
        // Whatever else its row says.
        assert_eq!(opened(&caller(Scope::Wrapper, Some(Role::ALL))), ["GET /v1/wrapper"]);
        assert!(opened(&caller(Scope::Token, None)).is_empty(), "no role opens nothing");
    }

    #[test]
    fn a20_a_browser_cannot_end_the_server_or_let_another_browser_in() {
        let browser = caller(Scope::Browser, None);
        let closed: Vec<_> =
            ROUTES.iter().filter(|(.., a)| !a.allows(&browser)).map(|(_, path, _)| *path).collect();
        let agents = ["/v1/me/progress", "/v1/me/questions"];
        assert_eq!(
            closed,
            [&["/v1/login-links"], &agents[..], &["/v1/stop", "/v1/purge", "/v1/wrapper", "/v1/cli"]]
                .concat()
        );
    }

    #[test]
    fn a20_a_role_never_opens_more_than_the_table_says() {
        let viewer = opened(&caller(Scope::Token, Some(&[Viewer])));
        assert!(
            viewer.iter().all(|route| route.starts_with("GET ")
                || route.ends_with("/test")
                || route.ends_with("/plan"))
        );
        for role in Role::ALL.iter().copied().filter(|role| *role != Admin) {
            let own = opened(&caller(Scope::Token, Some(&[role])));
            for (method, path, access) in ROUTES {
                let open = match access {
                    Access::Open => continue,
                    May(needed) | Within(needed) => *needed == Viewer || *needed == role,
                    Access::Cli | Access::Feed => true,
                    Access::Owner | Access::Wrapper | Access::Agent | Access::Browser => false,
                };
                assert_eq!(own.contains(&format!("{method} {path}")), open, "{role}: {method} {path}");
            }
        }
        let admin = opened(&caller(Scope::Token, Some(&[Admin])));
        assert_eq!(
            admin.len(),
            ROUTES
                .iter()
                .filter(|(.., a)| !matches!(
                    a,
                    Access::Open | Access::Wrapper | Access::Agent | Access::Browser
                ))
                .count()
        );
    }

    #[test]
    fn a40_a44_an_agent_looks_assigns_calls_off_and_speaks_of_its_own_work_and_nothing_else() {
        let agent =
            |roles| Principal { bounds: Some(Default::default()), ..caller(Scope::Token, Some(roles)) };
        let posts = |roles| {
            let opened = opened(&agent(roles)).into_iter().filter(|route| !route.starts_with("GET "));
            opened.collect::<Vec<_>>()
        };
        let own = ["POST /v1/me/progress", "POST /v1/me/questions"];
        let queue = ["POST /v1/prompts", "POST /v1/prompts/{prompt}/cancel"];
        let tries = ["POST /v1/plan", "POST /v1/policies/test"];
        assert_eq!(posts(&[Viewer]), [&own[..], &tries].concat());
        // Whatever else its row says.
        for roles in [&[Assigner][..], Role::ALL] {
            assert_eq!(posts(roles), [&own[..], &queue, &tries].concat());
        }
    }

    #[test]
    fn a20_what_is_not_in_the_table_is_denied() {
        assert_eq!(Access::of(&Method::GET, None, "/v1/unheard"), Some(Access::Owner));
        assert_eq!(Access::of(&Method::DELETE, Some("/v1/prompts"), "/v1/prompts"), Some(Access::Owner));
        assert_eq!(Access::of(&Method::GET, None, "/index.html"), None);
    }
}
