//! A service that talks all the time, for the leak tests: what the guard lets out is counted elsewhere.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// One hundred packets a second, for ever.
pub async fn packets(to: SocketAddr) {
    let mut tick = interval(Duration::from_millis(10));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut socket = None;
    loop {
        tick.tick().await;
        if socket.is_none() {
            socket = UdpSocket::bind("0.0.0.0:0").await.ok();
        }
        if let Some(socket) = &socket {
            // Being refused is what the tests hope for.
            let _ = socket.send_to(b"noise", to).await;
        }
    }
}

/// A new TCP connection as soon as the last one is answered, refused, or a second old.
pub async fn connections(to: SocketAddr) {
    let mut tick = interval(Duration::from_millis(100));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        let _ = timeout(Duration::from_secs(1), TcpStream::connect(to)).await;
    }
}
