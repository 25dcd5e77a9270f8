//! The guard: rules of the rootless namespace that hold when the gateway is down, starting or broken.
//!
//! Bridges of services are switches and nothing more: no frame is handed up from them, so the namespace neither
//! answers nor routes for a service. From the uplink's bridge only what bears the gateway's own address goes up,
//! i.e. what a loaded ruleset has translated; all else is dropped, and counted when it is IPv4.

use crate::{
    render::names,
    target::{Block, Pool},
};

/// nft text, loaded as one transaction. Loading it again keeps the counter.
pub fn ruleset(pool: Pool) -> String {
    let gateway = pool.address(Block { first: 0, blocks: 1 }, 2);
    let mac = names::mac(gateway);
    format!(
        "table bridge holm_guard {{
\tcounter held {{ }}
\tchain up {{
\t\ttype filter hook input priority -300; policy drop;
\t}}
}}
flush chain bridge holm_guard up
add rule bridge holm_guard up ether type arp accept
add rule bridge holm_guard up ether saddr {mac} ip saddr {gateway} accept
add rule bridge holm_guard up ether type ip counter name held
"
    )
}
