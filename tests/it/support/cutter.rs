//! A stretch of wire before a mail server that is cut at a chosen command: before the server hears it, or after it
//! has done it and before its answer gets through. Knows of IMAP and SMTP how a command and the end of its
//! answer look, nothing more.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Where a connection is cut, by the command's first words; the end of a mail is `.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Before(&'static str),
    After(&'static str),
}

#[derive(Debug, Default)]
struct State {
    to_cut: Vec<Cut>,
    /// What clients said, without tags.
    said: Vec<String>,
    /// Every connection ends at once.
    shut: bool,
    /// Connections that ended between a mail's last dot and the client's farewell.
    unclear: usize,
}

/// The wire; each cut is made once.
#[derive(Clone)]
pub struct Cutter {
    pub port: u16,
    state: Arc<Mutex<State>>,
    hung_up: Arc<Notify>,
}

/// One connection.
#[derive(Default)]
struct Session {
    /// The beginning of the server's line that is not let through any more.
    last_line: Option<String>,
    dot_said: bool,
}

impl Cutter {
    pub async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let cutter = Self { port, state: Arc::default(), hung_up: Arc::default() };
        let wire = cutter.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let wire = wire.clone();
                tokio::spawn(async move { wire.carry(client, server).await });
            }
        });
        cutter
    }

    pub fn cut(&self, cut: Cut) {
        self.state().to_cut.push(cut);
    }

    /// Cuts that nothing has met.
    pub fn left(&self) -> Vec<Cut> {
        self.state().to_cut.clone()
    }

    /// Nothing more is cut.
    pub fn heal(&self) {
        self.state().to_cut.clear();
    }

    /// Whether nobody gets through.
    pub fn shut(&self, shut: bool) {
        self.state().shut = shut;
    }

    pub fn unclear(&self) -> usize {
        self.state().unclear
    }

    /// Ends every connection that there is now.
    pub fn hang_up(&self) {
        self.hung_up.notify_waiters();
    }

    /// How often clients have given this command.
    pub fn count(&self, command: &str) -> usize {
        self.state().said.iter().filter(|line| line.starts_with(command)).count()
    }

    /// Whether a client has given this command.
    pub fn heard(&self, command: &str) -> bool {
        self.state().said.iter().any(|line| line.starts_with(command))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panicked")
    }

    async fn carry(&self, client: TcpStream, server: u16) -> io::Result<()> {
        if self.state().shut {
            return Ok(());
        }
        let server = TcpStream::connect(("127.0.0.1", server)).await?;
        let session = Arc::new(Mutex::new(Session::default()));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = self.hung_up.notified() => {}
            _ = self.hear_client(from_client, to_server, &session) => {}
            _ = hear_server(from_server, to_client, &session) => {}
        }
        self.state().unclear += usize::from(session.lock().expect("no test panicked").dot_said);
        Ok(())
    }

    async fn hear_client(
        &self,
        client: OwnedReadHalf,
        mut server: OwnedWriteHalf,
        session: &Mutex<Session>,
    ) -> io::Result<()> {
        let mut client = BufReader::new(client);
        let mut line = Vec::new();
        while client.read_until(b'\n', &mut line).await? > 0 {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !self.lets_through(&text, &mut session.lock().expect("no test panicked")) {
                return Ok(());
            }
            server.write_all(&line).await?;
            line.clear();
        }
        Ok(())
    }

    fn lets_through(&self, line: &str, session: &mut Session) -> bool {
        let (tag, rest) = line.split_once(' ').unwrap_or((line, ""));
        let is_imap = tag.len() > 1
            && tag.starts_with(['A', 'C'])
            && tag[1..].bytes().all(|byte| byte.is_ascii_digit());
        let (command, last_line) = if is_imap { (rest, format!("{tag} ")) } else { (line, String::new()) };
        let is_meant = |word: &str| if word == "." { line == "." } else { command.starts_with(word) };
        let mut state = self.state();
        state.said.push(command.to_owned());
        let met = state.to_cut.iter().position(|cut| {
            let (Cut::Before(word) | Cut::After(word)) = cut;
            is_meant(word)
        });
        let met = met.map(|at| state.to_cut.remove(at));
        if matches!(met, Some(Cut::Before(_))) {
            return false;
        }
        if matches!(met, Some(Cut::After(_))) {
            session.last_line = Some(last_line);
        }
        session.dot_said = line == "." || (session.dot_said && line != "QUIT");
        true
    }
}

async fn hear_server(
    server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    session: &Mutex<Session>,
) -> io::Result<()> {
    let mut server = BufReader::new(server);
    let mut line = Vec::new();
    while server.read_until(b'\n', &mut line).await? > 0 {
        let last_line = session.lock().expect("no test panicked").last_line.clone();
        // A reply by SMTP ends with the line that has a blank after its number.
        let is_last = |tag: &str| match tag {
            "" => line.get(3) == Some(&b' '),
            tag => line.starts_with(tag.as_bytes()),
        };
        if last_line.is_some_and(|tag| is_last(&tag)) {
            return Ok(());
        }
        client.write_all(&line).await?;
        line.clear();
    }
    Ok(())
}
