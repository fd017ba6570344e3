//! The audit log. Must not: change it.

use wire::http::Audit;

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{self, now};

/// The newest entries, and whether the whole log is as it was written.
pub async fn list(client: &Client, print: &Printer, limit: u32, check: bool) -> Result<(), Failure> {
    let audit: Audit = client.get(&format!("/v1/audit?limit={limit}&check={check}")).await?;
    print.object_or(&audit, || {
        let mut out = tables::audit(&audit.entries, now());
        out.push_str(match audit.whole {
            Some(true) => "\nthe log is whole: no entry was changed or removed",
            Some(false) => "\nTHE LOG IS NOT WHOLE: an entry was changed or removed outside of the server",
            None => "",
        });
        out
    })?;
    match audit.whole {
        Some(false) => Err(Failure::failed("the audit log was changed outside of the server")),
        Some(true) | None => Ok(()),
    }
}
