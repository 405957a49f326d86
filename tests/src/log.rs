//! A server's log, as a person reads it.

use std::net::SocketAddr;
use std::path::Path;

/// The text of a log file from a byte on.
pub fn read_from(path: &Path, skip: u64) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(bytes.get(skip as usize..).unwrap_or_default()).into_owned()
}

/// The addresses of gRPC and of probes, once the line that tells them is whole.
pub fn addresses(log: &str) -> Option<(SocketAddr, SocketAddr)> {
    let (lines, _) = log.rsplit_once('\n')?;
    lines.lines().filter(|line| line.contains("listening")).find_map(|line| {
        let after = |key: &str| {
            let (_, rest) = line.split_once(key)?;
            let end = rest.find(|c: char| !(c.is_ascii_hexdigit() || ".:[]".contains(c)));
            rest[..end.unwrap_or(rest.len())].parse().ok()
        };
        Some((after("grpc=")?, after("admin=")?))
    })
}

/// The last lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().map(|line| format!("{line}\n")).collect()
}

/// The lines that hold all of these texts.
pub fn lines_with<'a>(text: &'a str, parts: &[&str]) -> Vec<&'a str> {
    text.lines().filter(|line| parts.iter().all(|part| line.contains(part))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_a_whole_line_only() {
        let line = "2026-01-01T00:00:00Z  INFO host: listening grpc=127.0.0.1:7400 admin=127.0.0.1:7410";
        let expected = ("127.0.0.1:7400".parse().unwrap(), "127.0.0.1:7410".parse().unwrap());
        assert_eq!(addresses(&format!("x\n{line}\n")), Some(expected));
        assert_eq!(addresses(line), None);
        assert_eq!(addresses("listening grpc=127.0.0.1:7400\n"), None);
    }
}
