//! `wrap relay`: the program of a session that stands in for a tmux pane. What the pane shows is its output; what is
//! typed into it is typed into the pane, if that is allowed.
//!
//! tmux has one pipe for each pane; when it closes, whatever the reason, the relay ends and with it the session. Must not:
//! hand anything that a pane prints to a shell, or type into a pane for which nobody has allowed it.

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::fs::OFlags;
use wire::place::Place;

use crate::cli::RelayArgs;
use crate::tty;

/// How long tmux may take to open its pipe.
const PIPE: Duration = Duration::from_secs(10);

/// What is asked of the pane at once: nothing that it prints can come between the answers.
const FIRST: &str = "#{pane_width} #{pane_height} #{cursor_x} #{cursor_y} #{cursor_flag} #{alternate_on} \
                     #{pane_tty} #{pane_title}";

/// Until the pane, its pipe or its tmux is gone.
pub fn run(place: &Place, args: &RelayArgs) -> anyhow::Result<()> {
    if let Some(socket) = &args.feed {
        return feed(socket);
    }
    let (Some(socket), Some(id)) = (args.socket.clone(), args.pane.clone()) else {
        anyhow::bail!("no pane was named");
    };
    let pane = Pane { socket, id };
    if let Some(tty) = tty::Tty::new(io::stdin()) {
        // Bytes pass as they are. Nobody is left to bring it back for: this terminal is the session's own.
        tty.raw();
    }
    let path = place.run.join(format!("relay-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener =
        UnixListener::bind(&path).with_context(|| format!("cannot listen at {}", path.display()))?;
    let begun = pane.begin(&path).and_then(|told| Ok((told, accept(&listener)?)));
    let _ = std::fs::remove_file(&path);
    let (told, stream) = begun?;
    let may_type = args.may_type;
    let typed = Pane { socket: pane.socket.clone(), id: pane.id.clone() };
    std::thread::spawn(move || typed.take_input(may_type));
    pane.show(&told, stream)
}

/// The other end of tmux's pipe: what a pane prints, brought to the relay.
fn feed(socket: &Path) -> anyhow::Result<()> {
    let mut stream = UnixStream::connect(socket).context("the relay is gone")?;
    io::copy(&mut io::stdin().lock(), &mut stream)?;
    Ok(())
}

fn accept(listener: &UnixListener) -> anyhow::Result<UnixStream> {
    listener.set_nonblocking(true)?;
    let until = Instant::now() + PIPE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(e) => return Err(e).context("tmux did not open a pipe for the pane"),
        }
    }
}

struct Pane {
    socket: PathBuf,
    id: String,
}

impl Pane {
    fn tmux(&self, arguments: &[&OsStr], input: Option<&[u8]>) -> anyhow::Result<Vec<u8>> {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(&self.socket).args(arguments);
        command.stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run tmux")?;
        if let (Some(bytes), Some(mut to)) = (input, child.stdin.take()) {
            to.write_all(bytes)?;
        }
        let output = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "tmux: {}", wire::text::escape(said.trim()));
        Ok(output.stdout)
    }

    fn words(&self, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        self.tmux(&words.iter().map(OsStr::new).collect::<Vec<_>>(), None)
    }

    /// Opens the pipe and asks what the pane shows at that moment, in one go: no byte is missing between, and none is
    /// there twice.
    fn begin(&self, socket: &Path) -> anyhow::Result<Vec<u8>> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let quoted = [quoted(program.as_os_str()), quoted(OsStr::new("relay")), quoted(OsStr::new("--feed"))];
        let command =
            [&b"exec "[..], &quoted.join(&b" "[..]), b" ", &self::quoted(socket.as_os_str())].concat();
        let words = ["pipe-pane", "-O", "-t", &self.id];
        let mut all: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        all.push(OsStr::from_bytes(&command));
        let screen = self.screen_words();
        all.push(OsStr::new(";"));
        all.extend(screen.iter().map(OsStr::new));
        self.tmux(&all, None)
    }

    fn screen_words(&self) -> [&str; 11] {
        let id = self.id.as_str();
        ["display-message", "-p", "-t", id, FIRST, ";", "capture-pane", "-p", "-e", "-t", id]
    }

    /// Shows what there is, and then what comes; all of it anew when the pane has another size.
    fn show(&self, told: &[u8], mut stream: UnixStream) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        let mut seen = Screen::read(told).context("tmux does not say what the pane shows")?;
        out.write_all(&seen.drawn())?;
        out.flush()?;
        let mut bytes = vec![0; 64 << 10];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(n) => out.write_all(&bytes[..n]).and_then(|()| out.flush())?,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e).context("the pipe of the pane"),
            }
            if size(&seen.tty).is_some_and(|size| size != seen.size) {
                // tmux has laid its lines out anew.
                let told = self.words(&self.screen_words())?;
                seen = Screen::read(&told).context("tmux does not say what the pane shows")?;
                out.write_all(&seen.drawn()).and_then(|()| out.flush())?;
            }
        }
    }

    /// Types what is typed into the session; or takes it and does nothing, so that nobody waits for it to be taken.
    fn take_input(&self, may_type: bool) {
        let mut bytes = [0; 16 << 10];
        let mut input = io::stdin().lock();
        while let Ok(n @ 1..) = input.read(&mut bytes) {
            // What cannot be typed was not: the queue looks whether it stands there before it presses Enter.
            if may_type && self.type_in(&bytes[..n]).is_err() {
                return;
            }
        }
    }

    /// As bytes, by a buffer of its own: tmux reads keys in nothing of it, and changes no line break.
    fn type_in(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let buffer = format!("muster-{}", std::process::id());
        let words = [
            "load-buffer",
            "-b",
            &buffer,
            "-",
            ";",
            "paste-buffer",
            "-r",
            "-d",
            "-b",
            &buffer,
            "-t",
            &self.id,
        ];
        self.tmux(&words.iter().map(OsStr::new).collect::<Vec<_>>(), Some(bytes)).map(|_| ())
    }
}

