//! The bytes of a row's input.

use std::time::Duration;

use redflash_tests::raw::Step;

use super::row::Row;
use super::stage::Stage;

/// The steps of a row's request on a bare connection.
pub(crate) fn steps(row: &Row, stage: &Stage) -> Vec<Step> {
    if row.method == "RAW" {
        return raw(&stage.fill(&row.body));
    }
    let body = body(&stage.fill(&row.body));
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
        row.method,
        stage.fill(&row.path)
    );
    let mut framed = false;
    for (name, value) in row.headers() {
        framed |= ["content-length", "transfer-encoding"].contains(&&*name.to_ascii_lowercase());
        head.extend([name, ": ", &repeated(&stage.fill(value)), "\r\n"]);
    }
    if !framed {
        head += &length(body.len());
    }
    head += "\r\n";
    if row.body == "@chunks(endless)" {
        let chunk = [&b"4000\r\n"[..], &[b'a'; 0x4000], b"\r\n"].concat();
        return vec![Step::Send(head.into()), Step::Repeat(chunk, Duration::ZERO)];
    }
    vec![Step::Send([head.into_bytes(), body].concat())]
}

fn length(bytes: usize) -> String {
    format!("Content-Length: {bytes}\r\n")
}

/// A body, its macros expanded.
fn body(text: &str) -> Vec<u8> {
    if let Some(fields) = inside(text, "@multipart(") {
        let parts = fields.split(';').filter_map(|field| field.split_once('='));
        let parts = parts.map(|(name, value)| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        return (parts.collect::<String>() + "--x--\r\n").into_bytes();
    }
    if text.starts_with("@gzip(") {
        // The beginning of any gzip file (RFC 1952): it must not come to reading more of it.
        return vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    }
    unescaped(&nested(&repeated(text)))
}

/// The bytes of a raw exchange: escapes, and the macros that only make sense here.
fn raw(text: &str) -> Vec<Step> {
    if text.is_empty() {
        return Vec::new();
    }
    if let Some(count) = inside(text, "@pipeline(") {
        let good = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        let half = count.parse::<usize>().unwrap() / 2;
        let bad = "GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n";
        let all = [good.repeat(half), bad.to_owned(), good.repeat(half - 1)].concat();
        return vec![Step::Send(all.into())];
    }
    let (text, last) = match text.split_once("@drip(") {
        Some((before, drop)) => {
            let drop = unescaped(drop.strip_suffix(')').unwrap());
            (before, Some(Step::Repeat(drop, Duration::from_secs(1))))
        }
        None => match text.strip_suffix("@close") {
            Some(before) => (before, Some(Step::Close)),
            None => (text, None),
        },
    };
    let text = text.split_once("\\r\\n\\r\\n").map_or_else(
        || text.to_owned(),
        |(_, body)| text.replace("@len", &body.len().to_string()),
    );
    let mut steps = vec![Step::Send(unescaped(&repeated(&text)))];
    steps.extend(last);
    steps
}

fn inside<'a>(text: &'a str, opening: &str) -> Option<&'a str> {
    text.strip_prefix(opening)?.strip_suffix(')')
}

/// The text with `@rep(text,count)` written out.
pub(crate) fn repeated(text: &str) -> String {
    let Some((before, rest)) = text.split_once("@rep(") else {
        return text.to_owned();
    };
    let count = rest.match_indices(',').find_map(|(at, _)| {
        let (digits, after) = rest[at + 1..].split_once(')')?;
        Some((&rest[..at], digits.parse::<usize>().ok()?, after))
    });
    let (what, times, after) = count.unwrap_or_else(|| panic!("@rep without a count: {text}"));
    [before, &what.repeat(times), &repeated(after)].concat()
}

/// The text with `@nest(count)` written out: a template with this many nested parentheses.
fn nested(text: &str) -> String {
    let Some((before, rest)) = text.split_once("@nest(") else {
        return text.to_owned();
    };
    let (count, after) = rest.split_once(')').unwrap();
    let count = count.parse().unwrap();
    let (open, close) = ("(upper ".repeat(count), ")".repeat(count));
    format!("{before}{{{{upper {open}x{close}}}}}{after}")
}

/// The bytes of a text with `\r`, `\n`, `\t`, `\xhh` and `\\` in it.
pub(crate) fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let (byte, after) = match (byte, after) {
            (b'\\', [b'r', after @ ..]) => (b'\r', after),
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b't', after @ ..]) => (b'\t', after),
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = str::from_utf8(&digits).unwrap();
                (u8::from_str_radix(digits, 16).unwrap(), after)
            }
            _ => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}
