//! The resolver over real sockets: each service sees its own names only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, UdpSocket},
    time::timeout,
};

use crate::world::{PATIENCE, World, document};

fn query(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(77, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

/// What a member of a leg gets over UDP: code, and addresses with their time to live.
async fn ask(
    world: &World,
    member: u8,
    name: &str,
    kind: RecordType,
) -> (ResponseCode, Vec<(Ipv4Addr, u32)>) {
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 77, 0, member), 0))
        .await
        .unwrap();
    let to = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 77, 1, member)), world.dns.port());
    socket.send_to(&query(name, kind), to).await.unwrap();
    let mut buffer = [0; 512];
    let length = timeout(PATIENCE, socket.recv(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    read(&buffer[..length])
}

fn read(bytes: &[u8]) -> (ResponseCode, Vec<(Ipv4Addr, u32)>) {
    let reply = Message::from_vec(bytes).unwrap();
    assert_eq!(
        (reply.metadata.id, reply.metadata.message_type),
        (77, MessageType::Response)
    );
    let address = |record: &hickory_proto::rr::Record| match &record.data {
        RData::A(a) => (a.0, record.ttl),
        other => panic!("{other:?}"),
    };
    (
        reply.metadata.response_code,
        reply.answers.iter().map(address).collect(),
    )
}

#[tokio::test]
async fn own_names_only() {
    let world = World::new().await;
    assert_eq!(
        ask(&world, 51, "web.", RecordType::A).await.0,
        ResponseCode::Refused
    );
    world
        .apply(&document(1, &[("one", 51, 80, true), ("two", 52, 80, true)]))
        .await;
    let one = (ResponseCode::NoError, vec![(Ipv4Addr::new(127, 77, 0, 51), 5)]);
    let two = (ResponseCode::NoError, vec![(Ipv4Addr::new(127, 77, 0, 52), 5)]);
    assert_eq!(ask(&world, 51, "web.", RecordType::A).await, one);
    assert_eq!(ask(&world, 51, "WEB.", RecordType::A).await, one);
    assert_eq!(ask(&world, 51, "one-alias.", RecordType::A).await, one);
    assert_eq!(ask(&world, 52, "web.", RecordType::A).await, two);
    assert_eq!(
        ask(&world, 51, "web.", RecordType::AAAA).await,
        (ResponseCode::NoError, vec![])
    );
    assert_eq!(
        ask(&world, 51, "two-alias.", RecordType::A).await,
        (ResponseCode::NXDomain, vec![])
    );
    assert_eq!(
        ask(&world, 51, "example.org.", RecordType::A).await,
        (ResponseCode::NXDomain, vec![])
    );
    assert_eq!(
        ask(&world, 53, "web.", RecordType::A).await,
        (ResponseCode::Refused, vec![])
    );

    world.apply(&document(2, &[("two", 52, 80, true)])).await;
    assert_eq!(
        ask(&world, 51, "web.", RecordType::A).await,
        (ResponseCode::Refused, vec![])
    );
    assert_eq!(ask(&world, 52, "web.", RecordType::A).await, two);
}

#[tokio::test]
async fn over_tcp_and_after_garbage() {
    let world = World::new().await;
    world.apply(&document(1, &[("one", 54, 80, true)])).await;
    let member = Ipv4Addr::new(127, 77, 0, 54);
    let udp = UdpSocket::bind((member, 0)).await.unwrap();
    let to = SocketAddr::from((Ipv4Addr::new(127, 77, 1, 54), world.dns.port()));
    for garbage in [&b""[..], b"\0", b"\0\x4d\x80\0\0\0\0\0\0\0\0\0", &[0xff; 600]] {
        udp.send_to(garbage, to).await.unwrap();
    }
    // A header that says one question and has none: told so.
    udp.send_to(b"\0\x4d\x01\0\0\x01\0\0\0\0\0\0", to).await.unwrap();
    let mut buffer = [0; 512];
    let length = timeout(PATIENCE, udp.recv(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(read(&buffer[..length]).0, ResponseCode::FormErr);

    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((member, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    for _ in 0..2 {
        let asked = query("web.", RecordType::A);
        stream
            .write_u16(u16::try_from(asked.len()).unwrap())
            .await
            .unwrap();
        stream.write_all(&asked).await.unwrap();
        let length = timeout(PATIENCE, stream.read_u16()).await.unwrap().unwrap();
        let mut reply = vec![0; usize::from(length)];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(read(&reply), (ResponseCode::NoError, vec![(member, 5)]));
    }
}
