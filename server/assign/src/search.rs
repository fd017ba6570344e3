//! What is found by words. Must not: search by itself.

use wire::search::{Found, Hit, HitKind};
use wire::text::escape;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{age, now};

/// Where to look, and how many.
pub struct Wanted {
    /// The words.
    pub words: Vec<String>,
    /// Only there.
    pub kind: Option<HitKind>,
    /// Only in this session.
    pub session: Option<String>,
    /// How many.
    pub limit: u32,
}

/// Places where all the words stand, newest first.
pub async fn search(client: &Client, print: &Printer, wanted: Wanted) -> Result<(), Failure> {
    let mut path = format!("/v1/search?q={}&limit={}", segment(&wanted.words.join(" ")), wanted.limit);
    path.extend(wanted.kind.map(|kind| format!("&kind={kind}")));
    path.extend(wanted.session.as_deref().map(|name| format!("&session={}", segment(name))));
    let found: Found = client.get(&path).await?;
    print.objects_or(&found.hits, || {
        if found.hits.is_empty() {
            return "nothing was found".to_owned();
        }
        let mut lines: Vec<String> = found.hits.iter().map(line).collect();
        if found.next.is_some() {
            lines.push("and more: -n shows more at once".to_owned());
        }
        lines.join("\n")
    })
}

fn line(hit: &Hit) -> String {
    let place = match (&hit.prompt, &hit.session_name) {
        (Some(prompt), _) => format!("prompt {prompt}"),
        (None, Some(name)) => escape(name),
        (None, None) => "-".to_owned(),
    };
    let excerpt: String = hit.excerpt.iter().map(|piece| escape(&piece.text)).collect();
    format!("{:>4}  {:<6}  {place}  {excerpt}", age(hit.at, now()), hit.kind.as_str())
}
