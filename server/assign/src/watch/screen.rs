//! The user's terminal: taken for as long as there is something to show, and always given back as it was.
//!
//! Owns: raw mode, the alternate screen, pastes in brackets, the cursor. They are given back by [`Screen::leave`], when it
//! is dropped, and by the panic hook before anything is said. Must not: know what is shown.

use std::io::{self, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::ResetColor;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

use super::quiet::is_quiet;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    pub fn take() -> io::Result<Self> {
        hook();
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let mut screen = Self { terminal };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        // Set first: half of it is given back as well.
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        self.repaint()
    }

    /// Gives the terminal back, and takes it again after `meanwhile`.
    pub fn without(&mut self, meanwhile: impl FnOnce()) -> io::Result<()> {
        give_back();
        meanwhile();
        self.enter()
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    /// Draws everything anew the next time. `Terminal::clear` would ask the terminal where its cursor is, and wait for an
    /// answer among the user's keys.
    pub fn repaint(&mut self) -> io::Result<()> {
        let (cols, rows) = self.size()?;
        self.terminal.resize(Rect::new(0, 0, cols, rows))
    }

    /// Draws; `picture` gives where the cursor stands, if it is to be seen.
    pub fn draw(
        &mut self,
        picture: impl FnOnce(Rect, &mut ratatui::buffer::Buffer) -> Option<Position>,
    ) -> io::Result<()> {
        self.terminal
            .draw(|frame| {
                if let Some(cursor) = picture(frame.area(), frame.buffer_mut()) {
                    frame.set_cursor_position(cursor);
                }
            })
            .map(drop)
    }

    /// Gives the terminal back.
    pub fn leave(self) {
        give_back();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back, if it is ours. What fails is left: the terminal may be gone, and there is nobody to tell.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = queue!(out, ResetColor, DisableBracketedPaste, Show, LeaveAlternateScreen);
    let _ = out.flush();
    let _ = disable_raw_mode();
}

/// What is said of a panic is said on the user's own screen, after it was given back.
fn hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !is_quiet() {
                give_back();
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Command, Stdio};

    use rustix::fs::{Mode, OFlags};
    use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

    use super::super::quiet::quietly;
    use super::*;

    /// Set for the process that takes the terminal and fails.
    const FAILS: &str = "MUSTER_TEST_FAILS";

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_told() {
        if std::env::var_os(FAILS).is_some() {
            let _screen = Screen::take().expect("it is a terminal");
            assert_eq!(quietly(|| panic!("nobody hears this")), None::<()>);
            panic!("this is told");
        }
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a PTY");
        unlockpt(&master).expect("it can be unlocked");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(name, flags, Mode::empty()).expect("its other side opens");
        let size = Winsize { ws_col: 80, ws_row: 24, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).expect("it has a size");
        let before = tcgetattr(&slave).expect("it is a terminal");
        let stdio = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let this = "watch::screen::tests::a_panic_gives_the_terminal_back_before_it_is_told";
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", this, "--nocapture"])
            .env(FAILS, "1")
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .spawn()
            .expect("it runs");
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            // When nobody has the other side any longer, reading fails; until then it has what there is.
            let _ = std::fs::File::from(master).read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        assert!(!child.wait().expect("it ends").success());
        let after = tcgetattr(&slave).expect("it is a terminal");
        drop(slave);
        let text = reader.join().expect("it reads");
        assert_eq!(after.local_modes, before.local_modes);
        assert_eq!((after.input_modes, after.output_modes), (before.input_modes, before.output_modes));
        assert!(after.local_modes.contains(LocalModes::ICANON | LocalModes::ECHO));
        let taken = text.find("\x1b[?1049h").expect("it was taken");
        let given = text.find("\x1b[?1049l").expect("it was given back");
        let told = text.find("this is told").expect("it is told");
        assert!(taken < given && given < told, "{text:?}");
        assert!(text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l"), "the cursor is seen: {text:?}");
        assert!(!text.contains("nobody hears this"), "{text:?}");
    }
}
