//! What a viewer (dashboard on `/v1/feed`, `assign` on `/v1/cli`) and the server say to each other.
//!
//! After the upgrade the server sends [`ToViewer::Hello`], then [`ToViewer::Everything`], then changes.
//! A viewer that falls behind is sent `Everything` again instead of what it missed.
//! Must not: hold logic.

use crate::approval::Approval;
use crate::event::Event;
use crate::prompt::Prompt;
use crate::session::Session;
use crate::{PromptId, SessionId, UnixMillis};

wire! {
    /// From server to viewer.
    #[serde(tag = "type", rename_all = "snake_case")]
    pub enum ToViewer {
        /// First message.
        Hello {
            /// Version of the conversation.
            protocol: u32,
            /// Version of the server.
            version: String,
            /// Hash of the dashboard's files in the server: a page built from others asks for a reload.
            build: String,
            /// The server's clock.
            now: UnixMillis,
            /// What this viewer is called in [`Session::keyboard`] when it holds one.
            #[serde(default)]
            viewer: String,
        },
        /// The whole present: replaces all that was known.
        Everything {
            /// All live sessions, and those that ended within the last hour.
            sessions: Vec<Session>,
            /// All prompts that are not final, and the latest 200 that are.
            prompts: Vec<Prompt>,
            /// Everything that agents ask and nobody has answered.
            #[serde(default)]
            approvals: Vec<Approval>,
            /// Whether no prompts are given out.
            #[serde(default)]
            paused: bool,
        },
        /// Prompts are given out again, or no longer.
        Routing {
            /// As it is now.
            paused: bool,
        },
        /// A session is new or changed.
        Session {
            /// As it is now.
            session: Session,
        },
        /// A session is no longer listed.
        SessionGone {
            /// Which.
            session: SessionId,
        },
        /// A prompt is new or changed.
        Prompt {
            /// As it is now.
            prompt: Prompt,
        },
        /// A prompt was forgotten.
        PromptGone {
            /// Which.
            prompt: PromptId,
        },
        /// Something that an agent asks is new or was answered.
        Approval {
            /// As it is now.
            approval: Approval,
        },
        /// A session reported an event.
        Event {
            /// Which session.
            session: SessionId,
            /// Its sequence number there.
            #[cfg_attr(feature = "ts", ts(type = "number"))]
            seq: u64,
            /// What.
            event: Event,
        },
        /// Something this viewer asked for was not done.
        Refused {
            /// What was asked.
            what: String,
            /// Why, and what to do.
            why: String,
        },
    }

    /// From viewer to server.
    #[serde(tag = "type", rename_all = "snake_case")]
    pub enum FromViewer {
        /// Send a session's terminal on a stream; binary frames carry the stream's number.
        Watch {
            /// Which session.
            session: SessionId,
            /// Chosen by the viewer, unique on its connection.
            stream: u32,
        },
        /// End a stream.
        Unwatch {
            /// Which.
            stream: u32,
        },
        /// Take a session's keyboard; it is given back after two minutes without a key.
        TakeKeyboard {
            /// Which session.
            session: SessionId,
        },
        /// Give it back.
        ReleaseKeyboard {
            /// Which session.
            session: SessionId,
        },
        /// Type into a session whose keyboard this viewer holds.
        Keys {
            /// Which session.
            session: SessionId,
            /// Key presses, or a paste that was cleaned.
            text: String,
        },
    }
}
