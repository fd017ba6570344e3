//! Where traces go and how they are written: OTLP over HTTP, as <https://opentelemetry.io/docs/specs/otlp/> has it.
//!
//! Must not: send anything but where the configuration says, or tell an address, which may hold a secret.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::spans::attribute;
use crate::outbound::{self, Reach};

/// The way of traces that is looked for in the environment, as OpenTelemetry names it.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// The same for traces only; used as it is.
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
/// Headers for all.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// Headers for traces only, instead of those for all.
const TRACES_HEADERS: &str = "OTEL_EXPORTER_OTLP_TRACES_HEADERS";
/// How long the collector may take: what OpenTelemetry's exporters wait by default.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most of an answer that is read.
const ANSWER: u64 = 64 << 10;

/// Where traces are sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector {
    url: String,
    headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Collector {
    // Addresses and headers may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Collector")
    }
}

/// Why a collector has not taken what it was sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may, later.
    Later(String),
    /// It never will.
    Never(String),
}

impl Collector {
    /// Reads what is configured: an address, or `env` for what the environment says.
    pub fn read(said: &str, env: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        if said != "env" {
            return Ok(Self {
                url: below(said).ok_or_else(|| wrong("telemetry.otlp"))?,
                headers: Vec::new(),
            });
        }
        let url = match (env(TRACES), env(ENDPOINT)) {
            (Some(url), _) => address(&url).map(str::to_owned).ok_or_else(|| wrong(TRACES))?,
            (None, Some(base)) => below(&base).ok_or_else(|| wrong(ENDPOINT))?,
            (None, None) => {
                return Err(format!(
                    "telemetry.otlp is \"env\", and the environment has neither {ENDPOINT} nor {TRACES}: \
                     set one for the server, or name the collector's address"
                ));
            }
        };
        let headers = env(TRACES_HEADERS).or_else(|| env(HEADERS)).map(|text| pairs(&text)).transpose()?;
        Ok(Self { url, headers: headers.unwrap_or_default() })
    }

    /// Sends; waits for the answer, for a bounded time. Gives what the collector has to say.
    pub fn send(&self, body: &[u8]) -> Result<Option<String>, Failure> {
        let mut request = outbound::agent(Reach::Configured, PATIENCE)
            .post(&self.url)
            .header("content-type", "application/x-protobuf");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match outbound::taken(request.send(body)) {
            Ok(mut answer) => {
                let body = answer.body_mut().with_config().limit(ANSWER).read_to_vec().unwrap_or_default();
                Ok(rejected(&body))
            }
            Err(error) => {
                // What cannot be reached may come back; so may what says one of these, and nothing else.
                let later = match error {
                    ureq::Error::StatusCode(status) => matches!(status, 408 | 429 | 502 | 503 | 504),
                    _ => true,
                };
                let why = outbound::told(error);
                Err(if later { Failure::Later(why) } else { Failure::Never(why) })
            }
        }
    }
}

/// Spans of this installation, as they are sent.
pub fn request(install: &str, spans: Vec<Span>) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let words = [("service.name", "muster"), ("service.version", version), ("service.instance.id", install)];
    let attributes =
        words.iter().map(|(name, value)| attribute(name, Value::StringValue((*value).to_owned()))).collect();
    let scope = InstrumentationScope {
        name: "muster".to_owned(),
        version: version.to_owned(),
        ..InstrumentationScope::default()
    };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// What a collector did not keep of what it took. It is not to be sent again.
fn rejected(answer: &[u8]) -> Option<String> {
    let partial = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
    (partial.rejected_spans > 0)
        .then(|| format!("{} spans: {}", partial.rejected_spans, partial.error_message))
}

fn below(base: &str) -> Option<String> {
    address(base).map(|base| format!("{}/v1/traces", base.trim_end_matches('/')))
}

fn address(text: &str) -> Option<&str> {
    let text = text.trim();
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let plain = !host.is_empty() && !host.starts_with('/');
    (plain && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '?' || c == '#'))
        .then_some(text)
}

fn wrong(what: &str) -> String {
    format!("{what} is no address: write it like \"http://127.0.0.1:4318\", without a query")
}

/// Reads headers: `name=value,name=value`, the values percent-encoded.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let wrong = || format!("{HEADERS} is wrong: write it like name=value,name=value");
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
        let (name, value) = (name.trim(), decoded(value.trim()).ok_or_else(wrong)?);
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let fits = !name.is_empty() && name.bytes().all(token) && !value.chars().any(char::is_control);
        fits.then(|| (name.to_owned(), value)).ok_or_else(wrong)
    };
    text.split(',').filter(|part| !part.trim().is_empty()).map(pair).collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(said: &str, env: &[(&str, &str)]) -> Result<Collector, String> {
        Collector::read(said, |name| {
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_counts_only_when_it_is_asked_for() {
        let env = [(ENDPOINT, "http://other:4318"), (HEADERS, "a=b")];
        let named = check("http://127.0.0.1:4318/", &env).unwrap();
        assert_eq!((named.url.as_str(), named.headers.len()), ("http://127.0.0.1:4318/v1/traces", 0));
        let asked = check("env", &env).unwrap();
        assert_eq!(asked.url, "http://other:4318/v1/traces");
        assert_eq!(asked.headers, [("a".to_owned(), "b".to_owned())]);
        let traces =
            check("env", &[(TRACES, "https://t/x"), (TRACES_HEADERS, "authorization=Bearer%20k,b=c")]);
        let traces = traces.unwrap();
        assert_eq!((traces.url.as_str(), traces.headers[0].1.as_str()), ("https://t/x", "Bearer k"));
        assert!(check("env", &[(ENDPOINT, " ")]).unwrap_err().contains("name the collector's address"));
    }

    #[test]
    fn what_is_no_address_or_no_header_says_so_and_does_not_tell_it() {
        for said in ["", "127.0.0.1:4318", "ftp://a", "http://", "http:///a", "http://a/?key=1", "http://a b"]
        {
            assert!(check(said, &[]).unwrap_err().contains("telemetry.otlp is no address"), "{said}");
        }
        for headers in ["secret", "=secret", "a=%zz", "a=%0a", "a b=c", "a=%ff"] {
            let error = check("env", &[(ENDPOINT, "http://a"), (HEADERS, headers)]).unwrap_err();
            assert!(error.contains("name=value") && !error.contains("secret"), "{error}");
        }
    }
}
