//! Which addresses notices may be sent to. Must not: send, or look a name up itself.
//!
//! A sink's address is data that a browser may set: without this, it would aim the server's requests at what only this
//! machine can reach. The check is made where a name was resolved, and the connection goes to exactly what was checked,
//! so that no second answer of a name server comes between. No proxy is asked: it would look the name up anew.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Response, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

/// How far requests may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// To public addresses, encrypted.
    Public,
    /// Also to this machine and its own network, there in plain text as well.
    Private,
    /// Wherever the owner's own configuration says, by the environment's proxy if it has one.
    Configured,
}

impl Reach {
    /// That of a sink.
    pub fn of(sink: &wire::alert::NewSink) -> Self {
        if sink.allow_private { Self::Private } else { Self::Public }
    }
}

/// What sends a request to others: it waits for a bounded time, and goes nowhere else than it was told.
pub fn agent(reach: Reach, patience: Duration) -> Agent {
    let mut config = Agent::config_builder()
        .timeout_global(Some(patience))
        .max_redirects(0)
        .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")));
    if reach == Reach::Configured {
        return config.build().into();
    }
    config = config.proxy(None);
    let guarded = Guarded { inner: DefaultResolver::default(), reach };
    Agent::with_parts(config.build(), DefaultConnector::default(), guarded)
}

/// What was answered, if it says that it was taken. A redirect, which is not followed, says no such thing.
pub fn taken(answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, ureq::Error> {
    let answer = answer?;
    let status = answer.status();
    if status.is_success() { Ok(answer) } else { Err(ureq::Error::StatusCode(status.as_u16())) }
}

/// What went wrong, for people. An address may hold a secret: it is not told.
pub fn told(error: ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(status) => format!("it answered with the status {status}"),
        ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
        ureq::Error::HostNotFound => "its host is not known".to_owned(),
        ureq::Error::Io(error) => format!("it cannot be reached: {error}"),
        ureq::Error::Other(error) if error.is::<Refused>() => error.to_string(),
        _ => "it cannot be reached".to_owned(),
    }
}

#[derive(Debug)]
struct Guarded<R> {
    inner: R,
    reach: Reach,
}

impl<R: Resolver> Resolver for Guarded<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let plain = uri.scheme_str() != Some("https");
        // One that resolves to both is refused, as it may be the other one at the next try.
        for address in &found {
            allowed(self.reach, plain, address.ip()).map_err(|why| ureq::Error::Other(Box::new(why)))?;
        }
        Ok(found)
    }
}

/// Why an address is not spoken to.
#[derive(Debug, PartialEq, Eq)]
enum Refused {
    Private,
    Reserved,
    Plain,
}

impl std::error::Error for Refused {}

impl fmt::Display for Refused {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Private => {
                "its address is of this machine or its own network; `assign sink set … --allow-private` permits that"
            }
            Self::Reserved => "its address belongs to nobody who could take a notice",
            Self::Plain => "a notice goes to a public address only by https",
        })
    }
}

fn allowed(reach: Reach, plain: bool, address: IpAddr) -> Result<(), Refused> {
    match (kind(address), reach) {
        (Kind::Reserved, _) => Err(Refused::Reserved),
        (Kind::Private, Reach::Public) => Err(Refused::Private),
        (Kind::Public, _) if plain => Err(Refused::Plain),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Public,
    /// This machine, or a network of its owner's.
    Private,
    /// Link-local (a cloud's metadata among it), many at once, examples, the future.
    Reserved,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_4(address),
        IpAddr::V6(address) => kind_6(address),
    }
}

/// By IANA's registry of special-purpose IPv4 addresses (RFC 6890 and its successors).
fn kind_4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [127 | 10, ..] | [192, 168, ..] => Kind::Private,
        [172, b, ..] if (16..32).contains(&b) => Kind::Private,
        // Shared by a provider's customers, and by private networks that span the Internet.
        [100, b, ..] if (64..128).contains(&b) => Kind::Private,
        [0, ..] | [169, 254, ..] | [192, 0, 0, _] => Kind::Reserved,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..] => Kind::Reserved,
        [224..=255, ..] => Kind::Reserved,
        _ => Kind::Public,
    }
}

/// By IANA's registry of special-purpose IPv6 addresses; one that carries an IPv4 address is what that one is.
fn kind_6(address: Ipv6Addr) -> Kind {
    if let Some(inner) = inner_4(address) {
        return kind_4(inner);
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Kind::Private,
        // Teredo, examples, and other special uses.
        [0x2001, 0..=0x1ff | 0xdb8, ..] => Kind::Reserved,
        [0x2000..=0x3fff, ..] => Kind::Public,
        _ => Kind::Reserved,
    }
}

/// The IPv4 address within: mapped, translated (NAT64), or of a tunnel (6to4).
fn inner_4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(of(high, low)),
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn verdict(reach: Reach, plain: bool, address: &str) -> Result<(), Refused> {
        allowed(reach, plain, address.parse().unwrap())
    }

    #[test]
    fn a67_a_notice_goes_to_public_addresses_unless_its_owner_said_more() {
        let private = [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::1",
            "2002:a00:1::",
        ];
        for address in private {
            assert_eq!(verdict(Reach::Public, false, address), Err(Refused::Private), "{address}");
            assert_eq!(verdict(Reach::Private, false, address), Ok(()), "{address}");
            assert_eq!(verdict(Reach::Private, true, address), Ok(()), "{address}");
        }
        let nobodys = [
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "::",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "fec0::1",
        ];
        for address in nobodys {
            for reach in [Reach::Public, Reach::Private] {
                assert_eq!(verdict(reach, false, address), Err(Refused::Reserved), "{address}");
            }
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            for reach in [Reach::Public, Reach::Private] {
                assert_eq!(verdict(reach, false, address), Ok(()), "{address}");
                assert_eq!(verdict(reach, true, address), Err(Refused::Plain), "{address}");
            }
        }
    }

    /// A name server that says something else each time it is asked.
    #[derive(Debug, Clone)]
    struct Rebinding(Arc<AtomicUsize>, u16);

    impl Resolver for Rebinding {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            let ip = if first { Ipv4Addr::LOCALHOST } else { Ipv4Addr::new(169, 254, 169, 254) };
            found.push((ip, self.1).into());
            Ok(found)
        }
    }

    #[test]
    fn a67_the_connection_goes_to_the_address_that_was_checked() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let names = Rebinding(Arc::default(), listener.local_addr().unwrap().port());
        let guarded = Guarded { inner: names.clone(), reach: Reach::Private };
        let config =
            Agent::config_builder().timeout_global(Some(Duration::from_secs(20))).proxy(None).build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), guarded);
        let asked = std::thread::spawn(move || agent.post("http://hooks.example/").send("{}").is_ok());
        let (mut peer, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut peer, b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        assert!(asked.join().unwrap());
        assert_eq!(names.0.load(Ordering::Relaxed), 1, "it was looked up once");
    }

    #[test]
    fn a67_a_redirect_is_not_followed() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let other = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let elsewhere = format!("http://{}/", other.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            taken(agent(Reach::Private, Duration::from_secs(20)).post(&url).send("{}"))
                .map(drop)
                .map_err(told)
        });
        let (mut peer, _) = listener.accept().unwrap();
        let head =
            format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n");
        std::io::Write::write_all(&mut peer, head.as_bytes()).unwrap();
        assert_eq!(
            asked.join().unwrap(),
            Err("it answered with the status 307".to_owned()),
            "it was not taken"
        );
        other.set_nonblocking(true).unwrap();
        assert!(other.accept().is_err(), "nobody came");
    }
}