/// A word for tmux's shell, in which neither the shell nor tmux itself reads anything.
fn quoted(word: &OsStr) -> Vec<u8> {
    let mut out = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => out.extend(b"'\\''"),
            // A format, and the format of a date.
            b'#' | b'%' => out.extend([*byte, *byte]),
            byte => out.push(*byte),
        }
    }
    out.push(b'\'');
    out
}

/// Columns and rows of a pane; it is not kept open, for it would not end as long as it is.
fn size(tty: &Path) -> Option<(u16, u16)> {
    let flags = i32::try_from(OFlags::NOCTTY.bits()).ok()?;
    let tty = OpenOptions::new().read(true).custom_flags(flags).open(tty).ok()?;
    tty::size(&tty)
}

/// What a pane shows at a moment.
#[derive(Debug, PartialEq, Eq)]
struct Screen {
    size: (u16, u16),
    /// Column and row, from 0.
    cursor: (u16, u16),
    cursor_shown: bool,
    alternate: bool,
    tty: PathBuf,
    title: String,
    rows: Vec<Vec<u8>>,
}

impl Screen {
    /// Reads the answers to [`FIRST`] and to `capture-pane -e`.
    fn read(told: &[u8]) -> Option<Self> {
        let mut lines = told.split(|byte| *byte == b'\n');
        let first = String::from_utf8_lossy(lines.next()?).into_owned();
        let mut fields = first.splitn(8, ' ');
        let mut number = || fields.next()?.parse::<u16>().ok();
        let (size, cursor) = ((number()?, number()?), (number()?, number()?));
        let (cursor_shown, alternate) = (number()? == 1, number()? == 1);
        let tty = PathBuf::from(fields.next()?);
        let title = fields.next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        let rows = lines.take(usize::from(size.1)).map(<[u8]>::to_vec).collect();
        Some(Self { size, cursor, cursor_shown, alternate, tty, title, rows })
    }

    /// The bytes that draw it on any screen that shows something else.
    fn drawn(&self) -> Vec<u8> {
        let mut out =
            format!("\x1b[?1049{}\x1b[0m\x1b[H\x1b[2J", if self.alternate { 'h' } else { 'l' }).into_bytes();
        out.extend(format!("\x1b]2;{}\x1b\\", self.title).bytes());
        for (row, bytes) in (1..).zip(&self.rows) {
            out.extend(format!("\x1b[{row};1H").bytes());
            out.extend(bytes);
            out.extend(b"\x1b[0m");
        }
        let shown = if self.cursor_shown { 'h' } else { 'l' };
        out.extend(format!("\x1b[{};{}H\x1b[?25{shown}", self.cursor.1 + 1, self.cursor.0 + 1).bytes());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_is_drawn_where_it_stood() {
        let told = b"80 2 3 1 1 0 /dev/pts/5 a title\x1b]2;x\x07 of two\n\x1b[31mred\x1b[39m\n$ x\n";
        let screen = Screen::read(told).unwrap();
        assert_eq!((screen.size, screen.cursor, screen.rows.len()), ((80, 2), (3, 1), 2));
        assert_eq!(screen.title, "a title]2;x of two");
        let drawn = String::from_utf8(screen.drawn()).unwrap();
        assert!(drawn.contains("\x1b[1;1H\x1b[31mred") && drawn.ends_with("\x1b[2;4H\x1b[?25h"), "{drawn:?}");
        assert_eq!(Screen::read(b"80 x\n"), None);
    }

    #[test]
    fn neither_a_shell_nor_tmux_reads_anything_in_a_path() {
        assert_eq!(quoted(OsStr::new("/a b/#(x)'%H")), b"'/a b/##(x)'\\''%%H'");
    }
}
