//! A document as look-up tables: what router and resolver read, swapped whole.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddrV4},
    sync::Arc,
};

use holm_core::{
    gateway::{GatewayConfig, HostRoute},
    name::{Domain, ServiceId},
};

/// Names inside a service's network, lower case without the last dot.
pub type Names = HashMap<String, Vec<Ipv4Addr>>;

/// Look-up tables of a document. The default is that of no document: nobody is known.
#[derive(Debug, Default)]
pub struct Tables {
    /// The cell's domain.
    pub domain: Option<Domain>,
    /// What answers, by host name.
    pub routes: HashMap<String, HostRoute>,
    /// The first host name of each service.
    pub first_host: HashMap<ServiceId, String>,
    /// Which names a member may ask for, by its address.
    pub names: HashMap<Ipv4Addr, Arc<Names>>,
}

impl Tables {
    /// Of `config`.
    pub fn of(config: &GatewayConfig) -> Self {
        let mut tables = Self {
            domain: Some(config.domain.clone()),
            ..Self::default()
        };
        for route in &config.routes {
            tables.routes.insert(route.host.clone(), route.clone());
            tables
                .first_host
                .entry(route.service.clone())
                .or_insert_with(|| route.host.clone());
        }
        for leg in &config.legs {
            let mut names = Names::new();
            for member in &leg.members {
                for name in &member.names {
                    let addresses = names.entry(name.to_ascii_lowercase()).or_default();
                    if !addresses.contains(&member.address) {
                        addresses.push(member.address);
                    }
                }
            }
            let names = Arc::new(names);
            for member in &leg.members {
                tables.names.insert(member.address, Arc::clone(&names));
            }
        }
        tables
    }
}

/// Each backend of a document once, in its order.
pub fn backends(config: &GatewayConfig) -> Vec<(ServiceId, SocketAddrV4)> {
    let mut found = Vec::new();
    for route in &config.routes {
        let backend = route.backend.map(|backend| (route.service.clone(), backend));
        found.extend(backend.filter(|b| !found.contains(b)));
    }
    found
}
