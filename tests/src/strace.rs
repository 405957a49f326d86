//! A server's system calls, as `strace` saw them.
//!
//! Invariants: a call is given whole, with when it began and when it ended by the clock that clients
//! read; every string is whole, or reading fails. What `strace` prints of other things (signals, ends of
//! threads) is left out.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use std::collections::HashMap;

/// The longest string that a trace keeps, in bytes.
const STRING_BYTES: usize = 64 << 20;

/// What starts a program with these calls of it written to `file`.
pub fn wrapper(file: &Path, calls: &[&str]) -> Vec<OsString> {
    // -D: the traced program keeps the process id that was started, and its signals.
    let flags = ["strace", "-D", "-f", "-ttt", "-T", "-yy", "-xx", "--seccomp-bpf"];
    let mut words: Vec<OsString> = flags.map(OsString::from).to_vec();
    words.extend(["-s".into(), STRING_BYTES.to_string().into()]);
    words.extend(["-e".into(), format!("trace={}", calls.join(",")).into()]);
    words.extend(["-o".into(), file.into()]);
    words
}

/// Whether programs can be traced here; why not.
///
/// # Errors
/// What a trial said.
pub fn available() -> Result<(), String> {
    let trial = std::process::Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    match trial {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(format!("strace: {error}")),
    }
}

/// One system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it was entered, in microseconds since 1970.
    pub start: i64,
    /// When it returned.
    pub end: i64,
    /// Its name.
    pub name: String,
    /// What it was given besides strings, as printed, strings left out.
    pub arguments: String,
    /// What the first file descriptor stands for: a path, or a pair of addresses.
    pub target: String,
    /// The strings it was given or gave back, in order.
    pub strings: Vec<Vec<u8>>,
    /// What it returned.
    pub result: i64,
}

impl Call {
    /// The path that the nth string names, from the directory it is relative to.
    pub fn path(&self, nth: usize) -> PathBuf {
        let text = String::from_utf8_lossy(&self.strings[nth]).into_owned();
        Path::new(&self.target).join(text)
    }

    /// The path of its file descriptor.
    pub fn file(&self) -> &Path {
        Path::new(&self.target)
    }

    /// The numbers among its arguments, in order; the file descriptor is the first.
    pub fn numbers(&self) -> Vec<i64> {
        self.arguments.split(',').filter_map(|part| part.trim().parse().ok()).collect()
    }

    /// What it wrote or read, as far as it did.
    pub fn data(&self) -> Vec<u8> {
        let mut data = self.strings.concat();
        data.truncate(usize::try_from(self.result).unwrap_or(0));
        data
    }
}

/// Reads a trace: calls in the order in which they returned. Calls that never returned are left out.
///
/// # Panics
/// If it is not as `wrapper` has it written.
pub fn read(file: &Path) -> Vec<Call> {
    let text = std::fs::read_to_string(file).expect("a trace");
    let mut unfinished: HashMap<&str, (i64, &str)> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let (process, line) = line.split_once(' ').expect("a process id");
        let (time, line) = line.trim_start().split_once(' ').expect("a time");
        let time = micros(time);
        if line.starts_with("+++") || line.starts_with("---") || line.starts_with("???") {
            continue;
        }
        if let Some(begun) = line.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, (time, begun));
            continue;
        }
        if line.starts_with("<... ") {
            let (_, rest) = line.split_once(" resumed>").expect("the rest of a call");
            let (start, begun) = unfinished.remove(process).expect("its beginning");
            calls.extend(call(start, &format!("{begun}{rest}")));
        } else {
            calls.extend(call(time, line));
        }
    }
    calls.sort_by_key(|call| call.end);
    calls
}

