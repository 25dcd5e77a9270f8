//! What a service can reach: one attempt, and how it ended.

use serde::Deserialize;
use std::fmt::{Display, Formatter, Result as Formatted};
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// `?to=10.0.0.1:80&proto=tcp`
#[derive(Deserialize)]
pub struct Question {
    to: SocketAddr,
    #[serde(default)]
    proto: Proto,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Proto {
    #[default]
    Tcp,
    Udp,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was answered.
    Open,
    /// Something said no: there is a way there.
    Refused,
    /// The network said that there is no way.
    Unreachable,
    /// Silence for a second.
    Timeout,
    /// Anything else.
    Failed(String),
}

impl Display for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> Formatted {
        match self {
            Self::Open => f.write_str("open"),
            Self::Refused => f.write_str("refused"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Timeout => f.write_str("timeout"),
            Self::Failed(why) => write!(f, "failed: {why}"),
        }
    }
}

/// Tries once, for at most a second.
pub async fn ask(question: &Question) -> Answer {
    let attempt = async {
        match question.proto {
            Proto::Tcp => TcpStream::connect(question.to).await.map(drop),
            Proto::Udp => exchange(question.to).await,
        }
    };
    match timeout(Duration::from_secs(1), attempt).await {
        Err(_) => Answer::Timeout,
        Ok(Ok(())) => Answer::Open,
        Ok(Err(error)) => read(&error),
    }
}

fn read(error: &Error) -> Answer {
    match error.kind() {
        ErrorKind::ConnectionRefused => Answer::Refused,
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Answer::Unreachable,
        ErrorKind::TimedOut => Answer::Timeout,
        _ => Answer::Failed(error.to_string()),
    }
}

/// UDP is open only when something comes back: a packet that was sent proves nothing.
async fn exchange(to: SocketAddr) -> Result<()> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(to).await?;
    socket.send(b"probe").await?;
    socket.recv(&mut [0; 64]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn tcp_open_then_refused() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let question = Question {
            to: listener.local_addr()?,
            proto: Proto::Tcp,
        };
        assert_eq!(ask(&question).await, Answer::Open);
        drop(listener);
        assert_eq!(ask(&question).await, Answer::Refused);
        Ok(())
    }

    #[tokio::test]
    async fn udp_silence_is_not_open() -> Result<()> {
        let silent = UdpSocket::bind("127.0.0.1:0").await?;
        let question = Question {
            to: silent.local_addr()?,
            proto: Proto::Udp,
        };
        assert_eq!(ask(&question).await, Answer::Timeout);
        drop(silent);
        assert_eq!(ask(&question).await, Answer::Refused);
        Ok(())
    }
}
