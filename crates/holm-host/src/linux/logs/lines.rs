//! The k8s-file format: `time stream P|F message`, where P is a piece of a line and F its end.

/// A container that never ends a line must not fill our memory.
const LONGEST: usize = 64 << 10;

/// Makes lines of bytes that come in any pieces.
#[derive(Debug, Default)]
pub(super) struct Lines {
    carry: Vec<u8>,
    skip: bool,
    /// Pieces of an unfinished message of stdout and of stderr: both may be open at once.
    open: [Vec<u8>; 2],
}

impl Lines {
    /// The bytes begin in the middle of a line, which is left out.
    pub fn skip_first(&mut self) {
        self.skip = true;
    }

    /// The lines that are whole now, each `time stream message` with its end. What is no line of this format
    /// (conmon was killed while it wrote) is left out.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.carry.extend_from_slice(piece);
            if self.carry.last() != Some(&b'\n') {
                continue;
            }
            let line = std::mem::take(&mut self.carry);
            if std::mem::take(&mut self.skip) {
                continue;
            }
            found.extend(self.line(&line[..line.len() - 1]));
        }
        found
    }

    fn line(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let mut parts = line.splitn(4, |byte| *byte == b' ');
        let (time, stream, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let message = parts.next().unwrap_or_default();
        let open = match stream {
            b"stdout" => &mut self.open[0],
            b"stderr" => &mut self.open[1],
            _ => return None,
        };
        let room = LONGEST.saturating_sub(open.len());
        open.extend_from_slice(&message[..message.len().min(room)]);
        match tag {
            b"P" => None,
            b"F" => {
                let message = std::mem::take(open);
                Some([time, b" ", stream, b" ", &message, b"\n"].concat())
            }
            _ => {
                open.clear();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(lines: &mut Lines, text: &str) -> Vec<String> {
        lines
            .feed(text.as_bytes())
            .into_iter()
            .map(|line| String::from_utf8(line).unwrap())
            .collect()
    }

    #[test]
    fn pieces_are_joined_by_stream() {
        let mut lines = Lines::default();
        let text = "t1 stdout P one \nt2 stderr F oops\nt3 stdout P two \nt4 stdout F three\n";
        assert_eq!(
            all(&mut lines, text),
            ["t2 stderr oops\n", "t4 stdout one two three\n"]
        );
    }

    #[test]
    fn bytes_may_be_cut_anywhere() {
        let text = "t1 stdout F a b  c\nt2 stderr F \nt3 stdout F last\nt4 stdout F not yet";
        let expected = ["t1 stdout a b  c\n", "t2 stderr \n", "t3 stdout last\n"];
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut found = all(&mut lines, &text[..cut]);
            found.extend(all(&mut lines, &text[cut..]));
            assert_eq!(found, expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_line_is_left_out() {
        let mut lines = Lines::default();
        let text = "garbage\nt1 stdlog F x\nt1 stdout X x\nt1 stdout F good\n\n";
        assert_eq!(all(&mut lines, text), ["t1 stdout good\n"]);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut lines = Lines::default();
        for _ in 0..100 {
            lines.feed(format!("t stdout P {}\n", "x".repeat(8192)).as_bytes());
        }
        let line = lines.feed(b"t stdout F end\n").pop().unwrap();
        assert_eq!(line.len(), "t stdout \n".len() + LONGEST);
    }
}
