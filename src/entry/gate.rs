//! What of a client's bytes may go on to pingora: nothing of a head before all of it is there and good,
//! nothing of the next request before the present one is answered.
//!
//! Pure: bytes come in through [`Gate::buffer`] or are shown to [`Gate::pass`]; the stream does the
//! reading.

use bytes::{Buf as _, BytesMut};

use super::chunks::Chunks;
use super::raw_head::{self, Body, MOST_BYTES, Refusal, Scan};

/// Read at once, and kept per connection between requests.
const READ: usize = 4 * 1024;

#[derive(Debug)]
enum Phase {
    /// A head is being collected, or nothing has come yet.
    Head,
    Length(u64),
    Chunked(Chunks),
    /// The request is whole; what comes next waits for its answer.
    Over,
    /// Not HTTP any more.
    Tunnel,
}

/// Follows the requests of one HTTP/1 connection.
#[derive(Debug)]
pub struct Gate {
    buffer: BytesMut,
    /// Bytes at the front of the buffer that may leave.
    cleared: usize,
    scan: Scan,
    phase: Phase,
    upgrade: bool,
    /// Something of the present request has left.
    begun: bool,
}

impl Gate {
    pub fn new() -> Self {
        Self {
            buffer: BytesMut::new(),
            cleared: 0,
            scan: Scan::default(),
            phase: Phase::Head,
            upgrade: false,
            begun: false,
        }
    }

    /// Where read bytes go, with room to read into; `None` when no more may be kept.
    pub fn buffer(&mut self) -> Option<&mut BytesMut> {
        if self.buffer.len() >= MOST_BYTES {
            return None;
        }
        self.buffer.reserve(READ);
        Some(&mut self.buffer)
    }

    /// Decides about everything in the buffer.
    ///
    /// # Errors
    /// A head that is refused (nothing of it leaves) or a body whose framing is broken.
    pub fn clear(&mut self) -> Result<(), Refusal> {
        loop {
            let waiting = &self.buffer[self.cleared..];
            match &mut self.phase {
                Phase::Over => return Ok(()),
                _ if waiting.is_empty() => return Ok(()),
                Phase::Head => {
                    let Some(end) = self.scan.find_end(waiting)? else { return Ok(()) };
                    let framing = raw_head::check(&waiting[..end])?;
                    self.cleared += end;
                    self.upgrade = framing.upgrade;
                    self.phase = match framing.body {
                        Body::Length(0) => Phase::Over,
                        Body::Length(length) => Phase::Length(length),
                        Body::Chunked => Phase::Chunked(Chunks::new()),
                    };
                }
                Phase::Tunnel => self.cleared = self.buffer.len(),
                _ => {
                    let taken = pass(&mut self.phase, waiting)?;
                    self.cleared += taken;
                }
            }
        }
    }

    /// Moves at most `room` cleared bytes out through `take`; returns how many.
    pub fn leave(&mut self, room: usize, take: impl FnOnce(&[u8])) -> usize {
        let leaving = room.min(self.cleared);
        if leaving > 0 {
            take(&self.buffer[..leaving]);
            self.buffer.advance(leaving);
            self.cleared -= leaving;
            self.begun = true;
        }
        leaving
    }

    /// How many bytes may be read past the buffer, straight to whoever reads; 0 when they must be kept.
    pub fn straight(&self) -> usize {
        match self.phase {
            _ if !self.buffer.is_empty() => 0,
            Phase::Length(left) => usize::try_from(left).unwrap_or(usize::MAX),
            Phase::Chunked(_) | Phase::Tunnel => usize::MAX,
            Phase::Head | Phase::Over => 0,
        }
    }

    /// Follows bytes that were read straight; what belongs to the next request is kept here. Returns
    /// how many belong to this one.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        let taken = pass(&mut self.phase, bytes)?;
        self.buffer.extend_from_slice(&bytes[taken..]);
        Ok(taken)
    }

    /// The present request was answered; another may come.
    pub fn next(&mut self) {
        self.phase = Phase::Head;
        self.scan = Scan::default();
        self.upgrade = false;
        self.begun = false;
    }

    /// The server agreed to leave HTTP.
    pub fn tunnel(&mut self) {
        self.phase = Phase::Tunnel;
    }

    /// Whether a head is awaited, and whether a part of it is there.
    pub fn awaits_head(&self) -> Option<bool> {
        matches!(self.phase, Phase::Head).then_some(!self.buffer.is_empty())
    }

    /// Whether somebody has seen a part of the present request already.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Whether the present request asked to leave HTTP.
    pub fn wants_upgrade(&self) -> bool {
        self.upgrade
    }

    /// Whether the client may still be sending something nobody will read.
    pub fn leaves_unread(&self) -> bool {
        !self.buffer.is_empty() || matches!(self.phase, Phase::Length(_) | Phase::Chunked(_))
    }
}

