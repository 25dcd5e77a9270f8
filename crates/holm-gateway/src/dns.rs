//! The resolver of services: names of the asking service's own network, and nothing else.
//!
//! One wildcard socket serves every leg: a leg that is connected later needs no new socket, and the kernel
//! answers from the one address that the leg has. Who asks is told by the source address, which packet policy
//! has pinned to its interface and hardware address.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, ResponseCode},
    rr::{DNSClass, RData, Record, RecordType, rdata::A},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::watch,
    time::{sleep, timeout},
};

use crate::tables::Tables;

/// Short: a service that moves is found again soon.
const TTL: u32 = 5;
/// Of one TCP connection, between two queries.
const IDLE: Duration = Duration::from_secs(10);
/// TCP connections at once of one asker.
const CONNECTIONS: usize = 16;

/// How a query came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// One packet, one answer.
    Udp,
    /// Any length.
    Tcp,
}

/// Answers one query from `from`; `None` for what deserves no answer (no query at all). Over UDP the answer is
/// no longer than the asker said it can take: he is told to ask again over TCP.
pub fn answer(tables: &Tables, from: Ipv4Addr, query: &[u8], over: Over) -> Option<Vec<u8>> {
    let query = match Message::from_vec(query) {
        Ok(query) => query,
        Err(_) => return malformed(query),
    };
    if query.metadata.message_type != MessageType::Query {
        return None;
    }
    let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
    reply.metadata.recursion_desired = query.metadata.recursion_desired;
    reply.metadata.recursion_available = true;
    if query.edns.is_some() {
        reply.set_edns(Edns::new());
    }
    reply.metadata.response_code = fill(tables, from, &query, &mut reply);
    let bytes = reply.to_vec().ok()?;
    if over == Over::Udp && bytes.len() > usize::from(query.max_payload().max(512)) {
        return reply.truncate().to_vec().ok();
    }
    Some(bytes)
}

fn fill(tables: &Tables, from: Ipv4Addr, query: &Message, reply: &mut Message) -> ResponseCode {
    if query.metadata.op_code != OpCode::Query {
        return ResponseCode::NotImp;
    }
    let [question] = query.queries.as_slice() else {
        return ResponseCode::FormErr;
    };
    reply.add_query(question.clone());
    let Some(names) = tables.names.get(&from) else {
        return ResponseCode::Refused;
    };
    if question.query_class() != DNSClass::IN {
        return ResponseCode::Refused;
    }
    let name = question.name().to_ascii().to_ascii_lowercase();
    let Some(addresses) = names.get(name.trim_end_matches('.')) else {
        return ResponseCode::NXDomain;
    };
    reply.metadata.authoritative = true;
    if matches!(question.query_type(), RecordType::A | RecordType::ANY) {
        for address in addresses {
            let data = RData::A(A::from(*address));
            reply.add_answer(Record::from_rdata(question.name().clone(), TTL, data));
        }
    }
    ResponseCode::NoError
}

/// A header that can be read gets FORMERR under its number; less than that gets nothing.
fn malformed(query: &[u8]) -> Option<Vec<u8>> {
    let [high, low, flags, ..] = *query else {
        return None;
    };
    let is_query = query.len() >= 12 && flags & 0x80 == 0;
    let id = u16::from_be_bytes([high, low]);
    let reply = || Message::error_msg(id, OpCode::Query, ResponseCode::FormErr);
    is_query.then(reply)?.to_vec().ok()
}

/// Both sockets of the resolver.
pub struct Resolver {
    udp: UdpSocket,
    tcp: TcpListener,
    tables: watch::Receiver<Arc<Tables>>,
}

impl Resolver {
    /// Binds UDP and TCP of `address`.
    pub async fn bind(address: SocketAddr, tables: watch::Receiver<Arc<Tables>>) -> io::Result<Self> {
        let udp = UdpSocket::bind(address).await?;
        // Port 0 stands for any, but for the same one twice.
        let tcp = TcpListener::bind(udp.local_addr()?).await?;
        Ok(Self { udp, tcp, tables })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// Answers for ever.
    pub async fn serve(self) {
        let (udp, tcp, tables) = (self.udp, self.tcp, self.tables);
        tokio::join!(serve_udp(udp, tables.clone()), serve_tcp(tcp, tables));
    }
}

async fn serve_udp(socket: UdpSocket, tables: watch::Receiver<Arc<Tables>>) {
    let mut buffer = [0; 4096];
    loop {
        // Errors are those of earlier answers (ICMP, or a leg that has gone): none concerns the next query.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            sleep(Duration::from_millis(1)).await;
            continue;
        };
        let IpAddr::V4(address) = from.ip() else { continue };
        let reply = answer(&tables.borrow(), address, &buffer[..length], Over::Udp);
        if let Some(reply) = reply
            && let Err(error) = socket.send_to(&reply, from).await
        {
            tracing::debug!(%error, "answer not sent");
        }
    }
}

async fn serve_tcp(listener: TcpListener, tables: watch::Receiver<Arc<Tables>>) {
    let places = Places::default();
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let IpAddr::V4(from) = from.ip() else { continue };
        let Some(place) = places.take(from) else { continue };
        let tables = tables.clone();
        tokio::spawn(async move {
            // However it ends, the other side sees it end.
            let _ = serve_stream(stream, from, &tables).await;
            drop(place);
        });
    }
}

/// Counts TCP connections by asker, so that one service cannot use up the resolver of the others.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<HashMap<Ipv4Addr, usize>>>);

struct Place {
    places: Places,
    from: Ipv4Addr,
}

impl Places {
    fn take(&self, from: Ipv4Addr) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(from).or_default();
        (*count < CONNECTIONS).then(|| {
            *count += 1;
            Place {
                places: self.clone(),
                from,
            }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

async fn serve_stream(
    mut stream: TcpStream,
    from: Ipv4Addr,
    tables: &watch::Receiver<Arc<Tables>>,
) -> io::Result<()> {
    loop {
        let query = timeout(IDLE, async {
            let length = stream.read_u16().await?;
            let mut query = vec![0; usize::from(length)];
            stream.read_exact(&mut query).await?;
            io::Result::Ok(query)
        });
        let query = query.await??;
        let reply = answer(&tables.borrow(), from, &query, Over::Tcp);
        let Some(reply) = reply else { return Ok(()) };
        let mut framed = u16::try_from(reply.len())
            .map_err(io::Error::other)?
            .to_be_bytes()
            .to_vec();
        framed.extend(reply);
        timeout(IDLE, stream.write_all(&framed)).await??;
    }
}
