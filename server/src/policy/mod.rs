//! TEMP
use wire::approval::{Effect, Rule};
use wire::session::ToolRequest;
/// r
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);
/// r
pub struct Request<'a> {
    /// a
    pub agent: &'a str,
    /// a
    pub role: Option<&'a str>,
    /// a
    pub session: &'a str,
    /// a
    pub dir: &'a str,
    /// a
    pub repo: Option<&'a str>,
    /// a
    pub tool: Option<&'a ToolRequest>,
}
/// j
pub struct Judged {
    /// a
    pub effect: Effect,
    /// a
    pub rule: Option<String>,
    /// a
    pub why: Option<String>,
}
impl Judged {
    /// a
    pub fn ask(why: &str) -> Self {
        Self { effect: Effect::Ask, rule: None, why: Some(why.to_owned()) }
    }
}
impl Rules {
    /// a
    pub fn parse(_t: &str) -> Result<Self, String> {
        Ok(Self::default())
    }
    /// a
    pub fn as_slice(&self) -> &[Rule] {
        &self.0
    }
}
/// j
pub fn judge(_r: &Rules, _q: &Request<'_>) -> Judged {
    Judged::ask("")
}