/// `name(arguments) = result <duration>`; none if it was interrupted by the end of the process.
fn call(start: i64, line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, rest) = rest.rsplit_once(") = ").or_else(|| rest.rsplit_once(")  = "))?;
    let result = rest.split([' ', '<']).next()?.parse().ok()?;
    let duration = rest.rsplit_once('<')?.1.strip_suffix('>')?;
    let mut call = Call {
        start,
        end: start + micros(duration),
        name: name.to_owned(),
        arguments: String::new(),
        target: String::new(),
        strings: Vec::new(),
        result,
    };
    let mut rest = arguments;
    let mut targets = 0;
    while let Some(at) = rest.find(['"', '<']) {
        call.arguments.push_str(&rest[..at]);
        let quoted = &rest[at + 1..];
        if rest.as_bytes()[at] == b'"' {
            let (string, after) = quoted.split_once('"').expect("the end of a string");
            assert!(!after.starts_with("..."), "a string of {name} was cut short");
            call.strings.push(unescape(string));
            rest = after;
        } else {
            // A pair of addresses holds an arrow.
            let end = quoted.match_indices('>').map(|(end, _)| end);
            let end =
                end.into_iter().find(|end| !quoted[..*end].ends_with('-')).expect("the end of a target");
            if targets == 0 {
                call.target = String::from_utf8_lossy(&unescape(&quoted[..end])).into_owned();
            }
            targets += 1;
            rest = &quoted[end + 1..];
        }
    }
    call.arguments.push_str(rest);
    Some(call)
}

/// Seconds with a fraction of six digits.
fn micros(text: &str) -> i64 {
    let (seconds, fraction) = text.split_once('.').expect("seconds and microseconds");
    let (seconds, fraction): (i64, i64) = (seconds.parse().unwrap(), fraction.parse().unwrap());
    seconds * 1_000_000 + fraction
}

fn unescape(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("a hexadecimal digit") as u8;
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len() / 4);
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\\' && bytes[at + 1] == b'x' {
            out.push(digit(bytes[at + 2]) << 4 | digit(bytes[at + 3]));
            at += 4;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_whole_with_when_they_began_and_ended() {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("trace");
        let trace = "\
            7  1700000000.000010 pwrite64(3<\\x2f\\x64\\x20\\x78>, \"\\x00\\x29\\x2c\", 3, 4096) = 3 <0.000020>\n\
            9  1700000000.000020 recvfrom(7<TCP:[127.0.0.1:1->127.0.0.1:2]>,  <unfinished ...>\n\
            7  1700000000.000040 fdatasync(3<\\x2f\\x64\\x20\\x78>) = -1 EIO (Input/output error) <0.000001>\n\
            7  1700000000.000050 --- SIGTERM {si_signo=SIGTERM} ---\n\
            9  1700000000.000060 <... recvfrom resumed>\"\\x50\\x52\", 100, 0, NULL, NULL) = 2 <0.000050>\n\
            9  1700000000.000070 renameat2(AT_FDCWD<\\x2f>, \"\\x61\", 4<\\x2f\\x6b>, \"\\x62\", 0) = 0 <0.000001>\n\
            9  1700000000.000080 writev(6<TCP:[a->b]>, [{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"\\x62\", iov_len=1}], 2) = 2 <0.000001>\n\
            9  1700000000.000090 fsync(5<\\x2f\\x64>) = ? <unavailable>\n\
            9  1700000000.000090 +++ exited with 0 +++\n";
        std::fs::write(&file, trace).unwrap();
        let calls = read(&file);
        let names: Vec<_> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["pwrite64", "fdatasync", "recvfrom", "renameat2", "writev"]);
        assert_eq!((calls[0].start % 1_000_000, calls[0].end % 1_000_000), (10, 30));
        assert_eq!((calls[0].file(), calls[0].data()), (Path::new("/d x"), vec![0, 41, 44]));
        assert_eq!(calls[0].numbers(), [3, 3, 4096]);
        assert_eq!(calls[1].result, -1);
        assert_eq!((calls[2].start % 1_000_000, calls[2].end % 1_000_000), (20, 70));
        assert_eq!(
            (calls[2].target.as_str(), calls[2].data()),
            ("TCP:[127.0.0.1:1->127.0.0.1:2]", b"PR".to_vec())
        );
        assert_eq!(calls[3].path(0), Path::new("/a"));
        assert_eq!(calls[4].data(), b"ab");
    }
}
