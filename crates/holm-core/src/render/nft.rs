//! The gateway's packet policy as text for `nft -f -`: one transaction that replaces table `inet holm`.
//!
//! Default is drop in every direction. Only values that cannot carry syntax reach the text: addresses,
//! ports, and names that [`render`] has matched whole.

use std::{collections::BTreeSet, fmt::Write, net::Ipv4Addr};

use crate::gateway::{GatewayConfig, Leg};

/// Why a document cannot become a policy. Nothing is loaded then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NftError {
    /// An interface that is no leg of a service.
    #[error("interface {0:?} of a leg is not allowed: s and 1 to 9 digits, such as s12")]
    Interface(String),
    /// Two legs would share an interface, so that the pins of one would let the other's packets through.
    #[error("interface {0} belongs to two legs")]
    InterfaceTwice(String),
    /// Not a hardware address.
    #[error("hardware address {0:?} is not allowed: six pairs of 0-9 a-f joined by colons")]
    Mac(String),
    /// One address on two members or legs: the policy could not tell them apart.
    #[error("address {0} is given twice")]
    AddressTwice(Ipv4Addr),
    /// More than one transaction can carry.
    #[error("{0} containers, legs and backends are too many for one policy: at most {LIMIT} together")]
    TooMany(usize),
    /// Port 0 cannot be opened.
    #[error("port 0 of {0} is not allowed: 1 to 65535")]
    Port(Ipv4Addr),
}

/// Elements in one transaction. Without root nft cannot raise its send buffer, so that a batch of more than
/// 212,960 bytes is refused by the kernel ("Message too long"): between 4,800 and 5,600 elements, measured.
const LIMIT: usize = 4500;

/// The policy before the first document: nothing passes but loopback.
pub fn closed() -> String {
    table(&Sets::default())
}

/// The policy of a document.
pub fn render(config: &GatewayConfig) -> Result<String, NftError> {
    let mut sets = Sets::default();
    let mut interfaces = BTreeSet::new();
    let mut addresses = BTreeSet::new();
    for leg in &config.legs {
        check_interface(&leg.interface)?;
        if !interfaces.insert(&leg.interface) {
            return Err(NftError::InterfaceTwice(leg.interface.clone()));
        }
        for address in std::iter::once(leg.address).chain(leg.members.iter().map(|m| m.address)) {
            if !addresses.insert(address) {
                return Err(NftError::AddressTwice(address));
            }
        }
        sets.add(leg)?;
    }
    let elements = sets.pins.len() + sets.resolvers.len() + sets.backends.len();
    if elements > LIMIT {
        return Err(NftError::TooMany(elements));
    }
    Ok(table(&sets))
}

/// Elements of the three sets, sorted by the order of the document.
#[derive(Default)]
struct Sets {
    pins: Vec<String>,
    resolvers: Vec<String>,
    backends: Vec<String>,
}

impl Sets {
    fn add(&mut self, leg: &Leg) -> Result<(), NftError> {
        let interface = &leg.interface;
        self.resolvers.push(format!("{interface:?} . {}", leg.address));
        for member in &leg.members {
            check_mac(&member.mac)?;
            self.pins
                .push(format!("{interface:?} . {} . {}", member.mac, member.address));
            for port in BTreeSet::from_iter(&member.backend_ports) {
                if *port == 0 {
                    return Err(NftError::Port(member.address));
                }
                self.backends
                    .push(format!("{interface:?} . {} . {port}", member.address));
            }
        }
        Ok(())
    }
}

fn check_interface(name: &str) -> Result<(), NftError> {
    match name.strip_prefix('s').map(str::as_bytes) {
        Some(digits) if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(NftError::Interface(name.chars().take(80).collect())),
    }
}

fn check_mac(mac: &str) -> Result<(), NftError> {
    let pair = |p: &str| p.len() == 2 && p.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if mac.len() == 17 && mac.split(':').count() == 6 && mac.split(':').all(pair) {
        Ok(())
    } else {
        Err(NftError::Mac(mac.chars().take(80).collect()))
    }
}

fn set(out: &mut String, name: &str, kind: &str, elements: &[String]) {
    // An empty `elements = { }` is a syntax error, so the line is left out.
    let elements = if elements.is_empty() {
        String::new()
    } else {
        format!(
            "        elements = {{\n            {}\n        }}\n",
            elements.join(",\n            ")
        )
    };
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "    set {name} {{\n        type {kind}\n{elements}    }}\n\n"
    );
}

fn table(sets: &Sets) -> String {
    // Declared, deleted, declared: works whether it was there or not, and leaves nothing of an older layout.
    let mut out = String::from("table inet holm {\n}\ndelete table inet holm\ntable inet holm {\n");
    set(&mut out, "pins", "ifname . ether_addr . ipv4_addr", &sets.pins);
    set(&mut out, "resolvers", "ifname . ipv4_addr", &sets.resolvers);
    set(
        &mut out,
        "backends",
        "ifname . ipv4_addr . inet_service",
        &sets.backends,
    );
    out.push_str(RULES);
    out
}

