//! Sessions in the database. Must not: know which are connected.

use rusqlite::{OptionalExtension, Row, named_params, params};
use wire::http::ContextRow;
use wire::session::{Claim, Context, Link, Moves, Session, Size};
use wire::{HostId, SessionId, UnixMillis};

use super::rows::{json, json_or_none, signed, to_json, to_json_or_none, unsigned, word};
use super::{Store, Stored};

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSession {
    /// As everyone sees it, disconnected.
    pub card: Session,
    /// Newest observer seen.
    pub epoch: u64,
    /// Last committed report.
    pub ack: u64,
    /// Last lease given.
    pub fence: u64,
    /// When its exit was learned.
    pub ended: Option<UnixMillis>,
}

impl Store {
    /// Keeps a session as it is now. The fence and the ack never shrink.
    pub fn save_session(&self, kept: &StoredSession) -> Stored<()> {
        let s = &kept.card;
        let mut sql = self.db.prepare_cached(
            "INSERT INTO sessions (id, name, host, host_name, agent, argv, epoch, ack, fence, state, source, rule,
                evidence, since, background, dialog, dir, branch, repo, title, cols, rows, last_line, metrics,
                started, active, exit, ended, role, caps, env, context_hash)
             VALUES (:id, :name, :host, :host_name, :agent, :argv, :epoch, :ack, :fence, :state, :source, :rule,
                :evidence, :since, :background, :dialog, :dir, :branch, :repo, :title, :cols, :rows, :last_line,
                :metrics, :started, :active, :exit, :ended, :role, :caps, :env, :context_hash)
             ON CONFLICT (id) DO UPDATE SET name = :name, host_name = :host_name, agent = :agent, argv = :argv,
                epoch = max(epoch, :epoch), ack = max(ack, :ack), fence = max(fence, :fence), state = :state,
                source = :source, rule = :rule, evidence = :evidence, since = :since, background = :background,
                dialog = :dialog, dir = :dir, branch = :branch, repo = :repo, title = :title, cols = :cols,
                rows = :rows, last_line = :last_line, metrics = :metrics, started = :started, active = :active,
                exit = :exit, ended = :ended, role = :role, caps = :caps, env = :env, context_hash = :context_hash, pool = :pool",
        )?;
        sql.execute(named_params! {
            ":id": s.id.0, ":name": s.name, ":host": s.host.0, ":host_name": s.host_name, ":agent": s.agent,
            ":argv": to_json("argv", &s.argv)?, ":epoch": signed(kept.epoch), ":ack": signed(kept.ack),
            ":fence": signed(kept.fence), ":state": s.claim.state.as_str(), ":source": s.claim.source.as_str(),
            ":rule": s.claim.rule, ":evidence": s.claim.evidence, ":since": s.claim.since.0,
            ":background": s.claim.background, ":dialog": to_json_or_none("dialog", s.dialog.as_ref())?,
            ":dir": s.context.dir, ":branch": s.context.branch, ":repo": s.context.repo, ":title": s.title,
            ":cols": s.size.cols, ":rows": s.size.rows, ":last_line": s.last_line,
            ":metrics": to_json("metrics", &s.metrics)?, ":started": s.started.0, ":active": s.active.0,
            ":exit": to_json_or_none("exit", s.exit.as_ref())?, ":ended": kept.ended.map(|t| t.0),
            ":role": s.role, ":caps": to_json("caps", &s.caps)?, ":env": to_json("env", &s.context.env)?,
            ":context_hash": s.context.hash, ":pool": s.pool,
        })?;
        Ok(())
    }

    /// Keeps where a session works from a moment on.
    pub fn append_context(
        &self,
        session: &SessionId,
        seq: u64,
        at: UnixMillis,
        context: &Context,
    ) -> Stored<()> {
        let mut sql = self.db.prepare_cached(
            "INSERT OR IGNORE INTO contexts (session, seq, at, context) VALUES (?1, ?2, ?3, ?4)",
        )?;
        sql.execute(params![session.0, signed(seq), at.0, to_json("context", context)?])?;
        Ok(())
    }

    /// Where a session worked, newest first.
    pub fn contexts(&self, session: &SessionId, limit: u32) -> Stored<Vec<ContextRow>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM contexts WHERE session = ?1 ORDER BY seq DESC LIMIT ?2")?;
        let rows = sql.query_map(params![session.0, limit], |row| {
            Ok((UnixMillis(row.get("at")?), json(row, "context")))
        })?;
        rows.map(|row| {
            row.map_err(Into::into).and_then(|(at, context)| Ok(ContextRow { at, context: context? }))
        })
        .collect()
    }

    /// One session.
    pub fn session(&self, id: &SessionId) -> Stored<Option<StoredSession>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM sessions WHERE id = ?1")?;
        sql.query_row([&id.0], |row| Ok(read(row))).optional()?.transpose()
    }

    /// Sessions that have not ended, or not before `since`, newest first.
    pub fn sessions_since(&self, since: UnixMillis) -> Stored<Vec<StoredSession>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM sessions WHERE ended IS NULL OR ended >= ?1 ORDER BY started DESC, id LIMIT 1000",
        )?;
        sql.query_map([since.0], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// The session last started under a name, live or not.
    pub fn session_named(&self, name: &str) -> Stored<Option<StoredSession>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM sessions WHERE name = ?1 ORDER BY started DESC, id DESC LIMIT 1",
        )?;
        sql.query_row([name], |row| Ok(read(row))).optional()?.transpose()
    }
}

/// Reads the columns of a claim, which `sessions` and `states` share.
pub fn claim(row: &Row<'_>) -> Stored<Claim> {
    Ok(Claim {
        state: word(row, "state")?,
        source: word(row, "source")?,
        rule: row.get("rule")?,
        evidence: row.get("evidence")?,
        since: UnixMillis(row.get("since")?),
        background: row.get("background")?,
    })
}

fn read(row: &Row<'_>) -> Stored<StoredSession> {
    let active = UnixMillis(row.get("active")?);
    let card = Session {
        id: SessionId(row.get("id")?),
        name: row.get("name")?,
        host: HostId(row.get("host")?),
        host_name: row.get("host_name")?,
        agent: row.get("agent")?,
        argv: json(row, "argv")?,
        role: row.get("role")?,
        caps: json(row, "caps")?,
        pool: row.get("pool")?,
        moves: Moves::None,
        interpreter: false,
        paused: row.get("paused")?,
        limited: None,
        claim: claim(row)?,
        link: Link::Disconnected,
        link_since: active,
        context: Context {
            dir: row.get("dir")?,
            branch: row.get("branch")?,
            repo: row.get("repo")?,
            env: json(row, "env")?,
            hash: row.get("context_hash")?,
        },
        title: row.get("title")?,
        dialog: json_or_none(row, "dialog")?,
        prompt: None,
        size: Size { cols: row.get("cols")?, rows: row.get("rows")? },
        attached: false,
        kept: false,
        keyboard: None,
        last_line: row.get("last_line")?,
        metrics: json(row, "metrics")?,
        started: UnixMillis(row.get("started")?),
        active,
        exit: json_or_none(row, "exit")?,
    };
    Ok(StoredSession {
        card,
        epoch: unsigned(row, "epoch")?,
        ack: unsigned(row, "ack")?,
        fence: unsigned(row, "fence")?,
        ended: row.get::<_, Option<i64>>("ended")?.map(UnixMillis),
    })
}
