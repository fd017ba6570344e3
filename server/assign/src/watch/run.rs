//! The full screen: the one place of `watch` that listens, draws and sends.
//!
//! Must not: decide what a key means or what is shown; and nothing it waits for may keep the user from leaving.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout_at};
use wire::feed::FromViewer;

use super::board::Board;
use super::carry::{self, Outcome};
use super::desk;
use super::draw::{Look, draw};
use super::herald::Herald;
use super::keys::{Effect, Key, press};
use super::screen::Screen;
use super::shown;
use super::tail::Tail;
use crate::client::{Client, Feed, Heard};
use crate::failure::Failure;
use crate::seek::at_any_time;
use crate::tables::now;

/// Shortest time between two pictures: more is not seen, and costs on a slow line.
const FRAME: Duration = Duration::from_millis(40);
/// Ages change also when nothing else does.
const SECOND: Duration = Duration::from_secs(1);
/// How long what was asked for last may take after the user has left.
const LAST: Duration = Duration::from_secs(5);
/// Outcomes and connections that may wait to be taken in; whoever brings more waits.
const BOUND: usize = 64;

/// Shows everything until the user leaves or the terminal is gone. Gives the exit code.
pub async fn run(client: Client, herald: Option<Herald>) -> Result<u8, Failure> {
    // Before the terminal is taken: what goes wrong here is told as in any other command.
    let feed = client.feed().await?;
    let signals = Signals::new().map_err(|e| Failure::failed(format!("cannot listen to signals: {e}")))?;
    let mut screen = Screen::take().map_err(Failure::terminal)?;
    let mut watch = Watch { herald, ..Watch::new(client, feed) };
    let ended = watch.until_the_end(&mut screen, signals).await;
    screen.leave();
    // How it ended comes first: a signal's code is not hidden by a wish that was not granted.
    let granted = watch.finish().await;
    match ended {
        Ok(0) => granted.map(|()| 0),
        ended => ended,
    }
}

/// Everything that is waited for.
struct Watch {
    client: Arc<Client>,
    board: Board,
    look: Look,
    feed: Option<Feed>,
    tail: Option<Tail>,
    herald: Option<Herald>,
    /// Streams of this connection so far.
    streams: u32,
    /// What was asked for and has no outcome yet.
    open: usize,
    news: mpsc::Sender<News>,
    heard: mpsc::Receiver<News>,
}

/// What was done beside the loop.
enum News {
    /// The server is there again, or lets nobody in any more.
    Joined(Result<Box<Feed>, Failure>),
    /// What came of something that was asked for.
    Outcome(Box<Outcome>),
}

/// Whether to go on.
enum Next {
    On,
    Suspend,
    Repaint,
    End(Result<u8, Failure>),
}

impl Watch {
    fn new(client: Client, feed: Feed) -> Self {
        let (news, heard) = mpsc::channel(BOUND);
        let colour = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self {
            // A server that was stopped is not started again by whoever looks on.
            client: Arc::new(client.of_running()),
            board: Board::default(),
            look: Look { colour },
            feed: Some(feed),
            tail: None,
            herald: None,
            streams: 0,
            open: 0,
            news,
            heard,
        }
    }

    async fn until_the_end(&mut self, screen: &mut Screen, mut signals: Signals) -> Result<u8, Failure> {
        let mut keys = EventStream::new();
        let mut second = ticking();
        let mut drawn = Instant::now() - FRAME;
        let mut stale = true;
        loop {
            let next = tokio::select! {
                event = keys.next() => match event {
                    Some(Ok(event)) => self.event(event),
                    // The terminal is gone: there is nobody to tell.
                    Some(Err(_)) | None => Next::End(Ok(HANGUP)),
                },
                next = signals.next() => next,
                heard = hear(&mut self.feed) => self.hear(heard),
                Some(news) = self.heard.recv() => self.learn(news),
                _ = second.tick() => Next::On,
                () = sleep_until(drawn + FRAME), if stale => {
                    self.picture(screen).await.map_err(Failure::terminal)?;
                    (drawn, stale) = (Instant::now(), false);
                    continue;
                }
            };
            stale = true;
            match next {
                Next::On => {}
                Next::Suspend => screen.without(carry::stop).map_err(Failure::terminal)?,
                Next::Repaint => screen.repaint().map_err(Failure::terminal)?,
                Next::End(ended) => return ended,
            }
        }
    }

    async fn picture(&mut self, screen: &mut Screen) -> std::io::Result<()> {
        self.board.clock = now();
        self.board.desk.size = screen.size()?;
        self.board.desk.age(self.board.clock);
        desk::settle(&mut self.board);
        shown::look(&mut self.board);
        self.follow().await;
        let (board, tail, look) = (&self.board, self.tail.as_ref(), self.look);
        screen.draw(|area, buf| draw(board, tail, look, area, buf))?;
        // Between two pictures, where it breaks nothing up.
        if let Some(herald) = &mut self.herald {
            herald.look(&self.board, self.board.clock);
        }
        Ok(())
    }

