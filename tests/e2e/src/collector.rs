//! A stand-in for an OpenTelemetry collector: it takes traces over HTTP and decodes them with OpenTelemetry's own types.
//! Must not: share code with what sends them.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::service::Taken;
use crate::wait_for;

/// Takes what comes until the test ends.
pub struct Collector {
    port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    /// What it answers with.
    status: AtomicU16,
    /// Requests that came, taken or not.
    asked: AtomicUsize,
    spans: Mutex<Vec<Span>>,
    heads: Mutex<Vec<String>>,
}

impl Collector {
    /// One that takes everything.
    pub fn start() -> Self {
        Self::answering(200)
    }

    /// One that answers with a status, and keeps what it takes only when that is success.
    pub fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it has one").port();
        let inner = Arc::new(Inner {
            status: AtomicU16::new(status),
            asked: AtomicUsize::new(0),
            spans: Mutex::default(),
            heads: Mutex::default(),
        });
        let theirs = inner.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A sender that is killed in the middle has not been heard.
                let _ = theirs.hear(stream);
            }
        });
        Self { port, inner }
    }

    /// What it answers with from now on.
    pub fn answer(&self, status: u16) {
        self.inner.status.store(status, Ordering::SeqCst);
    }

    /// Where it is, as a configuration says it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests came.
    pub fn asked(&self) -> usize {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.inner.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All spans that it took, as often as they came.
    pub fn spans(&self) -> Vec<Span> {
        self.inner.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spans of a trace, once it has any.
    #[track_caller]
    pub fn trace(&self, id: &str) -> Vec<Span> {
        wait_for(&format!("the trace {id}"), || {
            let mut spans = self.spans();
            spans.retain(|span| hex(&span.trace_id) == id);
            (!spans.is_empty()).then_some(spans)
        })
    }
}

impl Inner {
    fn hear(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut taken = Taken::read(stream)?;
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).push(taken.head.to_lowercase());
        let status = self.status.load(Ordering::SeqCst);
        if status == 200 {
            let request =
                ExportTraceServiceRequest::decode(taken.body.as_slice()).map_err(std::io::Error::other)?;
            let spans = request.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans);
            self.spans.lock().unwrap_or_else(PoisonError::into_inner).extend(spans);
        }
        taken.answer(status, "")
    }
}

/// Bytes as people write a trace.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a span says under a name, as text.
pub fn said(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        Value::DoubleValue(number) => Some(number.to_string()),
        _ => None,
    }
}
