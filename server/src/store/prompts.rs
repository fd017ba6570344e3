//! Prompts in the database, with the life of each as columns. Must not: change a life.

use rusqlite::{OptionalExtension, Row, named_params, params};
use wire::prompt::{Hold, NewPrompt, Prompt, PromptResult, PromptState, Score};
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use super::rows::{json, json_or_none, to_json, word};
use super::{Store, StoreError, Stored};
use crate::job::{Job, Lease, Phase, Then, Wish};

/// A prompt as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPrompt {
    /// Identity.
    pub id: PromptId,
    /// What was asked, with the text cleaned.
    pub asked: NewPrompt,
    /// Its life.
    pub job: Job,
    /// Session that has it or had it last.
    pub session: Option<SessionId>,
    /// Session it was taken away from.
    pub avoid: Option<SessionId>,
    /// When a person took note of how it ended.
    pub seen: Option<UnixMillis>,
    /// When it was queued.
    pub created: UnixMillis,
    /// When anything last changed.
    pub changed: UnixMillis,
}

/// Writes the life of a prompt that has no result and gets none; of any other it changes no row.
const GOES_ON: &str = "UPDATE prompts SET state = :state, hold_code = :code, hold_text = :text, due = :due,
        wait_until = :wait, lease = :lease, wish = :wish, session = :session, avoid = :avoid, tried = :tried,
        attempts = :attempts, refusals = :refusals, changed = :changed
    WHERE id = :id AND result IS NULL AND :result IS NULL";
/// Writes the life of any prompt.
const ENDS: &str = "UPDATE prompts SET state = :state, hold_code = :code, hold_text = :text, due = :due,
        wait_until = :wait, lease = :lease, wish = :wish, session = :session, avoid = :avoid, tried = :tried,
        attempts = :attempts, refusals = :refusals, result = :result, changed = :changed
    WHERE id = :id";

/// A prompt to be kept.
#[derive(Debug, Clone)]
pub struct Queued {
    /// What was asked, with the text cleaned and the defaults filled in.
    pub asked: NewPrompt,
    /// Its life.
    pub job: Job,
    /// The sender's key and the hash of what it sent.
    pub key: Option<(String, String)>,
}

impl Queued {
    /// As it is kept from now on.
    pub fn stored(self, id: PromptId, now: UnixMillis) -> StoredPrompt {
        let Self { asked, job, key: _ } = self;
        StoredPrompt { id, asked, job, session: None, avoid: None, seen: None, created: now, changed: now }
    }
}

/// What became of a wish to queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New(PromptId),
    /// It was there, under the same key with the same content.
    There(PromptId),
    /// The key was used for something else.
    OtherContent(PromptId),
}