fn pass(phase: &mut Phase, bytes: &[u8]) -> Result<usize, Refusal> {
    let taken = match phase {
        Phase::Length(left) => {
            let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= taken as u64;
            taken
        }
        Phase::Chunked(chunks) => chunks.follow(bytes)?,
        Phase::Tunnel => bytes.len(),
        Phase::Head | Phase::Over => 0,
    };
    let ended = match phase {
        Phase::Length(left) => *left == 0,
        Phase::Chunked(chunks) => chunks.ended(),
        _ => false,
    };
    if ended {
        *phase = Phase::Over;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &[u8] = b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
        POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n\
        GET /3 HTTP/1.1\r\nHost: a\r\n\r\n";
    const HEAD_1: usize = 48;
    const ENDS: [usize; 3] = [51, 120, 148];

    fn push(gate: &mut Gate, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        gate.buffer().expect("room").extend_from_slice(bytes);
        drain(gate)
    }

    fn drain(gate: &mut Gate) -> Result<Vec<u8>, Refusal> {
        gate.clear()?;
        let mut out = Vec::new();
        gate.leave(usize::MAX, |bytes| out.extend_from_slice(bytes));
        Ok(out)
    }

    #[test]
    fn requests_leave_one_at_a_time_wherever_they_were_cut() {
        for cut in 0..PIPELINE.len() {
            let mut gate = Gate::new();
            let mut out = push(&mut gate, &PIPELINE[..cut]).expect("good requests");
            out.extend(push(&mut gate, &PIPELINE[cut..]).expect("good requests"));
            for end in ENDS {
                assert_eq!((out.len(), gate.is_over()), (end, true), "cut at {cut}");
                gate.next();
                out.extend(drain(&mut gate).expect("good requests"));
            }
            assert_eq!(out, PIPELINE, "cut at {cut}");
        }
    }

    #[test]
    fn nothing_of_a_head_leaves_before_its_blank_line() {
        let mut gate = Gate::new();
        assert_eq!(push(&mut gate, b"GET / HTTP/1.1\r\nHost: a\r\n"), Ok(Vec::new()));
        assert_eq!(gate.awaits_head(), Some(true));
        assert_eq!(push(&mut gate, b"\r\n").map(|out| out.len()), Ok(27));
    }

    #[test]
    fn nothing_of_a_refused_head_leaves() {
        let mut gate = Gate::new();
        assert!(push(&mut gate, b"GET / HTTP/1.1\r\n\r\n").is_err());
        let mut leaked = 0;
        gate.leave(usize::MAX, |bytes| leaked = bytes.len());
        assert_eq!(leaked, 0);
    }

    #[test]
    fn a_body_read_straight_ends_where_the_next_request_starts() {
        let mut gate = Gate::new();
        push(&mut gate, &PIPELINE[..HEAD_1]).expect("a good head");
        assert_eq!(gate.straight(), 3);
        assert_eq!(gate.pass(&PIPELINE[HEAD_1..ENDS[0]]), Ok(3));
        assert!(gate.is_over());
        gate.next();
        assert_eq!(push(&mut gate, &PIPELINE[ENDS[0]..]).map(|out| out.len()), Ok(ENDS[1] - ENDS[0]));
    }

    #[test]
    fn a_tunnel_passes_everything() {
        let mut gate = Gate::new();
        push(&mut gate, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\n\r\n").expect("a good head");
        assert_eq!(push(&mut gate, b"\x81\x00"), Ok(Vec::new()));
        gate.tunnel();
        assert_eq!(drain(&mut gate), Ok(b"\x81\x00".to_vec()));
        assert_eq!(gate.straight(), usize::MAX);
    }
}
