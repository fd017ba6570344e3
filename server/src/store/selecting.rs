//! Which prompts: the conditions of lists and of wishes about many. Must not: change more than the mark that one was seen.

use rusqlite::named_params;
use wire::prompt::{Outcome, PromptState};
use wire::{PromptId, SessionId, UnixMillis};

use super::prompts::read;
use super::rows::to_json;
use super::{Store, Stored, StoredPrompt};

/// Which prompts are meant; what is absent is no condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// One of these.
    pub ids: Option<Vec<PromptId>>,
    /// In this state.
    pub state: Option<PromptState>,
    /// Had by this session, or asked for it.
    pub session: Option<SessionId>,
    /// The same session's name.
    pub name: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this thread.
    pub thread: Option<String>,
    /// Queued under an idempotency key that begins so.
    pub key: Option<String>,
    /// Not changed after this.
    pub unchanged_since: Option<UnixMillis>,
    /// Queued before this one: the next page.
    pub before: Option<PromptId>,
    /// Last changed, and so for those that ended, ended, not before this.
    pub since: Option<UnixMillis>,
    /// Last changed before this.
    pub until: Option<UnixMillis>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// Had by a session of this agent, or asked for it.
    pub agent: Option<String>,
    /// Had by a session of this repository or directory, or asked for it.
    pub project: Option<String>,
    /// Ended, and nobody took note of it.
    pub unseen: bool,
}

/// The statement, from one table or another: SQLite finds prompts by their numbers or keys only when these come first,
/// and those of a range of time only when that does.
macro_rules! select {
    ($from:literal) => {
        concat!(
            "SELECT p.* FROM ",
            $from,
            " LEFT JOIN ends e ON e.prompt = p.id LEFT JOIN sessions s ON s.id = p.session
             WHERE (:ids IS NULL OR p.id IN (SELECT value FROM json_each(:ids)))
               AND (:state IS NULL OR p.state = :state)
               AND (:session IS NULL OR p.session = :session OR p.asked ->> '$.target' IN (:session, :name))
               AND (:thread IS NULL OR p.asked ->> '$.thread' = :thread)
               AND (:tag IS NULL OR EXISTS (SELECT 1 FROM json_each(p.asked, '$.tags') WHERE value = :tag))
               AND (:key IS NULL OR substr(p.idempotency_key, 1, length(:key)) = :key)
               AND (:changed IS NULL OR p.changed <= :changed)
               AND (:before IS NULL OR p.id < :before)
               AND (:since IS NULL OR p.changed >= :since)
               AND (:until IS NULL OR p.changed < :until)
               AND (:outcome IS NULL OR e.outcome = :outcome)
               AND (:agent IS NULL OR coalesce(e.agent, s.agent, p.asked ->> '$.agent', '') = :agent)
               AND (:project IS NULL
                    OR coalesce(e.project, s.repo, s.dir, p.asked ->> '$.dir', '') = :project)
               AND (NOT :unseen OR (p.seen IS NULL AND p.result IS NOT NULL))
             ORDER BY p.id DESC LIMIT :limit"
        )
    };
}

impl Store {
    /// Prompts by what is asked of them, newest first.
    pub fn select_prompts(&self, which: &Which, limit: u32) -> Stored<Vec<StoredPrompt>> {
        let ids = which.ids.as_ref().map(|ids| to_json("ids", ids)).transpose()?;
        let sql = match (&ids, &which.key) {
            (Some(_), _) => select!("json_each(:ids) AS named CROSS JOIN prompts p ON p.id = named.value"),
            // Keys are printable ASCII: no byte of one is as high as the last.
            (None, Some(_)) => select!(
                "(SELECT id FROM prompts
                  WHERE idempotency_key >= :key AND idempotency_key < :key || char(127)) AS keyed
                 CROSS JOIN prompts p ON p.id = keyed.id"
            ),
            (None, None) => select!("prompts p"),
        };
        let mut sql = self.db.prepare_cached(sql)?;
        let rows = sql.query_map(
            named_params! {
                ":ids": ids, ":state": which.state.map(PromptState::as_str),
                ":session": which.session.as_ref().map(|s| &s.0), ":name": which.name, ":thread": which.thread,
                ":tag": which.tag, ":key": which.key, ":changed": which.unchanged_since.map(|t| t.0),
                ":before": which.before.map(|p| p.0), ":since": which.since.map(|t| t.0),
                ":until": which.until.map(|t| t.0), ":outcome": which.outcome.map(Outcome::as_str),
                ":agent": which.agent, ":project": which.project, ":unseen": which.unseen, ":limit": limit,
            },
            |row| Ok(read(row)),
        )?;
        rows.map(|r| r?).collect()
    }

    /// Marks a prompt that has ended as seen. It does not change by that: it keeps its place in lists.
    pub fn see_prompt(&self, id: PromptId, now: UnixMillis) -> Stored<()> {
        let sql = "UPDATE prompts SET seen = ?2 WHERE id = ?1 AND result IS NOT NULL AND seen IS NULL";
        self.db.prepare_cached(sql)?.execute([id.0, now.0])?;
        Ok(())
    }
}