impl Store {
    /// Queues a prompt, or finds the one that was queued under its key.
    pub fn enqueue(&self, queued: &Queued, now: UnixMillis) -> Stored<Kept> {
        if let Some(key) = &queued.key
            && let Some(kept) = self.under_key(key)?
        {
            return Ok(kept);
        }
        let columns = Columns::of(&queued.job.phase);
        let mut sql = self.db.prepare_cached(
            "INSERT INTO prompts (asked, state, due, hold_code, hold_text, wait_until, attempts, created, changed,
                idempotency_key, idempotency_hash)
             VALUES (:asked, 'pending', :due, :code, :text, :wait, :attempts, :now, :now, :key, :hash)",
        )?;
        sql.execute(named_params! {
            ":asked": to_json("asked", &queued.asked)?, ":due": columns.due.map(|t| t.0),
            ":code": columns.hold.map(|h| h.code.as_str()), ":text": columns.hold.map(|h| &h.text),
            ":wait": queued.job.wait_until.0, ":attempts": queued.job.attempts, ":now": now.0,
            ":key": queued.key.as_ref().map(|k| &k.0), ":hash": queued.key.as_ref().map(|k| &k.1),
        })?;
        Ok(Kept::New(PromptId(self.db.last_insert_rowid())))
    }

    /// What was queued under a key, with the hash of what is sent now.
    pub fn under_key(&self, (key, hash): &(String, String)) -> Stored<Option<Kept>> {
        let mut sql =
            self.db.prepare_cached("SELECT id, idempotency_hash FROM prompts WHERE idempotency_key = ?1")?;
        let found: Option<(i64, String)> =
            sql.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(found.map(|(id, there)| match there == *hash {
            true => Kept::There(PromptId(id)),
            false => Kept::OtherContent(PromptId(id)),
        }))
    }

    /// Keeps what is asked of a prompt, when that changed.
    pub fn save_asked(&self, prompt: &StoredPrompt) -> Stored<()> {
        let mut sql = self.db.prepare_cached("UPDATE prompts SET asked = ?2 WHERE id = ?1")?;
        sql.execute(params![prompt.id.0, to_json("asked", &prompt.asked)?])?;
        Ok(())
    }

    /// Keeps what changed in a prompt's life, and who has it.
    pub fn save_prompt(&self, prompt: &StoredPrompt) -> Stored<()> {
        // What follows from a result is costly even when none is written: it is named only where there is or was one.
        let goes_on =
            Columns::of(&prompt.job.phase).result.is_none() && self.write_life(prompt, GOES_ON)? == 1;
        if !goes_on {
            self.write_life(prompt, ENDS)?;
        }
        Ok(())
    }

    fn write_life(&self, prompt: &StoredPrompt, sql: &str) -> Stored<usize> {
        let columns = Columns::of(&prompt.job.phase);
        let lease = prompt.job.lease();
        Ok(self.db.prepare_cached(sql)?.execute(named_params! {
            ":id": prompt.id.0,
            ":state": prompt.job.state().as_str(), ":wait": prompt.job.wait_until.0,
            ":code": columns.hold.map(|h| h.code.as_str()), ":text": columns.hold.map(|h| &h.text),
            ":due": columns.due.map(|t| t.0), ":lease": lease.map(|l| l.attempt.0),
            ":wish": wish_word(lease.map_or(Wish::None, |l| l.wish)),
            ":session": prompt.session.as_ref().map(|s| &s.0), ":avoid": prompt.avoid.as_ref().map(|s| &s.0),
            ":tried": prompt.job.tried, ":attempts": prompt.job.attempts, ":refusals": prompt.job.refusals,
            ":result": columns.result.map(|r| to_json("result", r)).transpose()?,
            ":changed": prompt.changed.0,
        })?)
    }

    /// Keeps how sessions scored when a prompt was routed.
    pub fn save_scores(&self, prompt: PromptId, scores: &[Score]) -> Stored<()> {
        let mut sql =
            self.db.prepare_cached("INSERT OR REPLACE INTO scores (prompt, scores) VALUES (?1, ?2)")?;
        sql.execute(params![prompt.0, to_json("scores", &scores)?])?;
        Ok(())
    }

    /// How sessions scored when a prompt was last routed; empty before that.
    pub fn scores(&self, prompt: PromptId) -> Stored<Vec<Score>> {
        let mut sql = self.db.prepare_cached("SELECT scores FROM scores WHERE prompt = ?1")?;
        let found = sql.query_row([prompt.0], |row| Ok(json_or_none(row, "scores"))).optional()?;
        Ok(found.transpose()?.flatten().unwrap_or_default())
    }

    /// When a prompt was queued.
    pub fn queued_at(&self, id: PromptId) -> Stored<Option<UnixMillis>> {
        let mut sql = self.db.prepare_cached("SELECT created FROM prompts WHERE id = ?1")?;
        Ok(sql.query_row([id.0], |row| row.get(0).map(UnixMillis)).optional()?)
    }

    /// One prompt.
    pub fn prompt(&self, id: PromptId) -> Stored<Option<StoredPrompt>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM prompts WHERE id = ?1")?;
        sql.query_row([id.0], |row| Ok(read(row))).optional()?.transpose()
    }

    /// Prompts that are offered by themselves, now or later: what the queue in memory is made of.
    pub fn waiting_prompts(&self) -> Stored<Vec<StoredPrompt>> {
        let mut sql =
            self.db.prepare("SELECT * FROM prompts WHERE result IS NULL AND due IS NOT NULL ORDER BY id")?;
        sql.query_map([], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Prompts that are not final, oldest first.
    pub fn open_prompts(&self, limit: u32) -> Stored<Vec<StoredPrompt>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM prompts WHERE result IS NULL ORDER BY id LIMIT ?1")?;
        sql.query_map([limit], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Prompts that are final, newest first.
    pub fn final_prompts(&self, limit: u32) -> Stored<Vec<StoredPrompt>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM prompts WHERE result IS NOT NULL ORDER BY changed DESC, id DESC LIMIT ?1",
        )?;
        sql.query_map([limit], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Threads and tags of prompts that sessions had, with the ends that are known, newest first: what their pasts are
    /// made of after a restart.
    pub fn had_prompts(&self, limit: u32) -> Stored<Vec<StoredPrompt>> {
        let mut sql = self.db.prepare(
            "SELECT * FROM prompts WHERE session IS NOT NULL ORDER BY changed DESC, id DESC LIMIT ?1",
        )?;
        sql.query_map([limit], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Deletes a prompt that is final, with its attempts. True: it was there and none that goes on waits for it.
    pub fn forget_prompt(&self, id: PromptId) -> Stored<bool> {
        let mut sql = self.db.prepare_cached(
            "DELETE FROM prompts WHERE id = ?1 AND state IN ('completed', 'failed', 'cancelled')
                AND NOT EXISTS (SELECT 1 FROM needs n JOIN prompts p ON p.id = n.prompt
                    WHERE n.needs = ?1 AND p.result IS NULL)",
        )?;
        Ok(sql.execute([id.0])? == 1)
    }

    /// Moves what prompts wait for by so many milliseconds, but for a time that was asked for.
    pub fn clock_set(&self, ms: i64) -> Stored<()> {
        let sql = "UPDATE prompts SET wait_until = wait_until + ?1,
                due = CASE WHEN due > coalesce(asked ->> '$.not_before', 0) THEN due + ?1 ELSE due END
            WHERE result IS NULL";
        self.db.prepare_cached(sql)?.execute([ms])?;
        Ok(())
    }

    /// How many prompts there are of each state.
    pub fn count_prompts(&self) -> Stored<Vec<(String, u32)>> {
        let mut sql = self.db.prepare_cached("SELECT state, count(*) FROM prompts GROUP BY state")?;
        let rows = sql.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A prompt as everyone sees it.
    pub fn show(&self, stored: &StoredPrompt) -> Stored<Prompt> {
        let columns = Columns::of(&stored.job.phase);
        let hold = match stored.job.phase {
            Phase::Blocked => Some(self.waits_for(stored.id)?),
            _ => columns.hold.cloned(),
        };
        Ok(Prompt {
            id: stored.id,
            asked: stored.asked.clone(),
            state: stored.job.state(),
            hold,
            due: columns.due,
            session: stored.session.clone(),
            tried: stored.job.tried,
            attempts: stored.job.attempts,
            attempt: self.latest_attempt(stored.id)?,
            result: columns.result.cloned(),
            seen: stored.seen.filter(|_| columns.result.is_some()),
            created: stored.created,
            changed: stored.changed,
        })
    }
}

/// What of a phase has columns of its own.
struct Columns<'a> {
    hold: Option<&'a Hold>,
    due: Option<UnixMillis>,
    result: Option<&'a PromptResult>,
}

impl<'a> Columns<'a> {
    fn of(phase: &'a Phase) -> Self {
        let (hold, due, result) = match phase {
            Phase::Blocked => (None, None, None),
            Phase::Pending { due, refused } => (refused.as_ref(), Some(*due), None),
            Phase::Assigned { refused, .. } => (refused.as_ref(), None, None),
            Phase::InProgress { .. } => (None, None, None),
            Phase::Held { hold, then: Then::Again { due } } => (Some(hold), Some(*due), None),
            Phase::Held { hold, then: Then::Person | Then::Leased(_) } => (Some(hold), None, None),
            Phase::Completed(result) | Phase::Failed(result) | Phase::Cancelled(result) => {
                (None, None, Some(result))
            }
        };
        Self { hold, due, result }
    }
}

fn wish_word(wish: Wish) -> &'static str {
    match wish {
        Wish::None => "none",
        Wish::Cancel => "cancel",
        Wish::Reassign => "reassign",
    }
}

/// Reads a row of the table.
pub fn read(row: &Row<'_>) -> Stored<StoredPrompt> {
    let asked: NewPrompt = json(row, "asked")?;
    let job = Job {
        phase: phase(row)?,
        tried: row.get("tried")?,
        attempts: row.get("attempts")?,
        refusals: row.get("refusals")?,
        wait_ms: asked.wait_ms.unwrap_or_default(),
        wait_until: UnixMillis(row.get("wait_until")?),
    };
    Ok(StoredPrompt {
        id: PromptId(row.get("id")?),
        asked,
        job,
        session: row.get::<_, Option<String>>("session")?.map(SessionId),
        avoid: row.get::<_, Option<String>>("avoid")?.map(SessionId),
        seen: row.get::<_, Option<i64>>("seen")?.map(UnixMillis),
        created: UnixMillis(row.get("created")?),
        changed: UnixMillis(row.get("changed")?),
    })
}

fn phase(row: &Row<'_>) -> Stored<Phase> {
    let state: PromptState = word(row, "state")?;
    let due = row.get::<_, Option<i64>>("due")?.map(UnixMillis);
    let lease = lease(row)?;
    let hold = match row.get::<_, Option<String>>("hold_text")? {
        Some(text) => Some(Hold { code: word(row, "hold_code")?, text }),
        None => None,
    };
    let missing = |what| StoreError::Unreadable(what, format!("missing for a prompt that is {state}"));
    Ok(match state {
        PromptState::Pending => match due {
            Some(due) => Phase::Pending { due, refused: hold },
            None => Phase::Blocked,
        },
        PromptState::Assigned => {
            Phase::Assigned { lease: lease.ok_or_else(|| missing("lease"))?, refused: hold }
        }
        PromptState::InProgress => Phase::InProgress { lease: lease.ok_or_else(|| missing("lease"))? },
        PromptState::Held => {
            let then = match (lease, due) {
                (Some(lease), _) => Then::Leased(lease),
                (None, Some(due)) => Then::Again { due },
                (None, None) => Then::Person,
            };
            Phase::Held { hold: hold.ok_or_else(|| missing("hold_text"))?, then }
        }
        PromptState::Completed => Phase::Completed(json(row, "result")?),
        PromptState::Failed => Phase::Failed(json(row, "result")?),
        PromptState::Cancelled => Phase::Cancelled(json(row, "result")?),
    })
}

fn lease(row: &Row<'_>) -> Stored<Option<Lease>> {
    let Some(attempt) = row.get::<_, Option<i64>>("lease")? else { return Ok(None) };
    let word: String = row.get("wish")?;
    let wish = [Wish::None, Wish::Cancel, Wish::Reassign].into_iter().find(|w| wish_word(*w) == word);
    let wish = wish.ok_or(StoreError::Unreadable("wish", word))?;
    Ok(Some(Lease { attempt: AttemptId(attempt), wish }))
}
