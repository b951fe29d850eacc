//! A name server on this machine, by UDP and TCP, that knows what a test tells it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, MX, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// A zone in the making.
#[derive(Default)]
pub struct Zone {
    records: Vec<Record>,
    /// Addresses that a name has one after the other, a question each.
    turning: Vec<(Name, Mutex<Vec<Ipv4Addr>>)>,
    /// Names that are answered in full by TCP alone.
    long: Vec<Name>,
}

/// The running server.
pub struct NameServer {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).expect("a name")
}

impl Zone {
    fn with(mut self, owner: &str, data: RData) -> Self {
        self.records.push(Record::from_rdata(name(owner), 0, data));
        self
    }

    pub fn mx(self, owner: &str, priority: u16, host: &str) -> Self {
        self.with(owner, RData::MX(MX::new(priority, name(host))))
    }

    pub fn srv(self, owner: &str, port: u16, host: &str) -> Self {
        self.with(owner, RData::SRV(SRV::new(0, 1, port, name(host))))
    }

    pub fn txt(self, owner: &str, text: &str) -> Self {
        self.with(owner, RData::TXT(TXT::new(vec![text.to_owned()])))
    }

    pub fn cname(self, owner: &str, host: &str) -> Self {
        self.with(owner, RData::CNAME(CNAME(name(host))))
    }

    pub fn a(self, owner: &str, address: [u8; 4]) -> Self {
        self.with(owner, RData::A(A(address.into())))
    }

    /// Another address at each question; the last one stays.
    pub fn turning(mut self, owner: &str, addresses: &[[u8; 4]]) -> Self {
        let addresses = addresses.iter().rev().map(|&address| address.into()).collect();
        self.turning.push((name(owner), Mutex::new(addresses)));
        self
    }

    /// Answers about `owner` do not fit into a datagram.
    pub fn long(mut self, owner: &str) -> Self {
        self.long.push(name(owner));
        self
    }

    pub async fn serve(self) -> NameServer {
        let tcp = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await.expect("bound");
        let address = tcp.local_addr().expect("an address");
        let udp = UdpSocket::bind(address).await.expect("the same port by UDP");
        let (zone, asked) = (Arc::new(self), Arc::new(Mutex::new(Vec::new())));
        tokio::spawn(serve_datagrams(udp, zone.clone(), asked.clone()));
        tokio::spawn(serve_streams(tcp, zone, asked.clone()));
        NameServer { address, asked }
    }

    fn answer(&self, question: &[u8], by_datagram: bool, asked: &Mutex<Vec<String>>) -> Vec<u8> {
        let question = Message::from_vec(question).expect("a question");
        let query = question.queries.first().expect("one query").clone();
        asked.lock().expect("unpoisoned").push(format!("{} {}", query.query_type(), query.name()));
        let mut reply = Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
        reply.metadata.recursion_desired = true;
        reply.metadata.recursion_available = true;
        if by_datagram && self.long.contains(query.name()) {
            reply.metadata.truncation = true;
        } else {
            self.fill(&query, &mut reply);
        }
        reply.add_query(query);
        reply.to_vec().expect("a message")
    }

    fn fill(&self, query: &Query, reply: &mut Message) {
        let turning = self.turning.iter().find(|(owner, _)| owner == query.name());
        if let (Some((owner, addresses)), RecordType::A) = (turning, query.query_type()) {
            let mut addresses = addresses.lock().expect("unpoisoned");
            let next = if addresses.len() > 1 { addresses.pop() } else { addresses.last().copied() };
            let data = RData::A(A(next.expect("an address")));
            reply.add_answer(Record::from_rdata(owner.clone(), 0, data));
            return;
        }
        let mut known = turning.is_some();
        for record in self.records.iter().filter(|record| query.name().zone_of(&record.name)) {
            known = true;
            if record.name == *query.name() && record.record_type() == query.query_type() {
                reply.add_answer(record.clone());
            }
        }
        if !known {
            reply.metadata.response_code = ResponseCode::NXDomain;
        }
    }
}

impl NameServer {
    /// How often `question`, such as `A mail.shop.example.`, was asked.
    pub fn count(&self, question: &str) -> usize {
        self.asked.lock().expect("unpoisoned").iter().filter(|asked| *asked == question).count()
    }
}

async fn serve_datagrams(socket: UdpSocket, zone: Arc<Zone>, asked: Arc<Mutex<Vec<String>>>) {
    let mut question = [0; 4_096];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        let answer = zone.answer(&question[..length], true, &asked);
        socket.send_to(&answer, from).await.expect("sent");
    }
}

async fn serve_streams(listener: TcpListener, zone: Arc<Zone>, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_stream(stream, zone.clone(), asked.clone()));
    }
}

async fn serve_stream(mut stream: TcpStream, zone: Arc<Zone>, asked: Arc<Mutex<Vec<String>>>) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; length.into()];
        stream.read_exact(&mut question).await.expect("a question");
        let answer = zone.answer(&question, false, &asked);
        let length = u16::try_from(answer.len()).expect("a short answer");
        stream.write_all(&[&length.to_be_bytes()[..], &answer].concat()).await.expect("written");
    }
}