/// Rules are the same for every document; what differs is in the sets.
const RULES: &str = r#"    counter not_v4 {
    }
    counter not_pinned {
    }
    counter no_input {
    }
    counter no_forward {
    }
    counter no_output {
    }

    # Before connection tracking, so that a forged packet cannot even make or meet an entry.
    chain pinned {
        type filter hook prerouting priority raw; policy accept;
        iifname "s*" meta nfproto != ipv4 counter name not_v4 drop
        iifname "s*" iifname . ether saddr . ip saddr != @pins counter name not_pinned drop
    }

    chain incoming {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        iifname "s*" ct state established accept
        iifname "s*" ct state related meta l4proto icmp accept
        iifname . ip daddr @resolvers udp dport 53 accept
        iifname . ip daddr @resolvers tcp dport 53 accept
        counter name no_input drop
    }

    chain passing {
        type filter hook forward priority filter; policy drop;
        counter name no_forward drop
    }

    chain outgoing {
        type filter hook output priority filter; policy drop;
        oifname "lo" accept
        oifname "s*" ct state established accept
        oifname "s*" ct state related meta l4proto icmp accept
        oifname . ip daddr . tcp dport @backends accept
        counter name no_output drop
    }
}
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Member;

    fn document() -> GatewayConfig {
        let member = |name: &str, last: u8, ports: &[u16]| Member {
            names: vec![name.to_owned()],
            address: Ipv4Addr::new(172, 20, 0, last),
            mac: format!("02:00:ac:14:00:{last:02x}"),
            backend_ports: ports.to_vec(),
        };
        let leg = |service: &str, block: u8, members| Leg {
            service: service.parse().unwrap(),
            interface: format!("s{block}"),
            address: Ipv4Addr::new(172, 20, 0, block * 16 + 2),
            members,
            hash: "0123456789abcdef".to_owned(),
        };
        GatewayConfig {
            generation: 7,
            domain: "alice.test".parse().unwrap(),
            legs: vec![
                leg("homepage", 1, vec![member("web", 19, &[80])]),
                leg(
                    "notes",
                    2,
                    vec![member("app", 35, &[8080, 8081, 8080]), member("db", 36, &[])],
                ),
            ],
            routes: vec![],
        }
    }

    fn refused(change: impl FnOnce(&mut GatewayConfig)) -> NftError {
        let mut config = document();
        change(&mut config);
        render(&config).unwrap_err()
    }

    #[test]
    fn golden() {
        insta::assert_snapshot!(render(&document()).unwrap());
    }

    #[test]
    fn golden_closed() {
        insta::assert_snapshot!(closed());
    }

    #[test]
    fn interfaces_are_legs_of_services() {
        for name in [
            "",
            "s",
            "up0",
            "s1\n",
            "s1 ",
            "s*",
            "S1",
            "s1234567890",
            "s1\" drop",
            "s٣",
        ] {
            let error = refused(|c| c.legs[0].interface = name.to_owned());
            assert!(matches!(error, NftError::Interface(_)), "{name:?}: {error}");
        }
        let error = refused(|c| c.legs[0].interface = "s2".to_owned());
        assert_eq!(error, NftError::InterfaceTwice("s2".to_owned()));
    }

    #[test]
    fn macs_are_six_pairs() {
        for mac in [
            "",
            "02:00:ac:14:00",
            "02:00:ac:14:00:1",
            "02:00:AC:14:00:13",
            "02:00:ac:14:00:13\n",
            "02:00:ac:14:00:1}",
            "0200:ac:14:00:013",
        ] {
            let error = refused(|c| c.legs[0].members[0].mac = mac.to_owned());
            assert!(matches!(error, NftError::Mac(_)), "{mac:?}: {error}");
        }
    }

    #[test]
    fn addresses_and_ports_are_told_apart() {
        let twice = Ipv4Addr::new(172, 20, 0, 35);
        assert_eq!(
            refused(|c| c.legs[0].members[0].address = twice),
            NftError::AddressTwice(twice)
        );
        assert_eq!(
            refused(|c| c.legs[1].members[0].backend_ports = vec![0]),
            NftError::Port(twice)
        );
    }

    #[test]
    fn a_policy_fits_one_transaction() {
        let leg = document().legs.remove(0);
        let error = refused(|c| {
            c.legs = (0..2000u32)
                .map(|number| {
                    let mut leg = leg.clone();
                    leg.interface = format!("s{number}");
                    leg.address = Ipv4Addr::from(0xac14_0000 + number * 16 + 2);
                    leg.members[0].address = Ipv4Addr::from(0xac14_0000 + number * 16 + 3);
                    leg
                })
                .collect();
        });
        assert_eq!(error, NftError::TooMany(6000));
    }
}
