//! The reading half of a client's connection: the gate between the socket and pingora.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, BufWriter, ReadBuf};

use super::farewell;
use super::gate::Gate;
use super::notice::Refused;
use super::raw_head::Refusal;
use super::stream::ClientStream;
use super::transport::Transport;

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.gate.is_none() {
            if !this.preface.is_empty() {
                let (now, later) = this.preface.split_at(this.preface.len().min(out.remaining()));
                out.put_slice(now);
                this.preface = later;
                return Poll::Ready(Ok(()));
            }
            return Pin::new(&mut this.connection).poll_read(context, out);
        }
        loop {
            if let Some(farewell) = &mut this.farewell {
                ready!(farewell.as_mut().poll(context));
                this.farewell = None;
                return Poll::Ready(Ok(()));
            }
            match this.step(context, out) {
                Ok(Step::Delivered) => return Poll::Ready(Ok(())),
                Ok(Step::Again) => {}
                Ok(Step::Wait) => return Poll::Pending,
                Err(Stop::Io(error)) => return Poll::Ready(Err(error)),
                Err(Stop::Refused(refusal)) => this.refuse(refusal)?,
            }
        }
    }
}

enum Step {
    /// Bytes, or the end of the stream.
    Delivered,
    Again,
    Wait,
}

enum Stop {
    Io(io::Error),
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl ClientStream {
    fn step(&mut self, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Result<Step, Stop> {
        let Some(gate) = &mut self.gate else { return Ok(Step::Delivered) };
        if gate.is_over() && self.turn.taken() {
            gate.next();
        }
        let awaited = gate.awaits_head().is_some();
        gate.clear()?;
        if awaited && gate.awaits_head().is_none() {
            self.awaits_switch = gate.wants_upgrade();
            self.deadline.rest();
        }
        if gate.leave(out.remaining(), |bytes| out.put_slice(bytes)) > 0 {
            return Ok(Step::Delivered);
        }
        let read = match gate.straight() {
            0 => fill(&mut self.connection, gate, context),
            most => straight(&mut self.connection, gate, most, context, out),
        };
        match read {
            Poll::Ready(step) => step,
            Poll::Pending => self.wait(context),
        }
    }

    /// Nothing to read: a client that owes a head has its deadline.
    fn wait(&mut self, context: &mut Context<'_>) -> Result<Step, Stop> {
        let Some(begun) = self.gate.as_ref().and_then(Gate::awaits_head) else { return Ok(Step::Wait) };
        match self.deadline.poll(begun, context) {
            Poll::Pending => Ok(Step::Wait),
            Poll::Ready(()) if begun => Err(Stop::Refused(Refusal::TOO_SLOW)),
            Poll::Ready(()) => Ok(Step::Delivered),
        }
    }

    /// A request of which nothing has left is answered here, and pingora sees a client that said
    /// nothing. A body that breaks its framing later is an error of a request under way.
    fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        if self.gate.as_ref().is_some_and(Gate::has_begun) {
            // The request is under way, and whoever answers it tells.
            return Err(io::Error::new(io::ErrorKind::InvalidData, refusal.reason));
        }
        let Refusal { status, reason } = refusal;
        (self.notice)(&Refused::Request { peer: self.peer, status, reason });
        let connection =
            std::mem::replace(&mut self.connection, BufWriter::with_capacity(0, Transport::Gone));
        self.farewell = Some(Box::pin(farewell::refuse(connection, refusal)));
        Ok(())
    }
}

/// Reads into the gate's buffer. The end of the stream is delivered as such.
fn fill(
    connection: &mut BufWriter<Transport>,
    gate: &mut Gate,
    context: &mut Context<'_>,
) -> Poll<Result<Step, Stop>> {
    // A full buffer means that the client sends ahead of its turn; it has to wait.
    let Some(buffer) = gate.buffer() else { return Poll::Ready(Ok(Step::Wait)) };
    let count = ready!(pin!(connection.read_buf(buffer)).poll(context))?;
    Poll::Ready(Ok(if count == 0 { Step::Delivered } else { Step::Again }))
}

/// Reads a body without a detour; `most` bytes belong to it at most.
fn straight(
    connection: &mut BufWriter<Transport>,
    gate: &mut Gate,
    most: usize,
    context: &mut Context<'_>,
    out: &mut ReadBuf<'_>,
) -> Poll<Result<Step, Stop>> {
    let before = out.filled().len();
    if most < out.remaining() {
        let mut tail = ReadBuf::new(out.initialize_unfilled_to(most));
        ready!(Pin::new(connection).poll_read(context, &mut tail))?;
        let count = tail.filled().len();
        out.advance(count);
    } else {
        ready!(Pin::new(connection).poll_read(context, out))?;
    }
    let belongs = gate.pass(&out.filled()[before..])?;
    out.set_filled(before + belongs);
    Poll::Ready(Ok(Step::Delivered))
}
