//! The edge's configuration: static, so that no service ever reloads it and cuts an open connection.

use serde_json::json;

use crate::name::Domain;

/// Caddy's JSON configuration (caddyserver.com/docs/json). File descriptors are those of `holm-caddy.socket`, in order.
pub fn config(domain: &Domain) -> String {
    let names = [domain.to_string(), format!("*.{domain}")];
    let router = json!({
        "handler": "reverse_proxy",
        "upstreams": [{ "dial": "unix//run/holm-router/router.sock" }],
        "flush_interval": -1,
        // The gateway may be restarting: a request that found no socket is held, not refused.
        "load_balancing": { "try_duration": "15s", "try_interval": "50ms" },
    });
    let config = json!({
        "admin": { "listen": "unix//run/caddy/admin.sock|0600", "config": { "persist": false } },
        "logging": { "logs": { "default": { "writer": { "output": "stdout" }, "encoder": { "format": "json" } } } },
        "apps": {
            "http": {
                "grace_period": "3s",
                "servers": {
                    "redirect": {
                        "listen": ["fd/3"],
                        "protocols": ["h1"],
                        "automatic_https": { "disable": true },
                        "routes": [{ "handle": [{
                            "handler": "static_response",
                            "status_code": 308,
                            "headers": { "Location": ["https://{http.request.host}{http.request.uri}"] },
                        }] }],
                    },
                    "edge": {
                        "listen": ["fd/4", "fdgram/5"],
                        "listen_protocols": [["h1", "h2"], ["h3"]],
                        "automatic_https": { "disable": true },
                        "tls_connection_policies": [{}],
                        "logs": {},
                        "routes": [{ "handle": [router] }],
                    },
                },
            },
            "pki": { "certificate_authorities": { "local": { "name": format!("Holm {domain}"), "install_trust": false } } },
            "tls": {
                "certificates": { "automate": names },
                "automation": { "policies": [{ "subjects": names, "issuers": [{ "module": "internal" }] }] },
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&config).unwrap_or_default();
    text.push('\n');
    text
}