    /// Asks for the terminal that is to be shown, and for no other.
    async fn follow(&mut self) {
        let wanted = self.board.desk.tailed.clone();
        let (Some(feed), shown) = (&mut self.feed, self.tail.as_ref().map(|t| t.session.clone())) else {
            return;
        };
        if wanted == shown {
            return;
        }
        if let Some(tail) = self.tail.take() {
            feed.say(&FromViewer::Unwatch { stream: tail.stream }).await;
        }
        if let Some(session) = wanted {
            self.streams = self.streams.wrapping_add(1);
            feed.say(&FromViewer::Watch { session: session.clone(), stream: self.streams }).await;
            self.tail = Some(Tail::new(session, self.streams));
        }
    }

    fn event(&mut self, event: Event) -> Next {
        self.board.clock = now();
        let key = match event {
            Event::Key(key) => key_of(key),
            Event::Paste(text) => Some(Key::Paste(text)),
            Event::Resize(..) => return Next::Repaint,
            Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
        };
        let Some(key) = key else { return Next::On };
        let (board, effect) = press(std::mem::take(&mut self.board), key);
        self.board = board;
        match effect {
            None => Next::On,
            Some(Effect::Quit) => Next::End(Ok(0)),
            Some(Effect::Suspend) => Next::Suspend,
            Some(Effect::Repaint) => Next::Repaint,
            Some(effect) => {
                self.open += 1;
                let (client, news) = (Arc::clone(&self.client), self.news.clone());
                tokio::spawn(async move {
                    let outcome = carry::carry(&client, effect).await;
                    let _ = news.send(News::Outcome(Box::new(outcome))).await;
                });
                Next::On
            }
        }
    }

    fn hear(&mut self, heard: Option<Heard>) -> Next {
        self.board.clock = now();
        match heard {
            Some(Heard::Said(message)) => drop(self.board.hear(*message)),
            Some(Heard::Frame(bytes)) => {
                if let Some(tail) = &mut self.tail {
                    tail.take(&bytes);
                }
            }
            None => {
                self.board.lost();
                (self.feed, self.tail) = (None, None);
                tokio::spawn(join(Arc::clone(&self.client), self.news.clone()));
            }
        }
        Next::On
    }

    fn learn(&mut self, news: News) -> Next {
        self.board.clock = now();
        match news {
            News::Joined(Ok(feed)) => {
                self.board.joined();
                (self.feed, self.tail, self.streams) = (Some(*feed), None, 0);
            }
            News::Joined(Err(refused)) => return Next::End(Err(refused)),
            News::Outcome(outcome) => {
                self.open -= 1;
                carry::learn(&mut self.board, *outcome);
            }
        }
        Next::On
    }

    /// Waits for what was asked for right before the user left, and tells what was not done.
    async fn finish(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + LAST;
        while self.open > 0 {
            match timeout_at(until, self.heard.recv()).await {
                Ok(Some(News::Outcome(outcome))) => {
                    self.open -= 1;
                    outcome.done()?;
                }
                Ok(Some(News::Joined(_))) => {}
                Ok(None) | Err(_) => {
                    return Err(Failure::failed("the server did not say whether the last was done"));
                }
            }
        }
        Ok(())
    }
}

/// What the server says next; never anything while there is none.
async fn hear(feed: &mut Option<Feed>) -> Option<Heard> {
    match feed {
        Some(feed) => feed.hear().await,
        None => std::future::pending().await,
    }
}

/// Seeks the server until it is there, or refuses.
async fn join(client: Arc<Client>, news: mpsc::Sender<News>) {
    let joined = at_any_time(&client).await.map(Box::new);
    let _ = news.send(News::Joined(joined)).await;
}

fn ticking() -> Interval {
    let mut interval = interval(SECOND);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn key_of(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char(c) if ctrl => Key::Ctrl(c.to_ascii_lowercase()),
        // Alt with a letter is another key than the letter: it must not answer anything.
        KeyCode::Char(_) if event.modifiers.contains(KeyModifiers::ALT) => return None,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}

/// Exit code of whoever a hangup ended, as a shell reports it.
const HANGUP: u8 = 129;

/// Signals that end or stop us: the terminal is given back before.
struct Signals {
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
    stop: Signal,
    resumed: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            stop: signal(SignalKind::from_raw(carry::STOP))?,
            resumed: signal(SignalKind::from_raw(carry::RESUMED))?,
        })
    }

    async fn next(&mut self) -> Next {
        tokio::select! {
            _ = self.hangup.recv() => Next::End(Ok(HANGUP)),
            _ = self.interrupt.recv() => Next::End(Ok(130)),
            _ = self.quit.recv() => Next::End(Ok(131)),
            _ = self.terminate.recv() => Next::End(Ok(143)),
            _ = self.stop.recv() => Next::Suspend,
            _ = self.resumed.recv() => Next::Repaint,
        }
    }
}
