//! Installing one service must not be felt by another: fifty open WebSockets while ten come and go.

#![expect(
    clippy::disallowed_methods,
    reason = "a TLS client of others is a program of others"
)]

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use holm_node_tests::House;
use tungstenite::{Message, WebSocket};
use xtask::cell::get;

/// A TLS connection by OpenSSL's own client, as a stream.
struct Tls(Child);

impl Tls {
    fn connect(address: &str, host: &str, root: &std::path::Path) -> Result<Self> {
        let mut client = Command::new("openssl");
        client.args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-servername",
            host,
            "-connect",
        ]);
        client.arg(format!("{address}:443")).arg("-CAfile").arg(root);
        let child = client
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        Ok(Self(child.context("openssl does not start")?))
    }
}

impl Read for Tls {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0
            .stdout
            .as_mut()
            .ok_or(std::io::ErrorKind::NotConnected)?
            .read(bytes)
    }
}

impl Write for Tls {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .stdin
            .as_mut()
            .ok_or(std::io::ErrorKind::NotConnected)?
            .write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.0
            .stdin
            .as_mut()
            .ok_or(std::io::ErrorKind::NotConnected)?
            .flush()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn says(socket: &mut WebSocket<Tls>, text: &str) -> Result<()> {
    socket.send(Message::text(text))?;
    let answer = socket.read()?;
    ensure!(answer.to_text()? == text, "said {text:?}, heard {answer:?}");
    Ok(())
}

#[test]
fn fifty_websockets_stay_open_while_ten_services_come_and_go() -> Result<()> {
    xtask::setup::ensure_packages(&[("openssl", "openssl")])?;
    let House { cell, client, .. } = House::new(&["p0", "p9"])?;
    cell.holm(&["install", "echo"])?;
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("root.crt");
    std::fs::write(&root, cell.holm(&["ca"])? + "\n")?;
    let address = cell.node.ip()?;
    let mut sockets = Vec::new();
    for number in 0..50 {
        let tls = Tls::connect(&address, "echo.alice.test", &root)?;
        let (mut socket, _) = tungstenite::client("ws://echo.alice.test/ws", tls)
            .map_err(|error| anyhow::anyhow!("socket {number} does not open: {error}"))?;
        says(&mut socket, &format!("hello {number}"))?;
        sockets.push(socket);
    }
    for number in 0..10 {
        let id = format!("p{number}");
        cell.stock(&id, "homepage", |_| {})?;
        cell.holm(&["install", &id])?;
    }
    ensure!(
        get(&client, "p0", "/")?.0 == 200 && get(&client, "p9", "/")?.0 == 200,
        "the ten do not answer"
    );
    for (number, socket) in sockets.iter_mut().enumerate() {
        says(socket, "after ten installs").with_context(|| format!("socket {number}"))?;
    }
    for number in 0..10 {
        cell.holm(&["remove", &format!("p{number}")])?;
    }
    for (number, socket) in sockets.iter_mut().enumerate() {
        says(socket, "after ten removals").with_context(|| format!("socket {number}"))?;
    }
    Ok(())
}
