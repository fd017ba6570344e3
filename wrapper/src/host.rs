//! Who this machine is: an id made once, and a name for people. Must not: leave the state folder.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::Context;
use wire::HostId;
use wire::place::Place;

/// Identity and name of this host; the identity is made at first use.
pub fn identity(place: &Place) -> anyhow::Result<(HostId, String)> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let path = place.state.join("host");
    loop {
        if let Ok(id) = std::fs::read_to_string(&path)
            && !id.trim().is_empty()
        {
            return Ok((HostId(id.trim().to_owned()), name));
        }
        // Two sessions may start at once: the name appears whole, and only once.
        let fresh = path.with_extension(std::process::id().to_string());
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh);
        let written = file.as_mut().map(|f| f.write_all(uuid::Uuid::now_v7().to_string().as_bytes()));
        written
            .map_err(|e| std::io::Error::new(e.kind(), e.to_string()))?
            .context("cannot write the host's id")?;
        let linked = std::fs::hard_link(&fresh, &path);
        std::fs::remove_file(&fresh)?;
        match linked {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(e).context("cannot keep the host's id");
            }
            _ => {}
        }
    }
}
