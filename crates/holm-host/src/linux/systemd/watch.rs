//! Hears from systemd that a unit of ours changed its state, without asking again and again.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_stream::StreamExt;
use tracing::{debug, warn};
use zbus::{MatchRule, Message, MessageStream, OwnedVariant, message::Type};

use super::connect;

const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
/// `holm-` as systemd writes it in object paths.
const OURS: &str = "/org/freedesktop/systemd1/unit/holm_2d";

/// Calls `fire` for every change, for ever; connects again when the bus is restarted.
pub(in crate::linux) async fn run(bus: PathBuf, fire: impl Fn()) {
    let mut pause = Duration::from_millis(100);
    loop {
        match listen(&bus, &fire, &mut pause).await {
            Ok(()) => warn!("the user bus went away; what happens now is seen after the next connection"),
            Err(error) => warn!(%error, "cannot listen to systemd"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(30));
    }
}

async fn listen(bus: &Path, fire: &impl Fn(), pause: &mut Duration) -> zbus::Result<()> {
    let connection = connect(bus).await?;
    let states = MatchRule::builder()
        .msg_type(Type::Signal)
        .sender("org.freedesktop.systemd1")
        .interface("org.freedesktop.DBus.Properties")
        .member("PropertiesChanged")
        .path_namespace("/org/freedesktop/systemd1/unit")
        .arg(0, UNIT)
        .build()?;
    // Not UnitNew and UnitRemoved: they only say that systemd read or forgot a file.
    let rule = |member: &'static str| {
        MatchRule::builder()
            .msg_type(Type::Signal)
            .sender("org.freedesktop.systemd1")
            .interface(MANAGER)
            .member(member)
            .build()
    };
    let mut signals = MessageStream::for_match_rule(states, &connection, None)
        .await?
        .merge(MessageStream::for_match_rule(rule("JobRemoved")?, &connection, None).await?)
        .merge(MessageStream::for_match_rule(rule("Reloading")?, &connection, None).await?);
    *pause = Duration::from_millis(100);
    // Whatever happened before.
    fire();
    let mut known = HashMap::new();
    while let Some(signal) = signals.next().await {
        let signal = signal?;
        if concerns_us(&signal, &mut known) {
            debug!(signal = ?signal.header().member(), path = ?signal.header().path(), "systemd");
            fire();
        }
    }
    Ok(())
}

/// Whether a signal says something new of a unit of ours. systemd repeats all properties of a unit whenever
/// one changes, so the last state is kept to compare.
fn concerns_us(signal: &Message, known: &mut HashMap<String, (String, String)>) -> bool {
    let header = signal.header();
    let body = signal.body();
    match header.member().map(|member| member.as_str()) {
        Some("Reloading") => body.deserialize::<bool>().is_ok_and(|begins| !begins),
        Some("JobRemoved") => body
            .deserialize::<(u32, zbus::ObjectPath<'_>, &str, &str)>()
            .is_ok_and(|(_, _, unit, _)| unit.starts_with("holm-")),
        Some("PropertiesChanged") => {
            let Some(path) = header.path().filter(|path| path.as_str().starts_with(OURS)) else {
                return false;
            };
            let Ok((_, changed, _)) =
                body.deserialize::<(&str, HashMap<String, OwnedVariant>, Vec<String>)>()
            else {
                return true;
            };
            let text = |key: &str| {
                changed
                    .get(key)
                    .and_then(|value| value.downcast_ref::<&str>().ok())
                    .unwrap_or("")
                    .to_owned()
            };
            let now = (text("ActiveState"), text("SubState"));
            known.insert(path.to_string(), now.clone()) != Some(now)
        }
        _ => false,
    }
}
