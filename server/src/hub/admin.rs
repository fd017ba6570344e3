//! What administrators ask for, and the prompts to begin with that are kept. Must not: fill one in, or queue it.

use wire::UnixMillis;
use wire::admin::{HostRow, NewToken, Template};
use wire::http::{Done, ErrorCode};

use super::Control;
use super::check;
use super::command::{By, Reply};
use crate::fault::Fault;
use crate::store::{Stored, StoredToken};

/// Most templates that are kept: a person has to find one among them.
const TEMPLATES: usize = 500;
/// Longest name, in characters.
const NAME: usize = 64;

/// What is asked about it.
pub enum Admin {
    /// All templates.
    Templates(Reply<Vec<Template>>),
    /// Hosts with live sessions.
    Hosts(Reply<Vec<HostRow>>),
    /// A token with this hash is to be kept.
    MakeToken([u8; 32], NewToken, By, Reply<StoredToken>),
    /// A token is to be forgotten.
    RevokeToken(Box<StoredToken>, By, Reply<Done>),
    /// When tokens were last used.
    UsedTokens(Vec<([u8; 32], UnixMillis)>),
    /// A template is to be kept.
    KeepTemplate(Box<Template>, By, Reply<Template>),
    /// A template is to be forgotten.
    ForgetTemplate(String, By, Reply<Done>),
}

impl Control {
    pub(super) fn ask_about_admin(&mut self, ask: Admin, now: UnixMillis) -> Stored<()> {
        match ask {
            Admin::Templates(reply) => {
                let templates = self.store.templates()?;
                self.out.answer(reply, Ok(templates));
            }
            Admin::Hosts(reply) => {
                let hosts = self.hosts();
                self.out.answer(reply, Ok(hosts));
            }
            Admin::MakeToken(hash, asked, by, reply) => {
                let value = self.make_token(hash, asked, &by, now)?;
                self.out.answer(reply, value);
            }
            Admin::RevokeToken(token, by, reply) => {
                let value = self.revoke_token(&token, &by, now)?;
                self.out.answer(reply, value);
            }
            Admin::UsedTokens(used) => self.store.tokens_used(&used)?,
            Admin::KeepTemplate(template, by, reply) => {
                let value = self.keep_template(*template, &by, now)?;
                self.out.answer(reply, value);
            }
            Admin::ForgetTemplate(name, by, reply) => {
                let value = self.forget_template(&name, &by, now)?;
                self.out.answer(reply, value);
            }
        }
        Ok(())
    }

    fn keep_template(
        &mut self,
        template: Template,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<Template, Fault>> {
        let template = match named("template", &template.name).and_then(|()| check::template(template)) {
            Ok(template) => template,
            Err(fault) => return Ok(Err(fault)),
        };
        let there = self.store.templates()?;
        if there.len() >= TEMPLATES && !there.iter().any(|kept| kept.name == template.name) {
            return Ok(Err(Fault::conflict(
                format!("{TEMPLATES} templates are kept"),
                "forget some with `assign template rm`",
            )));
        }
        self.store.save_template(&template)?;
        let on = format!("template {}", template.name);
        self.audit(by.as_str(), "template.set", &on, &serde_json::json!({}), now)?;
        Ok(Ok(template))
    }

    fn forget_template(&mut self, name: &str, by: &By, now: UnixMillis) -> Stored<Result<Done, Fault>> {
        if !self.store.delete_template(name)? {
            return Ok(Err(no_template(name)));
        }
        let on = format!("template {name}");
        self.audit(by.as_str(), "template.forget", &on, &serde_json::json!({}), now)?;
        Ok(Ok(Done { done: true }))
    }
}

/// A name that people can tell apart and write.
pub(super) fn named(what: &str, name: &str) -> Result<(), Fault> {
    let length = name.chars().count();
    if !(1..=NAME).contains(&length) || name.trim() != name || name.chars().any(char::is_control) {
        return Err(Fault::bad(
            format!(
                "the {what}'s name is empty, too long, or holds control characters or blanks at its ends"
            ),
            "name it shortly",
        ));
    }
    Ok(())
}

fn no_template(name: &str) -> Fault {
    let text = format!("there is no template '{}'", wire::text::escape(name));
    Fault::new(ErrorCode::NotFound, text, "`assign template ls` lists those there are")
}
