//! Rules `iptables-*`: v3 writes firewall rules; what they may say is only "peers may reach this port".

use super::super::{
    report::{Report, quoted},
    v3::RawRule,
};
use crate::{
    model::{Port, Protocol},
    name::ContainerName,
};

/// Checks `iptables_rules` into ports of the main container.
pub(in crate::manifest) fn check(
    rules: &[RawRule<'_>],
    main: &ContainerName,
    report: &mut Report,
) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    for rule in rules {
        if let Some(port) = port(rule, main, report)
            && !ports.contains(&port)
        {
            ports.push(port);
        }
    }
    ports
}

fn port(rule: &RawRule<'_>, main: &ContainerName, report: &mut Report) -> Option<Port> {
    if let Some(kind) = &rule.kind
        && kind.value != "ACCEPT"
    {
        let message = format!("a rule can only open a port, not {}", quoted(kind.value));
        report.error(&kind.at, "iptables-type", message, "write ACCEPT");
    }
    if let Some(ip) = &rule.dest_ip
        && ip.value != "${SERVICE_IP}"
    {
        let message = format!("{} is not this service's own address", quoted(ip.value));
        report.error(
            &ip.at,
            "iptables-dest-ip",
            message,
            "write ${SERVICE_IP} as it stands",
        );
    }
    let protocol = match rule.proto.as_ref().map(|proto| (proto, proto.value)) {
        None | Some((_, "tcp")) => Some(Protocol::Tcp),
        Some((_, "udp")) => Some(Protocol::Udp),
        Some((proto, other)) => {
            report.error(
                &proto.at,
                "iptables-proto",
                format!("{} is no protocol here", quoted(other)),
                "write tcp or udp",
            );
            None
        }
    };
    let number = rule.dest_port.as_ref()?;
    let Some(port) = u16::try_from(number.value).ok().filter(|port| *port > 0) else {
        let message = format!("{} is not a port", number.value);
        report.error(
            &number.at,
            "iptables-dest-port",
            message,
            "write an integer from 1 to 65535",
        );
        return None;
    };
    Some(Port {
        container: main.clone(),
        port,
        protocol: protocol?,
    })
}
